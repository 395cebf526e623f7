use alloc::vec::Vec;

use super::{Message, Misuse, NotReauthenticated, Receipt};
use crate::{Connack, DecodeError, Disconnect, Properties, ReasonCode, Text, TopicFilter, Violation};

/// Names something the application asked for, so that its end can be reported. The application chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

impl Ticket {
    /// Of the messages of an earlier process, see [`Client::restore`](super::Client::restore): nobody waits for their end.
    pub const RESTORED: Self = Self(u64::MAX);
}

/// What the application is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// CONNACK accepted the connection.
    Connected {
        /// Whether the server still has the session.
        session_present: bool,
        /// The CONNACK, for its properties.
        connack: Connack,
    },
    /// The connection is at its end, for this reason, or never came about. Told once a connection.
    Disconnected(Why),
    /// An Application Message came.
    Message {
        /// The message; its Topic Name is whole even if the server used a Topic Alias.
        message: Message,
        /// Whether it may have been delivered before. At QoS 2 it was not, in this session.
        dup: bool,
        /// What [`Input::Acknowledge`](super::Input::Acknowledge) names it by; `None` where no answer is awaited: at QoS 0, and with
        /// [`Acknowledge::Automatic`](super::Acknowledge::Automatic).
        receipt: Option<Receipt>,
    },
    /// A publish is finished: a QoS 0 message was sent, one of QoS 1 or 2 acknowledged to the end.
    Published {
        /// Which.
        ticket: Ticket,
        /// What PUBACK or PUBREC said, an error from 0x80; Success for QoS 0. In 3.1.1 always Success.
        result: Result<ReasonCode, Failure>,
    },
    /// A subscribe is finished.
    Subscribed {
        /// Which.
        ticket: Ticket,
        /// What SUBACK said, one a Topic Filter, in order.
        result: Result<Vec<ReasonCode>, Failure>,
    },
    /// An unsubscribe is finished.
    Unsubscribed {
        /// Which.
        ticket: Ticket,
        /// What UNSUBACK said, one a Topic Filter, in order. Empty in 3.1.1.
        result: Result<Vec<ReasonCode>, Failure>,
    },
    /// Authenticating again is finished: the connection goes on, or it never began or is at its end.
    Reauthenticated {
        /// Which.
        ticket: Ticket,
        /// Whether the server accepted it.
        result: Result<(), NotReauthenticated>,
    },
    /// The server had lost the session, and refuses to renew this subscription of it.
    SubscriptionLost {
        /// Which.
        filter: TopicFilter,
        /// What SUBACK said.
        reason_code: ReasonCode,
    },
}

/// Why something the application asked for was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It cannot be: nothing was sent.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// The server lost the session in the middle of a QoS 2 exchange; see [`SessionLost`](super::SessionLost).
    #[error("the server lost the session before it acknowledged the message")]
    SessionLost,
    /// It waited longer than its Message Expiry Interval, and was not sent; or not again, after a session that the server lost.
    #[error("the message expired before it could be sent")]
    Expired,
    /// There was no room in the queue; see [`Overflow`](super::Overflow). It was not sent; or not again, after a session that the
    /// server lost.
    #[error("the queue was full")]
    Dropped,
    /// It has QoS 0 and there is no connection; see [`AtMostOnceOffline`](super::AtMostOnceOffline). It was not sent.
    #[error("there is no connection")]
    Offline,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The application asked for it.
    Requested,
    /// The server refused CONNECT.
    Refused(Connack),
    /// The server sent DISCONNECT.
    Server(Disconnect),
    /// The server broke the protocol.
    Violated(Violation),
    /// The server sent bytes that are no packet.
    Malformed(DecodeError),
    /// The server asked for what the application cannot show, or did not show who it is; see [`Distrust`](super::Distrust).
    Distrusted,
    /// No CONNACK came in time.
    ConnackTimeout,
    /// No PINGRESP came in time.
    PingrespTimeout,
    /// An acknowledgement or PINGREQ does not fit in the server's Maximum Packet Size.
    AnswerTooLarge,
    /// The Network Connection broke, or the server closed it without a word.
    Lost,
}

impl Why {
    /// What the server said with the Reason Code.
    pub fn reason_string(&self) -> Option<Text> {
        self.properties()?.reason_string()
    }

    /// Another server to use, as Use another server and Server moved may say. It is told and not followed: whom to trust with a Client
    /// Identifier, a password and messages is the application's business.
    pub fn server_reference(&self) -> Option<Text> {
        self.properties()?.server_reference()
    }

    const fn properties(&self) -> Option<&Properties> {
        match self {
            Self::Refused(connack) => Some(&connack.properties),
            Self::Server(disconnect) => Some(&disconnect.properties),
            Self::Requested
            | Self::Violated(_)
            | Self::Malformed(_)
            | Self::Distrusted
            | Self::ConnackTimeout
            | Self::PingrespTimeout
            | Self::AnswerTooLarge
            | Self::Lost => None,
        }
    }

    /// The server's own words are quoted, with what could steer a terminal escaped.
    fn explain(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let Some(reason) = self.reason_string() {
            write!(f, ", {:?}", &*reason)?;
        }
        if let Some(server) = self.server_reference() {
            write!(f, ", see {:?}", &*server)?;
        }
        Ok(())
    }
}

impl core::fmt::Display for Why {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Requested => f.write_str("disconnected"),
            Self::Refused(connack) => {
                write!(f, "the server refused the connection: {}", connack.reason_code)?;
                self.explain(f)
            }
            Self::Server(disconnect) => {
                write!(f, "the server disconnected: {}", disconnect.reason_code)?;
                self.explain(f)
            }
            Self::Violated(violation) => write!(f, "the server broke the protocol: {violation}"),
            Self::Malformed(error) => write!(f, "the server sent a malformed packet: {error}"),
            Self::Distrusted => write!(f, "{}", super::Distrust),
            Self::ConnackTimeout => f.write_str("no CONNACK came in time"),
            Self::PingrespTimeout => f.write_str("no PINGRESP came in time"),
            Self::AnswerTooLarge => f.write_str("the server takes no packet as large as our answer"),
            Self::Lost => f.write_str("the connection was lost"),
        }
    }
}
