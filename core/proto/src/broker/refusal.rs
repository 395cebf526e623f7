use crate::ReasonCode;

/// Why the broker does not do what a packet asks for, where nothing is wrong with the packet itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A connection past [`super::Limits::connections`].
    #[error("there are as many connections as this server takes")]
    TooManyConnections,
    /// A session past [`super::Limits::sessions`].
    #[error("there are as many sessions as this server keeps")]
    TooManySessions,
    /// A CONNECT, or its Will, with more User Properties than [`super::Limits::user_properties`].
    #[error("there are more user properties than this server takes")]
    TooManyUserProperties,
    /// An empty Client Identifier, where the client has to bring one.
    #[error("the client identifier is empty")]
    ClientIdEmpty,
    /// A Client Identifier of 3.1.1 that a server need not take.
    #[error("the client identifier is not one of 1 to 23 letters and digits")]
    ClientIdNotPlain,
    /// A method of enhanced authentication that this broker does not have.
    #[error("this server does not have the authentication method")]
    AuthenticationMethod,
    /// A Will above the Maximum QoS.
    #[error("the will has a qos above the maximum qos of this server")]
    WillQos,
    /// A Will to be retained, where there are no retained messages.
    #[error("the will has retain set, but this server has no retained messages")]
    WillRetain,
    /// A Will whose Topic Name has more levels than [`super::Limits::topic_levels`].
    #[error("the topic name of the will has more levels than this server takes")]
    WillTopicLevels,
    /// A Will whose Topic Name has more bytes than [`super::Limits::topic_bytes`].
    #[error("the topic name of the will is longer than this server takes")]
    WillTopicTooLong,
    /// A Will past [`super::Limits::will_bytes`].
    #[error("the will is larger than this server keeps")]
    WillTooLarge,
    /// A retained message past [`super::Limits::retained_messages`] or [`super::Limits::retained_bytes`].
    #[error("there are as many retained messages as this server keeps")]
    TooManyRetained,
    /// PUBREC or PUBREL of an exchange that nobody knows.
    #[error("no message under way has this packet identifier")]
    PacketIdUnknown,
}

impl Refusal {
    /// What the answer says of it.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::TooManyConnections
            | Self::TooManySessions
            | Self::TooManyUserProperties
            | Self::WillTooLarge
            | Self::TooManyRetained => ReasonCode::QuotaExceeded,
            Self::ClientIdEmpty | Self::ClientIdNotPlain => ReasonCode::ClientIdentifierNotValid,
            Self::AuthenticationMethod => ReasonCode::BadAuthenticationMethod,
            // [MQTT-3.2.2-12]
            Self::WillQos => ReasonCode::QosNotSupported,
            // [MQTT-3.2.2-13]
            Self::WillRetain => ReasonCode::RetainNotSupported,
            Self::WillTopicLevels | Self::WillTopicTooLong => ReasonCode::TopicNameInvalid,
            Self::PacketIdUnknown => ReasonCode::PacketIdentifierNotFound,
        }
    }
}
