use std::collections::BTreeMap;

use squall_proto::{Connect, Instant, Packet, Publish, ReasonCode, Text, TopicAlias, TopicName};

use super::BROKER;
use crate::trace::{End, Event, Side, What, WireId};

/// Every Network Connection of a run.
#[derive(Debug, Default)]
pub(crate) struct Wires(BTreeMap<WireId, Wire>);

/// A Network Connection, as far as it has got.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The client or peer, as the trace calls it.
    pub(crate) name: String,
    /// As it reached the broker.
    pub(crate) connect: Option<Box<Connect>>,
    /// When and how the broker answered CONNECT.
    pub(crate) connack: Option<(Instant, ReasonCode)>,
    /// Seconds, as CONNECT or CONNACK says; 0: none.
    pub(crate) keep_alive: u16,
    /// When the client's last whole packet reached the broker's host.
    pub(crate) heard_at: Instant,
    /// When the client's DISCONNECT reached the broker's host, and what it said.
    pub(crate) disconnect: Option<(Instant, ReasonCode)>,
    /// What the broker's DISCONNECT said.
    pub(crate) broker_disconnect: Option<ReasonCode>,
    /// When each side closed it, and how.
    pub(crate) closed: BySide<Option<(Instant, End)>>,
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
        self.0.get(&id)
    }

    /// Every connection, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (WireId, &Wire)> {
        self.0.iter().map(|(id, wire)| (*id, wire))
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match &event.what {
            What::Opened { wire, client } => {
                self.0.insert(*wire, Wire::new(client.clone()));
            }
            What::Sent {
                wire,
                from: Side::Broker,
                packet,
            } => {
                self.with(*wire, |wire| wire.broker_sent(event.at, packet));
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
            | What::Malformed { .. }
            | What::HostUp { .. }
            | What::FaultBegan { .. }
            | What::FaultEnded { .. }
            | What::Step { .. }
            | What::Healed => {}
        }
    }

    fn with(&mut self, id: WireId, change: impl FnOnce(&mut Wire)) {
        if let Some(wire) = self.0.get_mut(&id) {
            change(wire);
        }
    }

    fn host_down(&mut self, at: Instant, host: &str) {
        for wire in self.0.values_mut() {
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
            connack: None,
            keep_alive: 0,
            heard_at: Instant::ZERO,
            disconnect: None,
            broker_disconnect: None,
            closed: BySide::default(),
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
        closed.into_iter().chain(ended).min()
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
        self.heard_at = at;
        match packet {
            Packet::Connect(connect) if self.connect.is_none() => {
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
