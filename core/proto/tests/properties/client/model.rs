//! What the standard permits a client, and what it owes its server and its application.
//!
//! An input changes the model at once and leaves behind what is owed for it: packets, and events. Each packet and each event then
//! has to be one that is owed and whose turn it is; after the input nothing owed may be left that could have been sent. Where
//! the standard leaves a choice the model takes any, or says here which one Squall documents.
//!
//! `connect` is the life of a connection, `publish` what goes out, `receive` what comes in, `request` the subscriptions, `check`
//! how packets and events are held to all that.

mod check;
mod connect;
mod publish;
mod receive;
mod request;

use std::{collections::BTreeMap, time::Duration};

use squall_proto::{
    Instant, Packet, PacketId, Qos, ReasonCode, TopicName, Version,
    client::{Event, Options},
};

use self::{
    connect::{Ending, Limits},
    publish::{InFlight, Waiting},
    receive::Received,
    request::{Granted, Renewal, Request},
};

pub(crate) struct Model {
    options: Options,
    now: Instant,
    phase: Phase,
    /// Whether the client may believe that the server has a session of it.
    session: Standing,
    /// Messages that were not sent yet, in order.
    waiting: Vec<Waiting>,
    /// QoS 1 and 2 messages that were sent and are not finished, in the order they were sent first.
    in_flight: Vec<InFlight>,
    /// QoS 1 and 2 messages from the server that are not finished, in order.
    received: Vec<Received>,
    /// PUBLISH packets of this connection that PUBACK or PUBREC is owed for, in order.
    due: Vec<(PacketId, Qos)>,
    /// What the application asked for and has no answer to, in order.
    requests: Vec<Request>,
    /// What SUBACK granted, by filter.
    granted: BTreeMap<String, Granted>,
    /// Filters that were granted, and are asked for again.
    renewals: BTreeMap<String, Renewal>,
    /// Packets that are owed in this order.
    answers: Vec<Packet>,
    /// Events that are owed in any order.
    events: Vec<Event>,
}

enum Phase {
    Offline,
    /// CONNECT is owed, and then CONNACK.
    Connecting {
        connect_sent: bool,
        opened: Instant,
        deadline: Instant,
    },
    Connected(Connection),
    Ending(Ending),
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Kept,
    Ended,
}

struct Connection {
    limits: Limits,
    session_outlives_it: bool,
    keep_alive: Option<Duration>,
    last_sent: Instant,
    last_received: Instant,
    ping_is_due: bool,
    pingresp_deadline: Option<Instant>,
    /// PUBLISH packets at QoS 1 and 2 that may be sent now.
    quota: u16,
    aliases_of_server: BTreeMap<u16, TopicName>,
    aliases_of_client: BTreeMap<u16, TopicName>,
}

/// What comes from the server.
pub(crate) enum Heard<'a> {
    Packet(&'a Packet),
    Malformed,
}

impl Model {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            now: Instant::ZERO,
            phase: Phase::Offline,
            session: Standing::Unknown,
            waiting: Vec::new(),
            in_flight: Vec::new(),
            received: Vec::new(),
            due: Vec::new(),
            requests: Vec::new(),
            granted: BTreeMap::new(),
            renewals: BTreeMap::new(),
            answers: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn heard(&mut self, now: Instant, heard: &Heard<'_>) {
        self.now = now;
        match (&mut self.phase, heard) {
            (Phase::Offline | Phase::Ending(_) | Phase::Closed, _) => {}
            (Phase::Connecting { .. } | Phase::Connected(_), Heard::Malformed) => self.malformed(),
            (Phase::Connecting { .. }, Heard::Packet(Packet::Connack(connack))) => self.connack(connack),
            // [MQTT-3.2.0-1] [MQTT-3.14.0-1] [v3 MQTT-3.2.0-1]
            (Phase::Connecting { .. }, Heard::Packet(_)) => self.violated(&[ReasonCode::ProtocolError]),
            (Phase::Connected(connection), Heard::Packet(packet)) => {
                connection.last_received = now;
                self.packet(packet);
            }
        }
    }

    fn packet(&mut self, packet: &Packet) {
        match packet {
            Packet::Publish(publish) => self.receive(publish),
            Packet::Pubrel(ack) => self.released(ack.packet_id),
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) => self.answered(packet, ack),
            Packet::Suback(suback) => self.suback(suback),
            Packet::Unsuback(unsuback) => self.unsuback(unsuback),
            Packet::Pingresp => {
                if let Phase::Connected(connection) = &mut self.phase {
                    connection.pingresp_deadline = None;
                }
            }
            Packet::Disconnect(disconnect) => self.server_disconnects(disconnect),
            // [MQTT-3.2.0-2] A second CONNACK, and what only clients say.
            Packet::Connack(_)
            | Packet::Auth(_)
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq => self.violated(&[ReasonCode::ProtocolError]),
        }
    }

    /// The earliest moment at which something has to happen by itself.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let of_connection = match &self.phase {
            Phase::Connecting { deadline, .. } => Some(*deadline),
            Phase::Connected(connection) => [connection.ping_due(), connection.pingresp_deadline]
                .into_iter()
                .flatten()
                .min(),
            Phase::Offline | Phase::Ending(_) | Phase::Closed => None,
        };
        let expiries = self.waiting.iter().filter_map(|waiting| waiting.expires_at);
        of_connection.into_iter().chain(expiries).min()
    }

    /// Time has come to this.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
        self.expire();
        match &mut self.phase {
            Phase::Connecting { deadline, .. } if *deadline <= now => {
                self.end(Ending::silent(squall_proto::client::Why::ConnackTimeout));
            }
            Phase::Connected(connection) => {
                if connection
                    .pingresp_deadline
                    .is_some_and(|deadline| deadline <= now)
                {
                    self.end(Ending::silent(squall_proto::client::Why::PingrespTimeout));
                } else if connection.ping_due().is_some_and(|due| due <= now) {
                    connection.ping_is_due = true;
                }
            }
            Phase::Offline | Phase::Connecting { .. } | Phase::Ending(_) | Phase::Closed => {}
        }
    }

    fn version(&self) -> Version {
        self.options.version
    }

    const fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected(_))
    }
}

impl Connection {
    // [MQTT-3.1.2-20] [v3 MQTT-3.1.2-23] Nothing sent for a Keep Alive; Squall asks too when nothing was heard for as long.
    fn ping_due(&self) -> Option<Instant> {
        let silent_since = match self.pingresp_deadline {
            Some(_) => self.last_sent,
            None => self.last_sent.min(self.last_received),
        };
        self.keep_alive.map(|keep_alive| silent_since + keep_alive)
    }

    fn takes_qos(&self, qos: Qos) -> bool {
        qos <= self.limits.maximum_qos
    }
}
