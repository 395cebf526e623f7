use std::collections::BTreeMap;

use squall_proto::{Connect, Instant, Packet, Publish, ReasonCode, Text, TopicAlias, TopicName};

use super::BROKER;
use crate::trace::{End, Event, Side, What, WireId};

/// Every Network Connection of a run.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    all: BTreeMap<WireId, Wire>,
    /// How many were accepted.
    accepted: u32,
}

/// A Network Connection, as far as it has got.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The client or peer, as the trace calls it.
    pub(crate) name: String,
    /// As it reached the broker.
    pub(crate) connect: Option<Box<Connect>>,
    /// When CONNECT reached the broker's host.
    connect_at: Option<Instant>,
    /// When and how the broker answered CONNECT.
    pub(crate) connack: Option<(Instant, ReasonCode)>,
    /// Its place among the accepted ones, from 1: who connects takes over from those before, whoever began first.
    accepted: Option<u32>,
    /// Seconds, as CONNECT or CONNACK says; 0: none.
    pub(crate) keep_alive: u16,
    /// When the client's last whole packet reached the broker's host before the broker closed the connection.
    pub(crate) heard_at: Instant,
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
    aliases: BySide<BTreeMap<TopicAlias, TopicName>>,
}

/// A value for each side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BySide<T> {
    client: T,
    broker: T,
}

impl<T> BySide<T> {
    pub(crate) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Broker => &self.broker,
        }
    }

    pub(crate) const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Broker => &mut self.broker,
        }
    }
}

impl Wires {
    pub(crate) fn get(&self, id: WireId) -> Option<&Wire> {
        self.all.get(&id)
    }

    /// Every connection, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (WireId, &Wire)> {
        self.all.iter().map(|(id, wire)| (*id, wire))
    }

    /// Whether the broker accepted another connection of its Client Identifier after it.
    pub(crate) fn is_taken_over(&self, id: WireId) -> bool {
        let accepted = self.get(id).and_then(|wire| wire.accepted);
        self.namesakes(id).any(|(_, other)| other.accepted > accepted)
    }

    /// Whether another CONNECT of its Client Identifier reached the broker's host at that very moment.
    pub(crate) fn is_taken_over_at(&self, id: WireId, at: Instant) -> bool {
        self.namesakes(id).any(|(_, other)| other.connect_at == Some(at))
    }

    /// Whether another CONNECT of its Client Identifier reached the broker's host with its own or later.
    pub(crate) fn is_contested(&self, id: WireId) -> bool {
        let connect_at = self.get(id).and_then(|wire| wire.connect_at);
        self.namesakes(id)
            .any(|(_, other)| other.connect_at >= connect_at)
    }

    /// The other connections of its Client Identifier; those whose CONNECT has not arrived have none.
    fn namesakes(&self, id: WireId) -> impl Iterator<Item = (WireId, &Wire)> {
        let client_id = self.get(id).and_then(Wire::client_id);
        self.iter()
            .filter(move |(other, wire)| *other != id && client_id.is_some() && wire.client_id() == client_id)
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match &event.what {
            What::Opened { wire, client } => {
                self.all.insert(*wire, Wire::new(client.clone()));
            }
            What::Sent {
                wire,
                from: Side::Broker,
                packet,
            } => {
                self.with(*wire, |wire| wire.broker_sent(event.at, packet));
                self.count(*wire);
            }
            What::Arrived {
                wire,
                from: Side::Client,
                packet,
            } => {
                self.with(*wire, |wire| wire.broker_got(event.at, packet));
            }
            What::Malformed {
                wire,
                from: Side::Client,
                ..
            } => {
                self.with(*wire, |wire| wire.client_at_fault = true);
            }
            What::Closed { wire, by, how } => {
                self.with(*wire, |wire| wire.close(event.at, *by, *how));
            }
            What::LetGo { wire, by } => {
                self.with(*wire, |wire| _ = wire.let_go.of_mut(*by).get_or_insert(event.at));
            }
            What::Ended { wire, at, how } => {
                self.with(*wire, |wire| wire.end(event.at, *at, *how));
            }
            What::HostDown { host } => self.host_down(event.at, host),
            What::Sent {
                from: Side::Client, ..
            }
            | What::Arrived {
                from: Side::Broker, ..
            }
            | What::Bytes { .. }
            | What::Malformed { .. }
            | What::HostUp { .. }
            | What::FaultBegan { .. }
            | What::FaultEnded { .. }
            | What::Application { .. }
            | What::Step { .. }
            | What::Missed { .. }
            | What::Healed => {}
        }
    }

    fn with(&mut self, id: WireId, change: impl FnOnce(&mut Wire)) {
        if let Some(wire) = self.all.get_mut(&id) {
            change(wire);
        }
    }

    /// Gives it its place when it was accepted just now.
    fn count(&mut self, id: WireId) {
        if let Some(wire) = self.all.get_mut(&id)
            && wire.is_accepted()
            && wire.accepted.is_none()
        {
            self.accepted += 1;
            wire.accepted = Some(self.accepted);
        }
    }

    fn host_down(&mut self, at: Instant, host: &str) {
        for wire in self.all.values_mut() {
            if host == BROKER {
                wire.end(at, Side::Broker, End::Reset);
            } else if wire.name == host {
                wire.end(at, Side::Client, End::Reset);
            }
        }
    }
}

impl Wire {
    fn new(name: String) -> Self {
        Self {
            name,
            connect: None,
            connect_at: None,
            connack: None,
            accepted: None,
            keep_alive: 0,
            heard_at: Instant::ZERO,
            disconnect: None,
            broker_disconnect: None,
            closed: BySide::default(),
            let_go: BySide::default(),
            ended: BySide::default(),
            client_at_fault: false,
            aliases: BySide::default(),
        }
    }

    /// The Client Identifier, once CONNECT has arrived.
    pub(crate) fn client_id(&self) -> Option<&Text> {
        self.connect.as_ref().map(|connect| &connect.client_id)
    }

    /// Whether CONNACK said Success.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.connack, Some((_, ReasonCode::Success)))
    }

    /// Since when a side takes it to be over.
    pub(crate) fn over_for(&self, side: Side) -> Option<Instant> {
        let closed = self.closed.of(side).map(|(at, _)| at);
        let ended = self.ended.of(side).map(|(at, _)| at);
        let let_go = *self.let_go.of(side);
        closed.into_iter().chain(ended).chain(let_go).min()
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

    /// Whether what reached this side's host at that moment may never have reached its process: a reset threw it away.
    pub(crate) fn was_reset_at(&self, side: Side, at: Instant) -> bool {
        matches!(self.ended.of(side), Some((ended, End::Reset)) if *ended == at)
    }

    /// The topic of a PUBLISH that this side sent, its Topic Alias resolved.
    pub(crate) fn topic_of(&self, from: Side, publish: &Publish) -> Option<TopicName> {
        publish.topic.clone().or_else(|| {
            let alias = publish.properties.topic_alias()?;
            self.aliases.of(from).get(&alias).cloned()
        })
    }

    fn broker_sent(&mut self, at: Instant, packet: &Packet) {
        match packet {
            Packet::Connack(connack) => {
                self.connack.get_or_insert((at, connack.reason_code));
                if let Some(keep_alive) = connack.properties.server_keep_alive() {
                    self.keep_alive = keep_alive;
                }
            }
            Packet::Disconnect(disconnect) => self.broker_disconnect = Some(disconnect.reason_code),
            Packet::Publish(publish) => self.learn_alias(Side::Broker, publish),
            Packet::Connect(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Auth(_) => {}
        }
    }

    fn broker_got(&mut self, at: Instant, packet: &Packet) {
        if self.left_at(Side::Broker).is_none() {
            self.heard_at = at;
        }
        match packet {
            Packet::Connect(connect) if self.connect.is_none() => {
                self.connect_at = Some(at);
                self.keep_alive = connect.keep_alive;
                self.connect = Some(connect.clone());
            }
            Packet::Disconnect(disconnect) => {
                self.disconnect.get_or_insert((at, disconnect.reason_code));
            }
            Packet::Publish(publish) => self.learn_alias(Side::Client, publish),
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp => self.client_at_fault = true,
            Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Auth(_) => {}
        }
        if self.connect.is_none() {
            self.client_at_fault = true;
        }
    }

    fn learn_alias(&mut self, from: Side, publish: &Publish) {
        if let (Some(alias), Some(topic)) = (publish.properties.topic_alias(), &publish.topic) {
            self.aliases.of_mut(from).insert(alias, topic.clone());
        }
    }

    fn close(&mut self, at: Instant, by: Side, how: End) {
        self.closed.of_mut(by).get_or_insert((at, how));
    }

    fn end(&mut self, at: Instant, side: Side, how: End) {
        self.ended.of_mut(side).get_or_insert((at, how));
    }
}
