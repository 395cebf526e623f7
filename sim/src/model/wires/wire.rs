use std::{collections::BTreeMap, time::Duration};

use squall_proto::{
    Connect, Instant, Packet, Properties, Publish, ReasonCode, TopicAlias, Version, encoded_len,
};

use super::BySide;
use crate::{
    model::{ClientNumber, HolderId, MessageId, SessionId, TopicId, Topics, numbered::Number as _},
    trace::{End, Side},
};

/// A Network Connection, as far as it has got.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The client or peer, as the trace calls it.
    pub(crate) name: String,
    /// As it reached the broker.
    pub(crate) connect: Option<Box<Connect>>,
    /// Whose CONNECT it was.
    pub(crate) client: Option<ClientNumber>,
    /// The host that uses that.
    pub(crate) holder: Option<HolderId>,
    /// The session that it was accepted into.
    pub(crate) session: Option<SessionId>,
    /// The Will of CONNECT.
    pub(crate) will: Option<MessageId>,
    /// When CONNECT reached the broker's host.
    pub(crate) connect_at: Option<Instant>,
    /// When and how the broker answered CONNECT.
    pub(crate) connack: Option<(Instant, ReasonCode)>,
    /// What CONNACK said.
    pub(crate) session_present: bool,
    /// CONNACK has reached the client.
    pub(crate) connack_arrived: bool,
    /// When each side's host last got a packet.
    pub(crate) got_at: BySide<Instant>,
    /// Its place among the accepted ones, from 1: who connects takes over from those before, whoever began first.
    pub(super) accepted: Option<u32>,
    /// Seconds, as CONNECT or CONNACK says; 0: none.
    pub(crate) keep_alive: u16,
    /// When the client's last two packets left its host, the last one first.
    pub(crate) said_at: [Instant; 2],
    /// When the client's last whole packet reached the broker's host before the broker closed the connection.
    pub(crate) heard_at: Instant,
    /// When the broker had surely read that; `None`: it has not yet, for all the wires show.
    pub(crate) heard_by: Option<Instant>,
    /// The same of the last packet that came in an earlier moment.
    pub(crate) heard_before: Option<Instant>,
    /// When the client's DISCONNECT reached the broker's host, and what it said.
    pub(crate) disconnect: Option<(Instant, ReasonCode)>,
    /// What the broker's DISCONNECT said.
    pub(crate) broker_disconnect: Option<ReasonCode>,
    /// When each side closed it, and how.
    pub(crate) closed: BySide<Option<(Instant, End)>>,
    /// When each side closed it with data unsent.
    pub(crate) let_go: BySide<Option<Instant>>,
    /// When each side learnt of its end, and how.
    pub(crate) ended: BySide<Option<(Instant, End)>>,
    /// The client sent what no client may send.
    pub(crate) client_at_fault: bool,
    /// Of each side's last packet only a part has left.
    pub(crate) is_within_packet: BySide<bool>,
    /// The client has said DISCONNECT.
    pub(in crate::model) is_done: bool,
    /// How many packets of the broker have left, and not come.
    under_way: u32,
    /// When an administrator had it closed, if it was open.
    pub(crate) kicked_at: Option<Instant>,
    /// An administrator ended its session before CONNACK could leave, perhaps as soon as it had begun.
    pub(crate) is_revoked: bool,
    /// What each side takes, as it said.
    pub(crate) takes: BySide<Takes>,
    /// What each side's Topic Aliases stand for.
    aliases: BySide<BTreeMap<TopicAlias, TopicId>>,
}

/// What an end of a connection takes from the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Takes {
    /// Unfinished QoS 1 and 2 messages; `None`: as many as there are Packet Identifiers.
    pub(crate) receive_maximum: Option<usize>,
    /// Bytes of a packet; `None`: any.
    pub(crate) packet_size_max: Option<usize>,
    pub(crate) topic_alias_maximum: u16,
}

impl Wire {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            connect: None,
            client: None,
            holder: None,
            session: None,
            will: None,
            connect_at: None,
            connack: None,
            session_present: false,
            connack_arrived: false,
            got_at: BySide::default(),
            accepted: None,
            keep_alive: 0,
            said_at: [Instant::ZERO; 2],
            heard_at: Instant::ZERO,
            heard_by: Some(Instant::ZERO),
            heard_before: Some(Instant::ZERO),
            disconnect: None,
            broker_disconnect: None,
            closed: BySide::default(),
            let_go: BySide::default(),
            ended: BySide::default(),
            client_at_fault: false,
            is_within_packet: BySide::default(),
            is_done: false,
            under_way: 0,
            kicked_at: None,
            is_revoked: false,
            takes: BySide::default(),
            aliases: BySide::default(),
        }
    }

    /// Whether its DISCONNECT waited unread, with a Keep Alive that may have run out meanwhile.
    pub(in crate::model) fn is_overheard(&self) -> bool {
        let said_at = self.disconnect.map(|(at, _)| at);
        self.keep_alive > 0 && self.heard_by.is_none_or(|heard| Some(heard) > said_at)
    }

    /// Whether a packet of the broker is larger than the client takes.
    pub(in crate::model) fn is_too_large(&self, packet: &Packet) -> bool {
        let (max, version) = (self.takes.of(Side::Client).packet_size_max, self.version());
        max.zip(version)
            .is_some_and(|(max, version)| encoded_len(version, packet.into()) > max)
    }

    /// Whether CONNACK said Success.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.connack, Some((_, ReasonCode::Success)))
    }

    /// Whether CONNACK said anything else.
    pub(crate) fn is_refused(&self) -> bool {
        self.connack.is_some() && !self.is_accepted()
    }

    /// Whether the session of the client that accompanies it ends with it, whatever becomes of the broker's half.
    pub(in crate::model) fn ends_session(&self) -> bool {
        self.connect
            .as_ref()
            .is_some_and(|connect| match connect.version {
                // [v3 MQTT-3.1.2-6]
                Version::V3_1_1 => connect.clean_start,
                Version::V5 => connect.properties.session_expiry_interval().unwrap_or(0) == 0,
            })
    }

    /// Whether a packet has reached the broker's host.
    pub(super) const fn has_reached_broker(&self) -> bool {
        self.connect.is_some() || self.client_at_fault
    }

    /// Since when a side takes it to be over.
    pub(crate) fn over_for(&self, side: Side) -> Option<Instant> {
        let closed = self.closed.of(side).map(|(at, _)| at);
        let ended = self.ended.of(side).map(|(at, _)| at);
        let let_go = *self.let_go.of(side);
        closed.into_iter().chain(ended).chain(let_go).min()
    }

    /// The number of who has this end of its session: the client to the broker, the host to the client.
    pub(crate) fn end_of(&self, side: Side) -> Option<usize> {
        match side {
            Side::Broker => self.client.map(ClientNumber::place),
            Side::Client => self.holder.map(HolderId::place),
        }
    }

    /// Whether a session may have begun with it, though it broke before its CONNACK could leave.
    pub(crate) fn may_have_begun(&self) -> bool {
        self.connect.is_some() && self.connack.is_none() && self.over_for(Side::Broker).is_some()
    }

    /// When this side's process closed it, whether its FIN could leave or not.
    pub(crate) fn left_at(&self, side: Side) -> Option<Instant> {
        let closed = self.closed.of(side).map(|(at, _)| at);
        self.let_go.of(side).or(closed)
    }

    /// Whether this side's process closed it at that very moment, perhaps before it had read what came.
    pub(crate) fn was_left_at(&self, side: Side, at: Instant) -> bool {
        self.left_at(side) == Some(at)
    }

    /// Whether both sides take it to be open and CONNECT was accepted.
    pub(crate) fn is_up(&self) -> bool {
        self.is_accepted() && self.over_for(Side::Broker).is_none() && self.over_for(Side::Client).is_none()
    }

    /// Whether it gives nothing any more to its client: what the broker sent last was lost for good.
    pub(crate) const fn is_stuck(&self) -> bool {
        self.under_way > 0
    }

    /// Whether its client has said something lately.
    pub(crate) fn is_at_work(&self, now: Instant) -> bool {
        let [last, _] = self.said_at;
        now.saturating_since(last) < AT_WORK
    }

    /// Whether what reached this side's host at that moment may never have reached its process: a reset threw it away.
    pub(crate) fn was_reset_at(&self, side: Side, at: Instant) -> bool {
        matches!(self.ended.of(side), Some((ended, End::Reset)) if *ended == at)
    }

    /// What a Topic Alias of this side stands for.
    pub(crate) fn alias(&self, from: Side, alias: TopicAlias) -> Option<TopicId> {
        self.aliases.of(from).get(&alias).copied()
    }

    /// The topic of a PUBLISH of this side; `None`: its Topic Alias stands for nothing.
    pub(in crate::model) fn topic_of(
        &self,
        from: Side,
        publish: &Publish,
        topics: &mut Topics,
    ) -> Option<TopicId> {
        match &publish.topic {
            Some(topic) => Some(topics.learn_topic(topic)),
            None => self.alias(from, publish.properties.topic_alias()?),
        }
    }

    /// The version that CONNECT asked for.
    pub(crate) fn version(&self) -> Option<Version> {
        self.connect.as_ref().map(|connect| connect.version)
    }

    pub(super) fn client_sent(&mut self, at: Instant, packet: &Packet) {
        let [last, _] = self.said_at;
        let is_first = matches!(packet, Packet::Connect(_));
        *self.is_within_packet.of_mut(Side::Client) = false;
        self.is_done |= matches!(packet, Packet::Disconnect(_));
        self.said_at = [at, if is_first { at } else { last }];
    }

    pub(super) fn broker_sent(&mut self, at: Instant, packet: &Packet, topics: &mut Topics) {
        self.under_way += 1;
        *self.is_within_packet.of_mut(Side::Broker) = false;
        match packet {
            Packet::Connack(connack) => {
                self.connack.get_or_insert((at, connack.reason_code));
                self.session_present = connack.session_present;
                if let Some(keep_alive) = connack.properties.server_keep_alive() {
                    self.keep_alive = keep_alive;
                }
                *self.takes.of_mut(Side::Broker) = Takes::said(&connack.properties);
            }
            Packet::Disconnect(disconnect) => self.broker_disconnect = Some(disconnect.reason_code),
            Packet::Publish(publish) => self.learn_alias(Side::Broker, publish, topics),
            _other_packets => {}
        }
    }

    pub(super) fn broker_got(
        &mut self,
        at: Instant,
        heard: Option<Instant>,
        packet: &Packet,
        topics: &mut Topics,
    ) {
        *self.got_at.of_mut(Side::Broker) = at;
        if self.left_at(Side::Broker).is_none() {
            if self.heard_at < at {
                self.heard_before = self.heard_by;
            }
            self.heard_at = at;
            self.heard_by = heard;
        }
        match packet {
            Packet::Connect(connect) if self.connect.is_none() => {
                // There is no packet before it.
                self.heard_before = self.heard_by;
                self.connect_at = Some(at);
                self.keep_alive = connect.keep_alive;
                *self.takes.of_mut(Side::Client) = Takes::said(&connect.properties);
                self.connect = Some(connect.clone());
            }
            Packet::Disconnect(disconnect) => {
                self.disconnect.get_or_insert((at, disconnect.reason_code));
            }
            Packet::Publish(publish) => self.learn_alias(Side::Client, publish, topics),
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp => self.client_at_fault = true,
            _other_packets => {}
        }
        if self.connect.is_none() {
            self.client_at_fault = true;
        }
    }

    pub(super) fn client_got(&mut self, at: Instant, packet: &Packet) {
        self.under_way = self.under_way.saturating_sub(1);
        self.connack_arrived |= matches!(packet, Packet::Connack(_));
        *self.got_at.of_mut(Side::Client) = at;
    }

    fn learn_alias(&mut self, from: Side, publish: &Publish, topics: &mut Topics) {
        if let (Some(alias), Some(topic)) = (publish.properties.topic_alias(), &publish.topic) {
            self.aliases.of_mut(from).insert(alias, topics.learn_topic(topic));
        }
    }

    pub(super) fn close(&mut self, at: Instant, by: Side, how: End) {
        self.closed.of_mut(by).get_or_insert((at, how));
    }

    pub(super) fn end(&mut self, at: Instant, side: Side, how: End) {
        self.ended.of_mut(side).get_or_insert((at, how));
    }
}

/// A slow client says nothing for as long between two packets.
const AT_WORK: Duration = Duration::from_secs(60);

impl Takes {
    fn said(properties: &Properties) -> Self {
        let size = properties.maximum_packet_size();
        Self {
            receive_maximum: properties.receive_maximum().map(|max| usize::from(max.get())),
            packet_size_max: size.map(|max| usize::try_from(max.get()).unwrap_or(usize::MAX)),
            topic_alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
        }
    }
}
