//! What the client sends and tells, read by somebody who knows the rules.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each rule names the packets it is about"
)]

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use squall_proto::{
    Binary, Connack, Decoder, Delivery, Packet, PacketId, PacketRef, Publish, Qos, Subscribe, TopicAlias,
    TopicName, Version,
    client::{Authenticate, Distrust, Event, Failure, Options, Output, Receipt, Record, Saved, Ticket},
    encode, encoded_len,
};

/// What the client waits for; SUBACK and UNSUBACK with a Reason Code for each of so many filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Puback,
    Pubrec,
    Pubcomp,
    Suback(usize),
    Unsuback(usize),
}

/// The server's end of the client's connections, and the application.
pub(super) struct Wire {
    version: Version,
    inflight: usize,
    state: State,
    /// Told that it is connected, or that the attempt failed, and not yet that it ended.
    told_connected: bool,
    connack: Option<Connack>,
    awaited: BTreeMap<PacketId, Awaited>,
    /// Those of `awaited` whose PUBLISH was sent on this connection: what the server's Receive Maximum counts.
    counted: BTreeSet<PacketId>,
    /// PUBREC that came for nothing.
    stray: BTreeSet<PacketId>,
    /// What the client's messages waited for when the last connection ended.
    unfinished: BTreeMap<PacketId, Awaited>,
    aliases: BTreeMap<TopicAlias, TopicName>,
    tickets: BTreeSet<Ticket>,
    told: BTreeSet<Ticket>,
    receipts: Vec<Receipt>,
    saved: Saved,
    /// Messages of `unfinished` that the client dropped, because the server it met again does not take them any more.
    dropped: usize,
    /// Whether the application has Authentication Data, and takes the server's.
    pub(super) trusts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Offline,
    Opened,
    SentConnect,
    SentDisconnect,
    Closed,
}

impl Wire {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            version: options.version,
            inflight: options.inflight.into(),
            state: State::Offline,
            told_connected: false,
            connack: None,
            awaited: BTreeMap::new(),
            counted: BTreeSet::new(),
            stray: BTreeSet::new(),
            unfinished: BTreeMap::new(),
            aliases: BTreeMap::new(),
            tickets: BTreeSet::new(),
            told: BTreeSet::new(),
            receipts: Vec::new(),
            saved: Saved::default(),
            dropped: 0,
            trusts: true,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state != State::Offline
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connack.is_some()
    }

    pub(super) fn awaited(&self) -> Vec<(PacketId, Awaited)> {
        self.awaited.iter().map(|(id, awaited)| (*id, *awaited)).collect()
    }

    pub(super) fn open(&mut self) {
        self.state = State::Opened;
    }

    pub(super) fn asked(&mut self, ticket: Ticket) {
        self.tickets.insert(ticket);
    }

    pub(super) fn lost(&mut self) {
        assert!(!self.told_connected, "the end of a connection is told");
        self.state = State::Offline;
        if self.connack.take().is_some() {
            // What was not sent again yet is still owed.
            self.unfinished.append(&mut self.awaited);
            self.unfinished
                .retain(|_, awaited| !matches!(awaited, Awaited::Suback(_) | Awaited::Unsuback(_)));
        }
        self.awaited.clear();
        self.counted.clear();
        self.stray.clear();
        self.aliases.clear();
    }

    /// The process dies. What it was asked for and did not keep is nobody's any more.
    pub(super) fn restart(&mut self) -> Saved {
        self.told_connected = false;
        self.lost();
        self.tickets.clone_from(&self.told);
        self.receipts.clear();
        self.saved.clone()
    }

    /// The server says this.
    pub(super) fn heard(&mut self, packet: &Packet) {
        if self.state == State::SentConnect && self.is_connected() {
            self.answered(packet);
        }
    }

    fn answered(&mut self, packet: &Packet) {
        let (packet_id, then) = match packet {
            Packet::Puback(ack) => (ack.packet_id, None),
            Packet::Pubrec(ack) if ack.reason_code.is_error() => (ack.packet_id, None),
            Packet::Pubrec(ack) => (ack.packet_id, Some(Awaited::Pubcomp)),
            Packet::Pubcomp(ack) => (ack.packet_id, None),
            Packet::Suback(suback) => (suback.packet_id, None),
            Packet::Unsuback(unsuback) => (unsuback.packet_id, None),
            _ => return,
        };
        // What waits to be sent again, behind the quota, can be answered too.
        let awaited = self
            .awaited
            .get(&packet_id)
            .or_else(|| self.unfinished.get(&packet_id));
        let fits = matches!(
            (packet, awaited),
            (Packet::Puback(_), Some(Awaited::Puback))
                | (Packet::Pubrec(_), Some(Awaited::Pubrec))
                | (Packet::Pubcomp(_), Some(Awaited::Pubcomp))
                | (Packet::Suback(_), Some(Awaited::Suback(_)))
                | (Packet::Unsuback(_), Some(Awaited::Unsuback(_)))
        );
        let is_known = matches!(
            awaited,
            Some(Awaited::Puback | Awaited::Pubrec | Awaited::Pubcomp)
        );
        if !is_known && then.is_some() {
            self.stray.insert(packet_id);
        }
        if !fits {
            return;
        }
        self.unfinished.remove(&packet_id);
        if let Some(next) = then {
            self.awaited.insert(packet_id, next);
        } else {
            self.awaited.remove(&packet_id);
            self.counted.remove(&packet_id);
        }
    }

    /// What the application was given and has not answered.
    pub(super) const fn receipts(&mut self) -> &mut Vec<Receipt> {
        &mut self.receipts
    }

    pub(super) fn assert_all_told(&self) {
        assert_eq!(self.tickets, self.told, "every request comes to its end");
    }

    fn sent(&mut self, packet: &Packet) {
        match (self.state, packet) {
            // [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
            (State::Opened, Packet::Connect(_)) => return self.state = State::SentConnect,
            (State::SentConnect, Packet::Disconnect(_)) => return self.state = State::SentDisconnect,
            (State::SentConnect, Packet::Auth(_)) => return,
            (State::SentConnect, _) => assert!(self.is_connected(), "{packet:?} before CONNACK"),
            (state, _) => panic!("{packet:?} when {state:?}"),
        }
        match packet {
            Packet::Publish(publish) => self.published(publish),
            Packet::Pubrel(ack) if self.stray.remove(&ack.packet_id) => {}
            Packet::Pubrel(ack) => {
                self.unfinished.remove(&ack.packet_id);
                self.awaited.insert(ack.packet_id, Awaited::Pubcomp);
            }
            Packet::Subscribe(subscribe) => {
                self.check_subscribe(subscribe);
                self.begin(subscribe.packet_id, Awaited::Suback(subscribe.filters.len()));
            }
            Packet::Unsubscribe(unsubscribe) => {
                self.begin(
                    unsubscribe.packet_id,
                    Awaited::Unsuback(unsubscribe.filters.len()),
                );
            }
            Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubcomp(_) | Packet::Pingreq => {}
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => panic!("{packet:?} is not a client's to send, or not now"),
        }
    }

    // [MQTT-2.2.1-3] [v3 MQTT-2.3.1-2]
    fn begin(&mut self, packet_id: PacketId, awaited: Awaited) {
        assert_eq!(
            self.awaited.insert(packet_id, awaited),
            None,
            "{packet_id:?} is in use"
        );
        self.forget_dropped(packet_id);
        assert!(
            !self.unfinished.contains_key(&packet_id),
            "{packet_id:?} is in use by an unfinished message"
        );
    }

    /// The identifier of a message that was dropped may be used again.
    fn forget_dropped(&mut self, packet_id: PacketId) {
        if self.dropped > 0 && self.unfinished.remove(&packet_id).is_some() {
            self.dropped -= 1;
        }
    }

    fn published(&mut self, publish: &Publish) {
        self.check_permitted(publish);
        let (packet_id, awaited) = match publish.delivery {
            Delivery::AtMostOnce => return,
            Delivery::AtLeastOnce(packet_id) => (packet_id, Awaited::Puback),
            Delivery::ExactlyOnce(packet_id) => (packet_id, Awaited::Pubrec),
        };
        // [MQTT-3.3.1-1] [v3 MQTT-3.3.1-1] [MQTT-4.4.0-1] The same again, and DUP says so.
        if !publish.dup {
            self.forget_dropped(packet_id);
        }
        let before = self.unfinished.remove(&packet_id);
        assert_eq!(publish.dup, before.is_some(), "DUP of {publish:?}");
        assert!(
            before.is_none_or(|before| before == awaited),
            "{publish:?} after {before:?}"
        );
        self.begin(packet_id, awaited);
        // [MQTT-3.3.4-7]
        self.counted.insert(packet_id);
        let unfinished = self.counted.len();
        let maximum = self.receive_maximum().min(self.inflight);
        assert!(
            unfinished <= maximum,
            "{unfinished} unfinished messages, the server takes {maximum}"
        );
    }

    fn receive_maximum(&self) -> usize {
        let maximum = self
            .connack
            .as_ref()
            .and_then(|connack| connack.properties.receive_maximum());
        maximum.map_or(65_535, |maximum| maximum.get().into())
    }

    // [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-17]
    fn check_permitted(&mut self, publish: &Publish) {
        let connack = self.connack.as_ref().expect("connected");
        let qos_max = connack.properties.maximum_qos();
        let qos_max = qos_max.map_or(Qos::ExactlyOnce, |one| {
            if one { Qos::AtLeastOnce } else { Qos::AtMostOnce }
        });
        assert!(
            publish.delivery.qos() <= qos_max,
            "{publish:?} above the server's maximum QoS"
        );
        let retains = connack.properties.retain_available() != Some(false);
        assert!(
            !publish.retain || retains,
            "{publish:?} to a server that does not retain"
        );
        let Some(alias) = publish.properties.topic_alias() else {
            return assert!(publish.topic.is_some(), "a PUBLISH has a topic or an alias");
        };
        let alias_max = connack.properties.topic_alias_maximum().unwrap_or(0);
        assert!(alias.value() <= alias_max, "{alias:?} above the server's maximum");
        match &publish.topic {
            Some(topic) => drop(self.aliases.insert(alias, topic.clone())),
            None => assert!(self.aliases.contains_key(&alias), "{alias:?} stands for nothing"),
        }
    }

    fn check_subscribe(&self, subscribe: &Subscribe) {
        let properties = &self.connack.as_ref().expect("connected").properties;
        let ids = subscribe.properties.subscription_identifiers().next().is_some();
        assert!(
            !ids || properties.subscription_identifier_available() != Some(false),
            "{subscribe:?}"
        );
        for (filter, _) in &subscribe.filters {
            let wild = filter.contains(['+', '#']);
            assert!(
                !wild || properties.wildcard_subscription_available() != Some(false),
                "{subscribe:?}"
            );
            let shared = filter.share_name().is_some();
            assert!(
                !shared || properties.shared_subscription_available() != Some(false),
                "{subscribe:?}"
            );
        }
    }

    fn tell(&mut self, ticket: Ticket) {
        if ticket == Ticket::RESTORED {
            return;
        }
        assert!(self.tickets.contains(&ticket), "{ticket:?} was asked for");
        assert!(self.told.insert(ticket), "{ticket:?} has one end");
    }
}

impl Output for Wire {
    fn send(&mut self, packet: PacketRef<'_>) {
        let mut bytes = BytesMut::new();
        encode(self.version, packet, &mut bytes);
        let size = bytes.len();
        assert_eq!(encoded_len(self.version, packet), size);
        let decoded = Decoder::with_version(self.version, u32::MAX).decode(&mut bytes);
        let packet = decoded.expect("what is sent is well formed").expect("and whole");
        // [MQTT-3.2.2-15]
        let maximum = self
            .connack
            .as_ref()
            .and_then(|connack| connack.properties.maximum_packet_size());
        let maximum = maximum.map_or(usize::MAX, |maximum| maximum.get() as usize);
        assert!(
            size <= maximum,
            "{size} bytes for a server that takes {maximum}: {packet:?}"
        );
        self.sent(&packet);
    }

    fn close(&mut self) {
        assert!(
            matches!(
                self.state,
                State::Opened | State::SentConnect | State::SentDisconnect
            ),
            "an open connection is closed once, not when {:?}",
            self.state
        );
        self.state = State::Closed;
    }

    fn authenticate(&mut self, _: Authenticate) -> Result<Option<Binary>, Distrust> {
        if self.trusts { Ok(None) } else { Err(Distrust) }
    }

    fn persist(&mut self, record: Record<'_>) {
        self.saved.apply(&record);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected {
                session_present,
                connack,
            } => {
                assert!(!self.told_connected, "a connection begins once");
                self.told_connected = true;
                self.connack = Some(connack);
                if !session_present {
                    self.dropped = 0;
                    self.unfinished.clear();
                }
            }
            Event::Disconnected(_) => self.told_connected = false,
            Event::Published {
                ticket,
                result: Err(Failure::Misuse(_)),
            } => {
                self.dropped += 1;
                self.tell(ticket);
            }
            Event::Published { ticket, .. }
            | Event::Subscribed { ticket, .. }
            | Event::Unsubscribed { ticket, .. }
            | Event::Reauthenticated { ticket, .. } => {
                self.tell(ticket);
            }
            Event::Message { receipt, .. } => self.receipts.extend(receipt),
            Event::SubscriptionLost { .. } => {}
        }
    }
}
