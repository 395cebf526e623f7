//! What the standard permits a broker, and what it owes, in terms of what its clients can see.
//!
//! An input changes the model at once and leaves behind what is owed for it: answers to a connection, messages to a session.
//! Each packet the broker sends then has to be one that is owed and whose turn it is; after the input nothing owed may be left
//! that could have been sent. Where the standard leaves a choice the model takes any, or says here which one Squall documents.
//!
//! `connect` and `end` are the life of connections and sessions, `publish` and `subscribe` what comes from clients, `deliver`
//! what goes to them, `share` which member
//! of a group gets it, `answer` the answers they get.

mod answer;
mod connect;
mod deliver;
mod end;
mod message;
mod publish;
mod share;
mod subscribe;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    time::Duration,
};

use squall_proto::{
    ConnId, DecodeError, Instant, Packet, ReasonCode, SubscriptionOptions, TopicName, Version, broker::Limits,
};

use self::{
    end::Ending,
    message::{InFlight, Owed, Retained, Will},
    share::Share,
};
use super::script::Unsent;

pub(crate) struct Model {
    limits: Limits,
    now: Instant,
    connections: BTreeMap<ConnId, Connection>,
    /// By Client Identifier.
    sessions: BTreeMap<String, Session>,
    /// By Topic Name.
    retained: BTreeMap<String, Retained>,
    /// Client Identifiers the broker has assigned.
    assigned: BTreeSet<String>,
    /// Clients that came without one.
    anonymous: usize,
    /// Connections that are to be closed in any order, because the broker stops.
    stopping: BTreeSet<ConnId>,
    /// Messages of shared subscriptions that nobody got yet.
    shares: Vec<Rc<Share>>,
}

struct Connection {
    phase: Phase,
    version: Version,
    /// The session, once CONNECT has come.
    client_id: String,
    /// What is owed to the client in this order; any of each list is right.
    answers: VecDeque<Vec<Packet>>,
    last_packet_at: Instant,
    silence_max: Option<Duration>,
    packet_size_max: usize,
    /// PUBLISH packets at QoS 1 and 2 that may be sent now.
    quota: u16,
    quota_max: u16,
    /// QoS 2 messages that came on this connection and are not released.
    unreleased: u16,
    aliases_of_client: BTreeMap<u16, TopicName>,
    aliases_of_broker: BTreeMap<u16, TopicName>,
    topic_alias_maximum: u16,
    unsent: Unsent,
}

enum Phase {
    AwaitingConnect,
    Connected,
    Ending(Ending),
    Closed,
}

#[derive(Default)]
struct Session {
    connection: Option<ConnId>,
    /// `None` is for ever.
    expiry: Option<Duration>,
    /// While there is no connection.
    expires_at: Option<Instant>,
    will: Option<Will>,
    /// When the Will is published, once the connection has ended.
    will_at: Option<Instant>,
    subscriptions: BTreeMap<String, Subscription>,
    /// Messages for it that were not sent yet, oldest first.
    owed: Vec<Owed>,
    /// QoS 1 and 2 messages under way to it, in the order they were sent first.
    in_flight: Vec<InFlight>,
    /// Packet Identifiers of the client's QoS 2 messages that are not released.
    unreleased: BTreeSet<u16>,
}

#[derive(Clone, Copy)]
struct Subscription {
    options: SubscriptionOptions,
    id: Option<u32>,
}

/// What came from a connection.
pub(crate) enum Heard<'a> {
    Packet(&'a Packet),
    Malformed(DecodeError),
}

impl Model {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: Instant::ZERO,
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            retained: BTreeMap::new(),
            assigned: BTreeSet::new(),
            anonymous: 0,
            stopping: BTreeSet::new(),
            shares: Vec::new(),
        }
    }

    pub(crate) fn opened(&mut self, now: Instant, conn: ConnId) {
        self.now = now;
        self.connections.insert(conn, Connection::new(now));
    }

    pub(crate) fn heard(&mut self, now: Instant, conn: ConnId, heard: &Heard<'_>) {
        self.now = now;
        let connection = &self.connections[&conn];
        match (&connection.phase, heard) {
            (Phase::AwaitingConnect, Heard::Packet(Packet::Connect(connect))) => self.connect(conn, connect),
            // [MQTT-3.1.2-2] [v3 MQTT-3.1.2-2] Squall tells a client of an unknown version.
            (Phase::AwaitingConnect, Heard::Malformed(DecodeError::UnsupportedProtocolLevel(_))) => {
                self.refuse_version(conn);
            }
            // Closed without CONNACK.
            (Phase::AwaitingConnect, Heard::Packet(_) | Heard::Malformed(_)) => self.end(conn, &[], false),
            (Phase::Connected, Heard::Malformed(error)) => self.malformed(conn, *error),
            (Phase::Connected, Heard::Packet(packet)) => self.received(conn, packet),
            (Phase::Ending(_) | Phase::Closed, _) => {}
        }
    }

    fn received(&mut self, conn: ConnId, packet: &Packet) {
        let connection = self.connection(conn);
        if connection.unsent == Unsent::TooMuch {
            return self.end(conn, &[ReasonCode::QuotaExceeded], true);
        }
        let now = self.now;
        self.connection(conn).last_packet_at = now;
        match packet {
            Packet::Publish(publish) => self.publish(conn, publish),
            Packet::Puback(ack) => self.answered(conn, packet, ack),
            Packet::Pubrec(ack) => self.answered(conn, packet, ack),
            Packet::Pubcomp(ack) => self.answered(conn, packet, ack),
            Packet::Pubrel(ack) => self.released(conn, ack),
            Packet::Subscribe(subscribe) => self.subscribe(conn, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(conn, unsubscribe),
            // [MQTT-3.12.4-1] [v3 MQTT-3.12.4-1]
            Packet::Pingreq => self.owe(conn, vec![Packet::Pingresp]),
            Packet::Disconnect(disconnect) => self.disconnected(conn, disconnect),
            // [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2] A second CONNECT, what only a server says, AUTH without a method.
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp
            | Packet::Auth(_) => self.end(conn, &[ReasonCode::ProtocolError], true),
        }
    }

    /// [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
    fn malformed(&mut self, conn: ConnId, error: DecodeError) {
        let codes = match error {
            DecodeError::PacketTooLarge { .. } => vec![ReasonCode::PacketTooLarge],
            _ => vec![
                ReasonCode::MalformedPacket,
                ReasonCode::ProtocolError,
                ReasonCode::TopicAliasInvalid,
            ],
        };
        self.end(conn, &codes, true);
    }

    pub(crate) fn unsent(&mut self, now: Instant, conn: ConnId, unsent: Unsent) {
        self.now = now;
        self.connection(conn).unsent = unsent;
    }

    /// The earliest moment at which something has to happen by itself.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let connections = self
            .connections
            .values()
            .filter_map(|connection| match connection.phase {
                Phase::AwaitingConnect => Some(connection.last_packet_at + self.limits.connect_timeout),
                // [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
                Phase::Connected => connection.silence_max.map(|max| connection.last_packet_at + max),
                Phase::Ending(_) | Phase::Closed => None,
            });
        let sessions = self
            .sessions
            .values()
            .filter(|session| session.connection.is_none());
        let sessions = sessions
            .flat_map(|session| [session.expires_at, session.will_at])
            .flatten();
        connections.chain(sessions).min()
    }

    /// Time has come to this.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
        let silent: Vec<ConnId> = self.silent().collect();
        for conn in silent {
            self.end(
                conn,
                &[ReasonCode::KeepAliveTimeout, ReasonCode::UnspecifiedError],
                true,
            );
        }
        let offline = self
            .sessions
            .iter()
            .filter(|(_, session)| session.connection.is_none());
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let due = offline.filter(|(_, session)| is_due(session.expires_at) || is_due(session.will_at));
        let due: Vec<String> = due.map(|(client_id, _)| client_id.clone()).collect();
        for client_id in due {
            // [MQTT-3.1.2-8] [MQTT-3.1.2-23] The Will comes with its delay or the end of the session, whichever is first.
            self.publish_will(&client_id);
            if is_due(self.sessions[&client_id].expires_at) {
                self.forget(&client_id);
            }
        }
    }

    fn silent(&self) -> impl Iterator<Item = ConnId> {
        let now = self.now;
        let connect_timeout = self.limits.connect_timeout;
        self.connections.iter().filter_map(move |(conn, connection)| {
            let deadline = match connection.phase {
                Phase::AwaitingConnect => connection.last_packet_at + connect_timeout,
                Phase::Connected => connection.last_packet_at + connection.silence_max?,
                Phase::Ending(_) | Phase::Closed => return None,
            };
            (deadline <= now).then_some(*conn)
        })
    }

    fn connection(&mut self, conn: ConnId) -> &mut Connection {
        self.connections.get_mut(&conn).expect("the connection is open")
    }

    /// The session of a connection.
    fn session(&mut self, conn: ConnId) -> &mut Session {
        let client_id = &self.connections[&conn].client_id;
        self.sessions
            .get_mut(client_id)
            .expect("a connection that was made has a session")
    }
}
