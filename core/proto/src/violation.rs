use crate::{PacketType, ReasonCode};

/// What a peer did that its packets, each well formed, may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// CONNECT on a connection that has had one.
    #[error("a second CONNECT on the connection")]
    SecondConnect,
    /// CONNACK on a connection that has had one.
    #[error("a second CONNACK on the connection")]
    SecondConnack,
    /// The server has a session that the client has nothing of.
    #[error("the server has a session, the client has none")]
    SessionPresentWithoutState,
    /// A server put a Session Expiry Interval in DISCONNECT.
    #[error("a session expiry interval in a disconnect from the server")]
    SessionExpiryFromServer,
    /// SUBACK or UNSUBACK has not one Reason Code a Topic Filter.
    #[error("{0} has not one reason code a topic filter")]
    WrongReasonCodeCount(PacketType),
    /// A Reason String or a User Property on a packet that has none where CONNECT did not ask for problem information.
    #[error("{0} has problem information that was not asked for")]
    UnwantedProblemInformation(PacketType),
    /// A packet before CONNECT, or before CONNACK.
    #[error("{0} came before the connection was made")]
    NotConnected(PacketType),
    /// A packet that only the other side sends.
    #[error("{0} came from the side that never sends it")]
    WrongDirection(PacketType),
    /// AUTH without an Authentication Method in CONNECT.
    #[error("AUTH came on a connection without an authentication method")]
    AuthWithoutMethod,
    /// A packet other than AUTH or DISCONNECT in the middle of the authentication that CONNECT began.
    #[error("{0} came before the authentication ended")]
    NotAuthenticated(PacketType),
    /// AUTH with a Reason Code that has no place there, or while AUTH is the other side's to send.
    #[error("AUTH came out of turn")]
    UnexpectedAuth,
    /// AUTH or CONNACK names another Authentication Method than CONNECT, or none.
    #[error("another authentication method than that of CONNECT")]
    OtherAuthenticationMethod,
    /// More unfinished QoS 1 and 2 messages than the receiver takes.
    #[error("more unfinished messages than the receive maximum")]
    ReceiveMaximumExceeded,
    /// A Topic Alias above the announced maximum.
    #[error("a topic alias above the topic alias maximum")]
    TopicAliasTooLarge,
    /// A Topic Alias that was never given a Topic Name.
    #[error("a topic alias without a topic name before it")]
    UnknownTopicAlias,
    /// A QoS above the announced maximum.
    #[error("a qos above the maximum qos")]
    QosNotSupported,
    /// RETAIN, where it was announced that there are no retained messages.
    #[error("retain is set, but retained messages are not available")]
    RetainNotSupported,
    /// A Topic Filter with a wildcard, where it was announced that there are no such subscriptions.
    #[error("a wildcard in a topic filter, but wildcard subscriptions are not available")]
    WildcardSubscriptionsNotSupported,
    /// `$share/..`, where it was announced that there are no shared subscriptions.
    #[error("a shared subscription, but shared subscriptions are not available")]
    SharedSubscriptionsNotSupported,
    /// A client put a Subscription Identifier in a PUBLISH.
    #[error("a subscription identifier in a publish from a client")]
    SubscriptionIdentifierFromClient,
    /// A Topic Name with more levels than the receiver takes.
    #[error("a topic name with more levels than the limit")]
    TooManyTopicLevels,
    /// A Topic Name with more bytes than the receiver takes.
    #[error("a topic name longer than the limit")]
    TopicTooLong,
    /// More User Properties in a packet than the receiver takes.
    #[error("more user properties than the limit")]
    TooManyUserProperties,
    /// DISCONNECT gives an expiry to a session that CONNECT said has none.
    #[error("disconnect raises a session expiry interval of zero")]
    SessionExpiryRaised,
    /// An acknowledgement of an exchange that nobody knows, where that is not let pass.
    #[error("{0} has a packet identifier that is not in use")]
    UnknownPacketId(PacketType),
    /// A Subscription Identifier, where it was announced that there are none.
    #[error("a subscription identifier, but subscription identifiers are not available")]
    SubscriptionIdentifiersNotSupported,
    /// An acknowledgement that does not belong to the exchange its Packet Identifier names.
    #[error("{0} came for an exchange that waits for another packet")]
    WrongAcknowledgement(PacketType),
}

impl Violation {
    /// What a DISCONNECT says of it.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::SecondConnect
            | Self::SecondConnack
            | Self::SessionPresentWithoutState
            | Self::SessionExpiryFromServer
            | Self::WrongReasonCodeCount(_)
            | Self::UnwantedProblemInformation(_)
            | Self::NotConnected(_)
            | Self::WrongDirection(_)
            | Self::AuthWithoutMethod
            | Self::NotAuthenticated(_)
            | Self::UnexpectedAuth
            | Self::OtherAuthenticationMethod
            | Self::UnknownTopicAlias
            | Self::SubscriptionIdentifierFromClient
            | Self::SessionExpiryRaised
            | Self::UnknownPacketId(_)
            | Self::WrongAcknowledgement(_) => ReasonCode::ProtocolError,
            Self::SubscriptionIdentifiersNotSupported => ReasonCode::SubscriptionIdentifiersNotSupported,
            Self::ReceiveMaximumExceeded => ReasonCode::ReceiveMaximumExceeded,
            Self::TopicAliasTooLarge => ReasonCode::TopicAliasInvalid,
            Self::QosNotSupported => ReasonCode::QosNotSupported,
            Self::RetainNotSupported => ReasonCode::RetainNotSupported,
            Self::WildcardSubscriptionsNotSupported => ReasonCode::WildcardSubscriptionsNotSupported,
            Self::SharedSubscriptionsNotSupported => ReasonCode::SharedSubscriptionsNotSupported,
            Self::TooManyTopicLevels | Self::TopicTooLong => ReasonCode::TopicNameInvalid,
            Self::TooManyUserProperties => ReasonCode::QuotaExceeded,
        }
    }

    /// The normative statement of 5.0 it breaks; `None` where the standard has no numbered one.
    pub const fn statement(self) -> Option<&'static str> {
        match self {
            Self::SecondConnect => Some("MQTT-3.1.0-2"),
            Self::SecondConnack => Some("MQTT-3.2.0-2"),
            Self::SessionPresentWithoutState => Some("MQTT-3.2.2-4"),
            Self::SessionExpiryFromServer => Some("MQTT-3.14.2-2"),
            Self::NotConnected(_) => Some("MQTT-3.1.0-1"),
            Self::AuthWithoutMethod => Some("MQTT-4.12.0-7"),
            Self::NotAuthenticated(_) => Some("MQTT-3.1.2-30"),
            Self::OtherAuthenticationMethod => Some("MQTT-4.12.0-5"),
            Self::ReceiveMaximumExceeded => Some("MQTT-3.3.4-7"),
            Self::TopicAliasTooLarge => Some("MQTT-3.3.2-9"),
            Self::QosNotSupported => Some("MQTT-3.2.2-11"),
            Self::RetainNotSupported => Some("MQTT-3.2.2-14"),
            Self::SubscriptionIdentifierFromClient => Some("MQTT-3.3.4-6"),
            Self::WrongDirection(_)
            | Self::UnexpectedAuth
            | Self::UnknownTopicAlias
            | Self::WildcardSubscriptionsNotSupported
            | Self::SharedSubscriptionsNotSupported
            | Self::TooManyTopicLevels
            | Self::TopicTooLong
            | Self::TooManyUserProperties
            | Self::SessionExpiryRaised
            | Self::WrongReasonCodeCount(_)
            | Self::UnwantedProblemInformation(_)
            | Self::UnknownPacketId(_)
            | Self::SubscriptionIdentifiersNotSupported
            | Self::WrongAcknowledgement(_) => None,
        }
    }
}
