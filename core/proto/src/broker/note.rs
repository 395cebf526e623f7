use super::Refusal;
use crate::{ConnId, DecodeError, ReasonCode, Text, TopicName, Version, Violation};

/// Something that happened in the broker, for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A client is connected.
    Connected {
        /// On this connection.
        conn: ConnId,
        /// As this client.
        client_id: Text,
        /// Speaking this version.
        version: Version,
        /// With the state of an earlier connection.
        session_present: bool,
    },
    /// A client was authenticated: at CONNECT, or again.
    Authenticated {
        /// On this connection.
        conn: ConnId,
        /// As this user; `None` is nobody in particular.
        user: Option<Text>,
    },
    /// A CONNECT was refused.
    Refused {
        /// On this connection.
        conn: ConnId,
        /// For this reason.
        cause: Cause,
    },
    /// A client is no longer connected.
    Disconnected {
        /// This connection ended.
        conn: ConnId,
        /// It was this client's.
        client_id: Text,
        /// Why it ended.
        cause: Cause,
    },
    /// A session and its state are gone.
    SessionEnded {
        /// It was this client's.
        client_id: Text,
    },
    /// A Will was published.
    WillPublished {
        /// It was this client's.
        client_id: Text,
        /// To this topic.
        topic: TopicName,
    },
    /// A message does not reach a client.
    Dropped {
        /// The client.
        client_id: Text,
        /// Why not.
        why: Drop,
    },
    /// A client's message was not taken.
    PublishRefused {
        /// The client.
        client_id: Text,
        /// Where it was published.
        topic: TopicName,
        /// Why not.
        refusal: Refusal,
    },
    /// A retained message was not kept because there are too many.
    RetainedNotKept {
        /// Its topic.
        topic: TopicName,
    },
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The client said DISCONNECT.
    #[error("the client disconnected: {0}")]
    Disconnect(ReasonCode),
    /// The Network Connection closed or broke without DISCONNECT.
    #[error("the connection was lost")]
    Lost,
    /// The same Client Identifier connected again.
    #[error("the session was taken over")]
    TakenOver,
    /// No packet for one and a half times the Keep Alive.
    #[error("nothing came for one and a half times the keep alive")]
    KeepAlive,
    /// No CONNECT in time.
    #[error("no connect came in time")]
    ConnectTimeout,
    /// The owner refused the client, with this code.
    #[error("the client was not authenticated")]
    NotAuthenticated(ReasonCode),
    /// A client that was challenged did not answer in time.
    #[error("no answer to the challenge came in time")]
    AuthenticationTimeout,
    /// The owner did not judge the client in time.
    #[error("the server could not authenticate the client in time")]
    JudgementTimeout,
    /// It reads more slowly than it is sent to.
    #[error("the client left too much unread")]
    SlowReader,
    /// A packet does not fit in the client's Maximum Packet Size and cannot be left out.
    #[error("an answer does not fit in the client's maximum packet size")]
    AnswerTooLarge,
    /// An administrator closed the connection.
    #[error("an administrator closed the connection")]
    Administrative,
    /// The broker stops.
    #[error("the broker shuts down")]
    Shutdown,
    /// The bytes were no packet.
    #[error(transparent)]
    Malformed(DecodeError),
    /// The broker does not do what was asked.
    #[error(transparent)]
    Refused(Refusal),
    /// The packet was not allowed.
    #[error(transparent)]
    Violation(Violation),
}

/// Why a message does not reach a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// QoS 0, and the client reads more slowly than it is sent to.
    SlowReader,
    /// Too much waits for the client already.
    QueueFull,
    /// Its expiry passed while it waited.
    Expired,
    /// It exceeds the client's Maximum Packet Size.
    TooLarge,
    /// It was in the store alone, which has lost it; or it would be sent at QoS 0 to another than it was stored for.
    NotRead,
}

impl Cause {
    /// What a DISCONNECT says of it.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::Disconnect(reason_code) | Self::NotAuthenticated(reason_code) => reason_code,
            Self::Lost | Self::ConnectTimeout => ReasonCode::UnspecifiedError,
            Self::AuthenticationTimeout => ReasonCode::NotAuthorized,
            Self::JudgementTimeout => ReasonCode::ServerUnavailable,
            Self::TakenOver => ReasonCode::SessionTakenOver,
            Self::KeepAlive => ReasonCode::KeepAliveTimeout,
            Self::SlowReader => ReasonCode::QuotaExceeded,
            Self::AnswerTooLarge => ReasonCode::PacketTooLarge,
            Self::Administrative => ReasonCode::AdministrativeAction,
            Self::Shutdown => ReasonCode::ServerShuttingDown,
            Self::Malformed(error) => error.reason_code(),
            Self::Refused(refusal) => refusal.reason_code(),
            Self::Violation(violation) => violation.reason_code(),
        }
    }
}
