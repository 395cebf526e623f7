//! What the broker sends, read by somebody who knows the rules of the standard that need no model of sessions.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each rule names the packets it is about"
)]

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use squall_proto::{
    ConnId, Connect, Decoder, Packet, PacketId, PacketRef, Property, Publish, ReasonCode, Text, TopicAlias,
    TopicName, Version,
    broker::{Cause, Close, Fetch, Note, Output, Question, Record},
    encode, encoded_len,
};

use super::stowed::Stowed;

/// What the broker waits for after a PUBLISH or PUBREL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Puback,
    Pubrec,
    Pubcomp,
}

/// All connections, and what is known of the sessions from the notes.
#[derive(Default)]
pub(super) struct Wires {
    open: BTreeMap<ConnId, Wire>,
    sessions: BTreeMap<Text, SessionSeen>,
    /// What is on record of messages; nothing is fetched of an owner without.
    pub(super) stowed: Option<Stowed>,
}

/// A session as the notes tell of it.
#[derive(Default)]
struct SessionSeen {
    online: Option<ConnId>,
    /// The connections with a Will whose Will has not been published.
    wills: usize,
}

/// One connection, from the client's end.
#[derive(Default)]
struct Wire {
    connect: Option<Box<Connect>>,
    connected: bool,
    said_disconnect: bool,
    closed: bool,
    unsent: usize,
    /// The owner is asked about the client; whether the connection waits for the answer.
    asked: Option<bool>,
    awaited: BTreeMap<PacketId, Awaited>,
    /// Those of `awaited` whose PUBLISH was sent on this connection: what the client's Receive Maximum counts.
    counted: BTreeSet<PacketId>,
    /// PUBREC that came for nothing: the PUBREL that answers it begins no exchange.
    stray: BTreeSet<PacketId>,
    aliases: BTreeMap<TopicAlias, TopicName>,
}

impl Wires {
    /// No connections yet, of an owner with this store.
    pub(super) fn new(stowed: Option<Stowed>) -> Self {
        Self {
            stowed,
            ..Self::default()
        }
    }

    /// Whether the connection was not open before.
    pub(super) fn open(&mut self, conn: ConnId) -> bool {
        let is_new = !self.open.contains_key(&conn);
        self.open.entry(conn).or_default();
        is_new
    }

    pub(super) fn is_open(&self, conn: ConnId) -> bool {
        self.open.contains_key(&conn)
    }

    pub(super) fn is_closed(&self, conn: ConnId) -> bool {
        self.open.get(&conn).is_some_and(|wire| wire.closed)
    }

    pub(super) fn lost(&mut self, conn: ConnId) {
        self.open.remove(&conn);
        let online = self.sessions.values().any(|session| session.online == Some(conn));
        assert!(!online, "the end of a client's connection is noted");
    }

    pub(super) fn set_unsent(&mut self, conn: ConnId, bytes: usize) {
        self.open.entry(conn).or_default().unsent = bytes;
    }

    pub(super) fn is_asked(&self, conn: ConnId) -> bool {
        self.open.get(&conn).is_some_and(|wire| wire.asked.is_some())
    }

    /// Whether nothing more may be given to the broker of this connection.
    pub(super) fn is_held(&self, conn: ConnId) -> bool {
        self.open.get(&conn).is_some_and(|wire| wire.asked == Some(true))
    }

    pub(super) fn judged(&mut self, conn: ConnId) {
        if let Some(wire) = self.open.get_mut(&conn) {
            wire.asked = None;
        }
    }

    /// Whether the client named an Authentication Method.
    pub(super) fn has_method(&self, conn: ConnId) -> bool {
        self.open.get(&conn).is_some_and(Wire::has_method)
    }

    /// What a client owes an answer on this connection.
    pub(super) fn awaited(&self, conn: ConnId) -> Vec<(PacketId, Awaited)> {
        let wire = self.open.get(&conn);
        wire.map_or_else(Vec::new, |wire| {
            wire.awaited.iter().map(|(id, awaited)| (*id, *awaited)).collect()
        })
    }

    /// The sessions there are.
    pub(super) fn sessions(&self) -> Vec<Text> {
        self.sessions.keys().cloned().collect()
    }

    /// A client says this.
    pub(super) fn heard(&mut self, conn: ConnId, packet: &Packet) {
        let Some(wire) = self.open.get_mut(&conn) else {
            return;
        };
        if let (Packet::Connect(connect), None) = (packet, &wire.connect) {
            wire.connect = Some(connect.clone());
        }
        wire.answered(packet);
    }
}

impl Wire {
    fn version(&self) -> Option<Version> {
        self.connect.as_ref().map(|connect| connect.version)
    }

    /// The client ends, or takes a step in, an exchange of the broker's.
    fn answered(&mut self, packet: &Packet) {
        let (ack, wanted, then) = match packet {
            Packet::Puback(ack) => (ack, Awaited::Puback, None),
            Packet::Pubrec(ack) if ack.reason_code.is_error() => (ack, Awaited::Pubrec, None),
            Packet::Pubrec(ack) => (ack, Awaited::Pubrec, Some(Awaited::Pubcomp)),
            Packet::Pubcomp(ack) => (ack, Awaited::Pubcomp, None),
            _ => return,
        };
        let awaited = self.awaited.get(&ack.packet_id);
        if awaited.is_none() && then.is_some() {
            self.stray.insert(ack.packet_id);
        }
        if awaited == Some(&wanted) {
            if let Some(next) = then {
                self.awaited.insert(ack.packet_id, next);
            } else {
                self.awaited.remove(&ack.packet_id);
                self.counted.remove(&ack.packet_id);
            }
        }
    }

    fn sent(&mut self, packet: &Packet) {
        match packet {
            Packet::Connack(connack) => {
                assert!(!self.connected, "CONNACK comes once");
                // [MQTT-3.1.2-28]
                let asked = self
                    .connect
                    .as_ref()
                    .and_then(|it| it.properties.request_response_information());
                let told = connack.properties.response_information().is_some();
                assert!(
                    !told || asked == Some(true),
                    "Response Information that nobody asked for"
                );
                self.connected = connack.reason_code == ReasonCode::Success;
            }
            // [MQTT-4.12.0-6]
            Packet::Auth(_) => assert!(
                self.has_method(),
                "AUTH to a client without Authentication Method"
            ),
            // [MQTT-3.14.0-1] Not before CONNACK.
            Packet::Disconnect(_) => {
                assert!(self.connected, "DISCONNECT comes after CONNACK");
                self.said_disconnect = true;
            }
            Packet::Publish(publish) => self.published(publish),
            Packet::Pubrel(ack) if self.stray.remove(&ack.packet_id) => {}
            Packet::Pubrel(ack) => {
                self.awaited.insert(ack.packet_id, Awaited::Pubcomp);
            }
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                panic!("{packet:?} is a client's to send")
            }
            Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubcomp(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp => {}
        }
        let early = matches!(packet, Packet::Connack(_) | Packet::Auth(_));
        assert!(self.connected || early, "{packet:?} before CONNACK");
        self.check_problem_information(packet);
    }

    fn has_method(&self) -> bool {
        let connect = self.connect.as_ref();
        connect.is_some_and(|connect| connect.properties.authentication_method().is_some())
    }

    // [MQTT-3.1.2-29]
    fn check_problem_information(&self, packet: &Packet) {
        let wanted = self
            .connect
            .as_ref()
            .and_then(|connect| connect.properties.request_problem_information());
        let is_allowed = matches!(
            packet,
            Packet::Publish(_) | Packet::Connack(_) | Packet::Disconnect(_)
        );
        if wanted != Some(false) || is_allowed {
            return;
        }
        let properties = match packet {
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
                &ack.properties
            }
            Packet::Suback(suback) => &suback.properties,
            Packet::Unsuback(unsuback) => &unsuback.properties,
            _ => return,
        };
        let tells =
            |property: &Property| matches!(property, Property::ReasonString(_) | Property::UserProperty(..));
        assert!(
            !properties.iter().any(tells),
            "{packet:?} tells more than was asked for"
        );
    }

    fn published(&mut self, publish: &Publish) {
        self.check_alias(publish);
        let Some((packet_id, awaited)) = Awaited::of(publish.delivery) else {
            return;
        };
        // [MQTT-2.2.1-4] [v3 MQTT-2.3.1-4]
        let before = self.awaited.insert(packet_id, awaited);
        assert_eq!(before, None, "packet identifier {packet_id:?} is in use");
        // [MQTT-3.3.4-9] A PUBREL for a PUBLISH of an earlier connection takes nothing of the quota.
        self.counted.insert(packet_id);
        let (unfinished, maximum) = (self.counted.len(), self.receive_maximum());
        assert!(
            unfinished <= maximum,
            "{unfinished} unfinished messages, the client takes {maximum}"
        );
    }

    fn receive_maximum(&self) -> usize {
        let maximum = self
            .connect
            .as_ref()
            .and_then(|connect| connect.properties.receive_maximum());
        maximum.map_or(65_535, |maximum| maximum.get().into())
    }

    // [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-8]
    fn check_alias(&mut self, publish: &Publish) {
        let Some(alias) = publish.properties.topic_alias() else {
            return assert!(publish.topic.is_some(), "a PUBLISH has a topic or an alias");
        };
        let maximum = self
            .connect
            .as_ref()
            .and_then(|connect| connect.properties.topic_alias_maximum());
        assert!(
            alias.value() <= maximum.unwrap_or(0),
            "{alias:?} is above the client's maximum"
        );
        match &publish.topic {
            Some(topic) => drop(self.aliases.insert(alias, topic.clone())),
            None => assert!(self.aliases.contains_key(&alias), "{alias:?} stands for nothing"),
        }
    }
}

impl Output for Wires {
    fn send(&mut self, to: ConnId, version: Version, packet: PacketRef<'_>) {
        let wire = self.open.get_mut(&to).expect("only open connections are sent to");
        assert!(!wire.closed, "nothing is sent after a close");
        assert!(!wire.said_disconnect, "nothing is sent after DISCONNECT");
        assert!(
            wire.version().is_none_or(|spoken| spoken == version),
            "the version is the client's"
        );

        let mut bytes = BytesMut::new();
        encode(version, packet, &mut bytes);
        let size = bytes.len();
        assert_eq!(encoded_len(version, packet), size);
        let decoded = Decoder::with_version(version, u32::MAX).decode(&mut bytes);
        let packet = decoded.expect("what is sent is well formed").expect("and whole");
        assert!(bytes.is_empty());

        // [MQTT-3.1.2-24]
        let maximum = wire
            .connect
            .as_ref()
            .and_then(|connect| connect.properties.maximum_packet_size());
        let maximum = maximum.map_or(usize::MAX, |maximum| maximum.get() as usize);
        let refuses = matches!(&packet, Packet::Connack(connack) if connack.reason_code.is_error());
        assert!(
            size <= maximum || refuses,
            "{size} bytes for a client that takes {maximum}: {packet:?}"
        );
        wire.sent(&packet);
    }

    fn close(&mut self, conn: ConnId, _: Close) {
        let wire = self
            .open
            .get_mut(&conn)
            .expect("only open connections are closed");
        assert!(!wire.closed, "a connection is closed once");
        wire.closed = true;
        wire.asked = None;
    }

    fn authenticate(&mut self, conn: ConnId, question: Question) {
        let wire = self
            .open
            .get_mut(&conn)
            .expect("only clients on open connections are judged");
        assert!(!wire.closed, "nobody is judged after a close");
        assert_eq!(
            wire.asked.replace(question.holds()),
            None,
            "one question at a time"
        );
    }

    fn persist(&mut self, record: Record<'_>) {
        if let Some(stowed) = &mut self.stowed {
            stowed.persist(&record);
        }
    }

    fn can_fetch(&self) -> bool {
        self.stowed.is_some()
    }

    fn fetch(&mut self, fetch: Fetch) {
        let stowed = self.stowed.as_mut().expect("only who can fetch is asked to");
        stowed.fetch(fetch);
    }

    fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.open.get(&conn).map_or(0, |wire| wire.unsent)
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Connected {
                conn,
                client_id,
                session_present,
                version,
            } => {
                let wire = self
                    .open
                    .get(&conn)
                    .expect("a client is connected on an open connection");
                assert_eq!(wire.version(), Some(version));
                let has_will = wire
                    .connect
                    .as_ref()
                    .is_some_and(|connect| connect.will.is_some());
                assert_eq!(
                    self.sessions.contains_key(&client_id),
                    session_present,
                    "session present of {client_id:?}"
                );
                let session = self.sessions.entry(client_id).or_default();
                assert_eq!(session.online.replace(conn), None, "a session has one connection");
                session.wills = usize::from(has_will);
            }
            Note::Disconnected {
                conn,
                client_id,
                cause,
            } => {
                let session = self
                    .sessions
                    .get_mut(&client_id)
                    .expect("only sessions have connections");
                assert_eq!(session.online.take(), Some(conn), "{client_id:?} was connected");
                // [MQTT-3.14.4-3] [v3 MQTT-3.14.4-3]
                if cause == Cause::Disconnect(ReasonCode::Success) {
                    session.wills = 0;
                }
            }
            Note::SessionEnded { client_id } => {
                let session = self.sessions.remove(&client_id).expect("a session ends once");
                assert_eq!(session.online, None, "it has no connection");
                // [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8] Whatever the delay, the Will comes before the session is gone.
                assert_eq!(session.wills, 0, "its Will is published");
            }
            Note::WillPublished { client_id, .. } => {
                let session = self
                    .sessions
                    .get_mut(&client_id)
                    .expect("a session's Will comes before its end");
                assert_eq!(session.online, None, "its connection has ended");
                assert_eq!(session.wills, 1, "a Will comes once");
                session.wills = 0;
            }
            _ => {}
        }
    }
}
