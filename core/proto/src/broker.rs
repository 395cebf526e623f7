//! The broker: every rule that binds a server, as one state machine that does no I/O.
//!
//! Whoever owns the sockets calls [`Broker::handle`] with what happened and an [`Output`] that takes what follows from it,
//! and calls it with [`Input::Tick`] when [`Broker::next_deadline`] has come.
//!
//! In reading order: `connections`, `authentication`, `session`, `session_expiry` and `will` are the state, each a machine as a
//! table; `connect`, `authenticate`, `publish`, `acknowledge`, `subscribe` and `end` are what clients do; `deliver` is what they
//! get, through the window and queue of `outbound`; `administer` is what the owner does to clients, `announce` what it says to them; `shared`, `retained` and `deadlines` are what the broker keeps beside its
//! sessions; `record`, `saved` and `restore` are what outlives its process, `keep` knows how much of that is on record, `stowed` what is there alone, and `stalled` what is refused while nothing can be put there; `limits` and
//! `note` are what its owner sees, `question` what it is asked.

mod acknowledge;
mod administer;
mod announce;
mod authenticate;
mod authentication;
mod client_id;
mod connack;
mod connect;
mod connections;
mod counts;
mod deadlines;
mod deliver;
mod end;
mod explain;
mod keep;
mod limits;
mod message;
mod note;
mod outbound;
mod publish;
mod question;
mod queue;
mod rate;
mod record;
mod refusal;
mod restore;
mod retained;
mod rules;
mod saved;
mod sent_aliases;
mod session;
mod session_expiry;
mod settings;
mod shared;
mod stalled;
mod stowed;
mod subscribe;
mod will;

#[cfg(test)]
mod machine_table;

use alloc::{sync::Arc, vec::Vec};

use bytes::Bytes;
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use slab::Slab;

pub use administer::Administration;
pub use counts::{Counts, Sizes};
pub use limits::{Limits, SharedDistribution};
pub use note::{Cause, Drop, Note};
pub use publish::Subscription;
pub use question::{Credentials, Judgement, Question};
pub use record::{Content, Owed, Record, SharedBy};
pub use refusal::Refusal;
pub use rules::{Rule, Rules};
pub use saved::Saved;
pub use settings::{Settings, Told};
pub use stowed::{Fetch, Fetched};

use self::{
    authenticate::Applicant,
    connections::{Connection, Connections},
    deadlines::Deadlines,
    keep::Numbers,
    publish::Match,
    rate::Rate,
    retained::Retained,
    session::{Session, SessionKey},
    shared::SharedSubscriptions,
    stowed::Room,
};
use crate::{
    ConnId, DecodeError, Instant, Packet, PacketRef, PacketType, Properties, ReasonCode, SubscriptionTree,
    Text, TopicName, Version, Violation, exchange::Answer,
};

/// The server's side of the protocol, for all its connections and sessions.
#[derive(Debug)]
pub struct Broker {
    limits: Limits,
    rules: Rules,
    told: Told,
    seed: u64,
    hasher: FixedState,
    connections: Connections,
    rate: Rate,
    /// Whether the owner judges who clients are.
    authenticates: bool,
    /// Who waits to be judged.
    applicants: Slab<Applicant>,
    sessions: Slab<Session>,
    by_client_id: HashMap<Text, SessionKey, FixedState>,
    subscriptions: SubscriptionTree<Subscription>,
    shared: SharedSubscriptions,
    /// Subscriptions of all sessions, shared ones too.
    subscribed: usize,
    retained: Retained,
    /// What the owner has announced.
    announced: Retained,
    deadlines: Deadlines,
    /// Client Identifiers that are not let in: as many as the owner has barred.
    barred: HashSet<Text, FixedState>,
    /// Client Identifiers assigned so far.
    assigned: u64,
    /// What records name things by.
    numbers: Numbers,
    /// How much of what waits is in memory.
    room: Arc<Room>,
    /// Whether records cannot be kept for now.
    stalled: bool,
    /// Messages routed so far.
    routings: u64,
    /// Kept for its memory alone; empty between inputs.
    matches: Vec<Match>,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A Network Connection was accepted. The `ConnId` is free: never used, or lost since.
    Opened(ConnId),
    /// A whole packet came.
    Received(ConnId, Packet),
    /// Bytes came that are no packet. Nothing more is read from this connection.
    Malformed(ConnId, DecodeError),
    /// The answer to the last [`Output::authenticate`] of a connection. One that nobody waits for any more is passed over.
    Judged(ConnId, Judgement),
    /// The unsent bytes of a connection fell to zero, after a send had found them above [`Limits::unsent_bytes_soft`].
    Flushed(ConnId),
    /// The Network Connection is gone: the peer closed it, it broke, or a [`Output::close`] was carried out. Always the last
    /// input of a connection; afterwards its `ConnId` is free.
    Lost(ConnId),
    /// An administrator does something to a client.
    Administer(Administration),
    /// The owner says something of the broker, such as what it has done so far: whoever is subscribed to it is sent it at QoS 0, whoever
    /// subscribes later gets the last of its topic. As many topics as the owner has are kept.
    Announce(TopicName, Bytes),
    /// Records cannot be kept for now: the disk is full, or fails. Until [`Input::StoreRecovered`] the broker refuses what needs one: with
    /// 0x97, or by closing where 3.1.1 has no word for it. Records that cannot be helped (of acknowledgements that come, of connections
    /// that end, of Wills) are put out all the same, no more than there is of these; what depends on them does not leave, as ever.
    StoreFailed,
    /// They can again, and all that were put out are.
    StoreRecovered,
    /// The answer to an [`Output::fetch`]: what the store has of these messages, after all records put out before were committed.
    Fetched(Fetch, Vec<Fetched>),
    /// Time passed: the deadline has come.
    Tick,
    /// The broker is to stop: every connection is told and closed.
    Shutdown,
}

/// Takes what follows from an input, in causal order.
pub trait Output {
    /// Sends a packet on a connection, encoded for this version.
    fn send(&mut self, to: ConnId, version: Version, packet: PacketRef<'_>);
    /// Closes a connection after what was sent on it; [`Input::Lost`] follows when that is done. Packets that still arrive on
    /// it are not wanted.
    fn close(&mut self, conn: ConnId, close: Close);
    /// What has changed of that which a restarted broker needs; see [`Record`] for when it has to be on stable storage.
    fn persist(&mut self, _record: Record<'_>) {}
    /// Whether it [fetches](Output::fetch): what waits for sessions on record is not all in memory then.
    fn can_fetch(&self) -> bool {
        false
    }
    /// Messages are wanted that records have named, to be sent: one fetch of a session at a time. Only of an owner that
    /// [can](Output::can_fetch), who answers each with [`Input::Fetched`].
    fn fetch(&mut self, _fetch: Fetch) {}
    /// Asks who a client is; only of the owner of a broker that [authenticates](Broker::authenticating). Where the question
    /// [holds](Question::holds) the connection, the owner gives nothing that comes on it before it has answered, and then what
    /// came in between. An owner that does not answer has the client refused when [`Limits::connect_timeout`] is over.
    fn authenticate(&mut self, _conn: ConnId, _question: Question) {}
    /// How many bytes sent on this connection have not been taken by the network yet.
    fn unsent_bytes(&self, conn: ConnId) -> usize;
    /// What happened, for logs and metrics.
    fn note(&mut self, note: Note);
}

/// Why the broker closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The client said DISCONNECT.
    Disconnected,
    /// The broker ends it, for this reason. A 5.0 client that got as far as CONNACK has been told.
    Refused(ReasonCode),
}

impl Broker {
    /// An empty broker. `seed` decides the Client Identifiers it assigns and the hashing of names; nothing else.
    pub fn new(settings: impl Into<Settings>, seed: u64) -> Self {
        let Settings { limits, rules, told } = settings.into();
        let hasher = FixedState::with_seed(seed);
        let room = Arc::new(Room::new(limits.queue_in_memory));
        Self {
            limits,
            rules,
            told,
            seed,
            connections: Connections::default(),
            rate: Rate::default(),
            authenticates: false,
            applicants: Slab::new(),
            sessions: Slab::new(),
            by_client_id: HashMap::with_hasher(hasher.clone()),
            subscriptions: SubscriptionTree::new(seed),
            shared: SharedSubscriptions::new(seed),
            subscribed: 0,
            retained: Retained::default(),
            announced: Retained::default(),
            deadlines: Deadlines::default(),
            barred: HashSet::with_hasher(hasher.clone()),
            assigned: 0,
            numbers: Numbers::default(),
            room,
            stalled: false,
            routings: 0,
            matches: Vec::new(),
            hasher,
        }
    }

    /// As [`Broker::new`], with an owner who is asked about every client before anything becomes of its CONNECT. Without one a
    /// CONNECT with an Authentication Method is refused, and User Name and Password are nobody's business.
    pub fn authenticating(settings: impl Into<Settings>, seed: u64) -> Self {
        Self {
            authenticates: true,
            ..Self::new(settings, seed)
        }
    }

    /// Handles one input at the moment `now`, which never goes back.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut impl Output) {
        match input {
            Input::Opened(conn) => self.opened(now, conn),
            Input::Received(conn, packet) => self.received(now, conn, packet, out),
            Input::Malformed(conn, error) => self.malformed(now, conn, error, out),
            Input::Flushed(conn) => {
                if let Connection::Active(key) = self.connections.state(conn) {
                    self.pump(now, key, out);
                }
            }
            Input::Judged(conn, judgement) => self.judged(now, conn, judgement, out),
            Input::Lost(conn) => self.lost(now, conn, out),
            Input::Administer(what) => self.administer(now, what, out),
            Input::Announce(topic, payload) => self.announce(now, topic, payload, out),
            Input::StoreFailed => self.stalled = true,
            Input::StoreRecovered => self.stalled = false,
            Input::Fetched(fetch, found) => self.fetched(now, fetch, found, out),
            Input::Tick => self.tick(now, out),
            Input::Shutdown => self.shutdown(now, out),
        }
    }

    /// When [`Input::Tick`] is next wanted. May be early, never late.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    fn received(&mut self, now: Instant, conn: ConnId, packet: Packet, out: &mut impl Output) {
        match self.connections.state(conn) {
            Connection::AwaitingConnect { .. } => {
                let packet_type = packet.packet_type();
                let Packet::Connect(connect) = packet else {
                    // [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
                    let cause = Cause::Violation(Violation::NotConnected(packet_type));
                    return self.abandon(conn, cause, out);
                };
                self.connect(now, conn, *connect, out);
            }
            Connection::Authenticating { applicant, .. } => {
                self.received_from_applicant(conn, applicant, packet, out);
            }
            Connection::Active(key) => self.received_from(now, key, conn, packet, out),
            Connection::Free | Connection::Closing => {}
        }
    }

    fn received_from(
        &mut self,
        now: Instant,
        key: SessionKey,
        conn: ConnId,
        packet: Packet,
        out: &mut impl Output,
    ) {
        if let Some(online) = self.session_mut(key).online_mut() {
            online.last_packet_at = now;
        }
        if self.is_overfull(conn, out) {
            return self.refuse(now, key, Cause::SlowReader, out);
        }
        if packet
            .properties()
            .is_some_and(|properties| self.has_too_many(properties))
        {
            return self.violated(now, key, Violation::TooManyUserProperties, out);
        }
        match packet {
            Packet::Publish(publish) => self.publish(now, key, publish, out),
            Packet::Puback(ack) => self.answered(now, key, &ack, Answer::Puback, out),
            Packet::Pubrec(ack) if ack.reason_code.is_error() => {
                self.answered(now, key, &ack, Answer::PubrecRefused, out);
            }
            Packet::Pubrec(ack) => self.answered(now, key, &ack, Answer::Pubrec, out),
            Packet::Pubrel(ack) => self.pubrel(now, key, &ack, out),
            Packet::Pubcomp(ack) => self.answered(now, key, &ack, Answer::Pubcomp, out),
            Packet::Subscribe(subscribe) => self.subscribe(now, key, subscribe, out),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(now, key, &unsubscribe, out),
            // [MQTT-3.12.4-1] [v3 MQTT-3.12.4-1]
            Packet::Pingreq => {
                self.send(now, key, &Packet::Pingresp, out);
            }
            Packet::Disconnect(disconnect) => self.disconnected(now, key, &disconnect, out),
            // [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2]
            Packet::Connect(_) => self.violated(now, key, Violation::SecondConnect, out),
            Packet::Auth(auth) => self.authenticate_again(now, key, conn, &auth, out),
            Packet::Connack(_) => self.wrong_direction(now, key, PacketType::Connack, out),
            Packet::Suback(_) => self.wrong_direction(now, key, PacketType::Suback, out),
            Packet::Unsuback(_) => self.wrong_direction(now, key, PacketType::Unsuback, out),
            Packet::Pingresp => self.wrong_direction(now, key, PacketType::Pingresp, out),
        }
    }

    fn wrong_direction(
        &mut self,
        now: Instant,
        key: SessionKey,
        packet_type: PacketType,
        out: &mut impl Output,
    ) {
        self.violated(now, key, Violation::WrongDirection(packet_type), out);
    }

    fn malformed(&mut self, now: Instant, conn: ConnId, error: DecodeError, out: &mut impl Output) {
        match self.connections.state(conn) {
            Connection::AwaitingConnect { .. } => self.malformed_connect(conn, error, out),
            Connection::Authenticating { applicant, .. } => {
                self.refuse_applicant(conn, applicant, Cause::Malformed(error), out);
            }
            // [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2] Whatever else is wrong with it.
            Connection::Active(key) if error.is_of_connect() => {
                self.violated(now, key, Violation::SecondConnect, out);
            }
            Connection::Active(key) => self.refuse(now, key, Cause::Malformed(error), out),
            Connection::Free | Connection::Closing => {}
        }
    }

    /// That of a session's connection; of a session without one, the newest.
    fn version(&self, key: SessionKey) -> Version {
        self.session(key)
            .online()
            .map_or(Version::V5, |online| online.version)
    }

    fn session(&self, key: SessionKey) -> &Session {
        self.sessions
            .get(key.0 as usize)
            .expect("a session's key is dropped with it")
    }

    fn session_mut(&mut self, key: SessionKey) -> &mut Session {
        self.sessions
            .get_mut(key.0 as usize)
            .expect("a session's key is dropped with it")
    }
}

impl Broker {
    /// Whether there are more User Properties than a packet may have.
    fn has_too_many(&self, properties: &Properties) -> bool {
        let max = self.limits.user_properties;
        properties.len() > max && properties.user_properties().count() > max
    }
}

/// Whether a Topic Name or Topic Filter has more than `max` levels.
fn has_more_levels(topic: &str, max: usize) -> bool {
    topic.len() >= max && topic.split('/').nth(max).is_some()
}
