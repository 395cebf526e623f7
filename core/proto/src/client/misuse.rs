use crate::{Qos, ReasonCode};

/// What our own caller asks for that cannot be done: nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// 3.1.1 wants Clean Session beside an empty Client Identifier.
    #[error("an empty client identifier needs a clean start in 3.1.1")]
    EmptyClientIdNeedsCleanStart,
    /// 3.1.1 has no Password without a User Name.
    #[error("a password needs a user name in 3.1.1")]
    PasswordNeedsUserName,
    /// Receive Maximum, Maximum Packet Size and the bounds of the queue are never zero.
    #[error("{0} must not be zero")]
    Zero(&'static str),
    /// Properties, or subscription options other than the QoS, in 3.1.1.
    #[error("{0} need version 5.0")]
    NeedsVersion5(&'static str),
    /// A property that does not belong there, stands there twice, or is the client's own to set.
    #[error("a property is not allowed there, or not twice")]
    PropertyNotAllowed,
    /// A Reason Code that the packet does not have.
    #[error("the packet has no reason code {0}")]
    ReasonCodeNotAllowed(ReasonCode),
    /// A session that ends with its connection cannot be kept after all when it is disconnected.
    #[error("a session expiry interval of 0 cannot be raised by disconnect")]
    SessionExpiryFromZero,
    /// SUBSCRIBE and UNSUBSCRIBE have at least one Topic Filter.
    #[error("there is no topic filter")]
    NoTopicFilter,
    /// No Local on a shared subscription.
    #[error("no local is not allowed on a shared subscription")]
    NoLocalOnShared,
    /// What was saved belongs to another Client Identifier.
    #[error("what was saved belongs to another client identifier")]
    OtherClientId,
    /// The queue of what waits to be sent is full.
    #[error("{0} messages and requests wait already")]
    QueueFull(usize),
    /// Above the server's Maximum QoS.
    #[error("the server takes no qos above {}", .0.value())]
    QosNotSupported(Qos),
    /// The server keeps no retained messages.
    #[error("the server does not support retain")]
    RetainNotSupported,
    /// Above the server's Maximum Packet Size.
    #[error("the packet has {size} bytes, the server takes {size_max}")]
    PacketTooLarge {
        /// Bytes of the whole packet.
        size: usize,
        /// Bytes the server takes.
        size_max: usize,
    },
    /// The server has no wildcard subscriptions.
    #[error("the server does not support wildcard subscriptions")]
    WildcardSubscriptionsNotSupported,
    /// The server has no shared subscriptions.
    #[error("the server does not support shared subscriptions")]
    SharedSubscriptionsNotSupported,
    /// The server has no Subscription Identifiers.
    #[error("the server does not support subscription identifiers")]
    SubscriptionIdentifiersNotSupported,
}

impl Misuse {
    /// What the server would have said to it.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::EmptyClientIdNeedsCleanStart | Self::OtherClientId => ReasonCode::ClientIdentifierNotValid,
            Self::PasswordNeedsUserName => ReasonCode::BadUserNameOrPassword,
            Self::Zero(_)
            | Self::PropertyNotAllowed
            | Self::ReasonCodeNotAllowed(_)
            | Self::SessionExpiryFromZero
            | Self::NoTopicFilter
            | Self::NoLocalOnShared => ReasonCode::ProtocolError,
            Self::NeedsVersion5(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::QueueFull(_) => ReasonCode::QuotaExceeded,
            Self::QosNotSupported(_) => ReasonCode::QosNotSupported,
            Self::RetainNotSupported => ReasonCode::RetainNotSupported,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::WildcardSubscriptionsNotSupported => ReasonCode::WildcardSubscriptionsNotSupported,
            Self::SharedSubscriptionsNotSupported => ReasonCode::SharedSubscriptionsNotSupported,
            Self::SubscriptionIdentifiersNotSupported => ReasonCode::SubscriptionIdentifiersNotSupported,
        }
    }
}
