//! The client: every rule that binds a client, as one state machine that does no I/O.
//!
//! Whoever owns the Network Connection calls [`Client::handle`] with what happened and an [`Output`] that takes what follows
//! from it, and calls it with [`Input::Tick`] when [`Client::next_deadline`] has come. One client lives through many
//! connections: its session, what waits to be sent and what waits for an acknowledgement stay with it.
//!
//! In reading order: [`Options`] and the CONNECT they make, `phase` (the life of a connection as a table), `resume` (CONNACK, and what a kept or lost session means),
//! `queue`, `pending` and `outbound` (what waits, and the send quota), `answers` (acknowledgements), `inbound` (PUBLISH and PUBREL from the server),
//! `end` (how a connection ends), `session` (what outlives it), `connection` (what does not), `record` and `restore` (what outlives the process).
//!
//! ```
//! use squall_proto::{
//!     Connack, Instant, Packet, PacketRef, PacketType, Properties, Qos, ReasonCode, Text, TopicName, Version,
//!     client::{Client, Event, Input, Message, Options, Output, Ticket},
//! };
//!
//! #[derive(Default)]
//! struct Seen(Vec<PacketType>, Vec<Event>);
//!
//! impl Output for Seen {
//!     fn send(&mut self, packet: PacketRef<'_>) {
//!         if let PacketRef::Packet(packet) = packet {
//!             self.0.push(packet.packet_type());
//!         }
//!     }
//!     fn close(&mut self) {}
//!     fn event(&mut self, event: Event) {
//!         self.1.push(event);
//!     }
//! }
//!
//! let mut seen = Seen::default();
//! let mut client = Client::new(Options::new(Version::V5, Text::new("thermometer")?))?;
//! let hello = Message::new(TopicName::new("room/temperature")?, "21".into(), Qos::AtMostOnce);
//! client.handle(Instant::ZERO, Input::Publish(Ticket(1), hello), &mut seen);
//! client.handle(Instant::ZERO, Input::Opened, &mut seen);
//! let accepted = Connack { session_present: false, reason_code: ReasonCode::Success, properties: Properties::new() };
//! client.handle(Instant::ZERO, Input::Received(Packet::Connack(accepted)), &mut seen);
//! assert_eq!(seen.0, [PacketType::Connect, PacketType::Publish]);
//! assert!(matches!(seen.1.last(), Some(Event::Published { ticket: Ticket(1), result: Ok(ReasonCode::Success) })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alias;
mod answers;
mod authenticate;
mod authentication;
mod connection;
mod end;
mod event;
mod inbound;
mod message;
mod misuse;
mod options;
mod outbound;
mod pending;
mod phase;
mod problem_information;
mod properties;
mod queue;
mod receipt;
mod record;
mod request;
mod restore;
mod resume;
mod session;

pub use authenticate::{Authenticate, Distrust, NotReauthenticated};
pub use event::{Event, Failure, Ticket, Why};
pub use message::{Message, Subscription, Unsubscription};
pub use misuse::Misuse;
pub use options::{Options, Resubscribe, SessionLost};
pub use queue::{AtMostOnceOffline, Overflow};
pub use receipt::{Acknowledge, Receipt, Refusal};
pub use record::{Record, Saved};

use alloc::boxed::Box;

use self::{
    authentication::Authentication,
    connection::Connection,
    phase::{Phase, Step},
    queue::Queue,
    session::Session,
};
use crate::{Binary, DecodeError, Disconnect, Instant, Packet, PacketRef, Version, Violation};

/// The client's side of the protocol, through all its connections.
#[derive(Debug)]
pub struct Client {
    options: Options,
    session: Session,
    queue: Queue,
    state: State,
    authentication: Authentication,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The Network Connection was made. There is none yet.
    Opened,
    /// A whole packet came.
    Received(Packet),
    /// Bytes came that are no packet. Nothing more is read from this connection.
    Malformed(DecodeError),
    /// The Network Connection is gone: the server closed it, it broke, or an [`Output::close`] was carried out. Always the last
    /// input of a connection.
    Lost,
    /// The application publishes a message.
    Publish(Ticket, Message),
    /// The application subscribes.
    Subscribe(Ticket, Subscription),
    /// The application unsubscribes.
    Unsubscribe(Ticket, Unsubscription),
    /// The application takes a message, or refuses it; see [`Acknowledge::Manual`]. In 3.1.1, which has no word for a refusal, the
    /// message is acknowledged all the same.
    Acknowledge(Receipt, Result<(), Refusal>),
    /// The application authenticates again, on a connection that began with an Authentication Method.
    Reauthenticate(Ticket),
    /// The application ends the connection, with this DISCONNECT; see [`Options::check_disconnect`]. 3.1.1 has no word for any Reason Code
    /// but Success: the connection is then closed without DISCONNECT, and the server publishes the Will.
    Disconnect(Disconnect),
    /// Time passed: the deadline has come.
    Tick {
        /// Whether the owner reads what the server sends. While it does not, because the application does not take its events,
        /// the server is not blamed for a missing PINGRESP.
        reading: bool,
    },
}

/// Takes what follows from an input, in causal order.
pub trait Output {
    /// Sends a packet.
    fn send(&mut self, packet: PacketRef<'_>);
    /// Closes the connection after what was sent; [`Input::Lost`] follows when that is done.
    fn close(&mut self);
    /// Asks for Authentication Data; only where [`Options`] name an Authentication Method.
    fn authenticate(&mut self, _asked: Authenticate) -> Result<Option<Binary>, Distrust> {
        Err(Distrust)
    }
    /// Tells the application.
    fn event(&mut self, event: Event);
    /// Keeps a record, before any packet that is sent after it leaves; see [`Saved`]. An owner that keeps none loses the session with
    /// its process.
    fn persist(&mut self, record: Record<'_>) {
        let _ = record;
    }
}

/// What each [`Phase`] holds.
#[derive(Debug)]
enum State {
    Offline,
    Connecting {
        clean_start: bool,
        /// When CONNECT was sent, or the last AUTH.
        last_sent: Instant,
        connack_deadline: Instant,
    },
    Connected(Box<Connection>),
    Closing,
}

impl Client {
    /// A client that is offline.
    pub fn new(options: Options) -> Result<Self, Misuse> {
        options.check()?;
        Ok(Self {
            session: Session::new(options.client_id.clone()),
            options,
            queue: Queue::default(),
            state: State::Offline,
            authentication: Authentication::Absent,
        })
    }

    /// Handles one input at the moment `now`, which never goes back.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut impl Output) {
        match input {
            Input::Opened => self.opened(now, out),
            Input::Received(packet) => self.received(now, packet, out),
            Input::Malformed(error) => self.malformed(error, out),
            Input::Lost => self.lost(out),
            Input::Publish(ticket, message) => self.publish(now, ticket, message, out),
            Input::Subscribe(ticket, subscription) => self.subscribe(now, ticket, subscription, out),
            Input::Unsubscribe(ticket, unsubscription) => self.unsubscribe(now, ticket, unsubscription, out),
            Input::Acknowledge(receipt, verdict) => self.acknowledge(now, receipt, verdict, out),
            Input::Reauthenticate(ticket) => self.reauthenticate(now, ticket, out),
            Input::Disconnect(disconnect) => self.disconnect(disconnect, out),
            Input::Tick { reading } => self.tick(now, reading, out),
        }
        self.end_if_speechless(out);
    }

    /// When [`Input::Tick`] is next wanted.
    pub fn next_deadline(&self) -> Option<Instant> {
        let of_connection = match &self.state {
            State::Connecting { connack_deadline, .. } => Some(*connack_deadline),
            State::Connected(connection) => connection.next_deadline(),
            State::Offline | State::Closing => None,
        };
        [of_connection, self.queue.next_expiry()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Which version it speaks.
    pub const fn version(&self) -> Version {
        self.options.version
    }

    /// Whether whoever publishes need not wait: there is room for another message, or [`Options::overflow`] says what becomes of it.
    pub fn takes_messages(&self) -> bool {
        self.options.overflow != Overflow::Wait || self.queue.has_room(&self.options)
    }

    /// Whether another subscribe or unsubscribe can wait; if not, it would be refused with [`Misuse::QueueFull`].
    pub fn takes_requests(&self) -> bool {
        self.queue.requests.len() < self.options.queued
    }

    /// Whether nothing waits to be sent or to be answered.
    pub fn is_idle(&self) -> bool {
        let unanswered = match &self.state {
            State::Connected(connection) => !connection.requests.is_empty(),
            State::Offline | State::Connecting { .. } | State::Closing => false,
        };
        self.queue.is_empty() && self.session.publishes.is_empty() && !unanswered
    }

    // [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1] CONNECT comes first.
    fn opened(&mut self, now: Instant, out: &mut impl Output) {
        assert!(
            self.state.phase().next(Step::Opened).is_some(),
            "a connection is opened while there is another"
        );
        let clean_start = self.session.clean_start(&self.options);
        let data = self.begin(out);
        let connack_deadline = now + self.options.connect_timeout;
        self.enter(
            Step::Opened,
            State::Connecting {
                clean_start,
                last_sent: now,
                connack_deadline,
            },
        );
        match data {
            Ok(data) => {
                let connect = self.options.connect(&self.session.client_id, clean_start, data);
                out.send((&connect).into());
            }
            Err(Distrust) => self.end(Why::Distrusted, None, out),
        }
    }

    /// Every change of state goes through here, and so through the table.
    fn enter(&mut self, step: Step, state: State) {
        let next = self.state.phase().next(step);
        assert_eq!(
            next,
            Some(state.phase()),
            "{step:?} does not lead there from {:?}",
            self.state.phase()
        );
        self.state = state;
    }

    fn received(&mut self, now: Instant, packet: Packet, out: &mut impl Output) {
        let result = match (&mut self.state, packet) {
            (State::Offline | State::Closing, _) => Ok(()),
            (
                State::Connecting {
                    clean_start,
                    last_sent,
                    ..
                },
                Packet::Connack(connack),
            ) => {
                let sent = (*clean_start, *last_sent);
                self.connack(now, sent, connack, out)
            }
            (State::Connecting { .. }, Packet::Auth(auth)) => self.auth(now, auth, out),
            // [MQTT-3.2.0-1] [MQTT-3.14.0-1] [v3 MQTT-3.2.0-1]
            (State::Connecting { .. }, packet) => Err(Violation::NotConnected(packet.packet_type())),
            (State::Connected(connection), packet) => {
                connection.heard(now);
                match self.options.unwanted(&packet) {
                    Some(violation) => Err(violation),
                    None => self.packet(now, packet, out),
                }
            }
        };
        match result {
            Ok(()) => self.pump(now, out),
            Err(violation) => self.end(Why::Violated(violation), Some(violation.reason_code()), out),
        }
    }

    fn packet(&mut self, now: Instant, packet: Packet, out: &mut impl Output) -> Result<(), Violation> {
        let State::Connected(connection) = &mut self.state else {
            return Ok(());
        };
        let session = &mut self.session;
        match packet {
            Packet::Publish(publish) => inbound::publish(session, connection, now, publish, out),
            Packet::Pubrel(ack) => {
                inbound::pubrel(session, connection, now, ack.packet_id, out);
                Ok(())
            }
            Packet::Puback(ack) => answers::puback(session, connection, &ack, out),
            Packet::Pubrec(ack) => answers::pubrec(session, connection, now, &ack, out),
            Packet::Pubcomp(ack) => answers::pubcomp(session, &ack, out),
            Packet::Suback(suback) => answers::suback(session, connection, suback, out),
            Packet::Unsuback(unsuback) => answers::unsuback(session, connection, unsuback, out),
            Packet::Pingresp => {
                connection.pingresp();
                Ok(())
            }
            Packet::Disconnect(disconnect) => self.disconnected(disconnect, out),
            // [MQTT-3.2.0-2]
            Packet::Connack(_) => Err(Violation::SecondConnack),
            Packet::Auth(auth) => self.auth(now, auth, out),
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                Err(Violation::WrongDirection(packet.packet_type()))
            }
        }
    }

    fn tick(&mut self, now: Instant, reading: bool, out: &mut impl Output) {
        self.expire(now, out);
        let late = match &mut self.state {
            State::Offline | State::Closing => None,
            State::Connecting { connack_deadline, .. } => {
                (now >= *connack_deadline).then_some(Why::ConnackTimeout)
            }
            State::Connected(connection) => connection.tick(now, reading, out),
        };
        if let Some(why) = late {
            self.end(why, None, out);
        }
    }
}

impl State {
    const fn phase(&self) -> Phase {
        match self {
            Self::Offline => Phase::Offline,
            Self::Connecting { .. } => Phase::Connecting,
            Self::Connected(_) => Phase::Connected,
            Self::Closing => Phase::Closing,
        }
    }
}
