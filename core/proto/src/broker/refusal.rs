use crate::{ReasonCode, Violation};

/// Why the broker does not do what a packet asks for, where nothing is wrong with the packet itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A connection past [`super::Limits::connections`].
    #[error("there are as many connections as this server takes")]
    TooManyConnections,
    /// A connection past [`super::Limits::connections_per_second`].
    #[error("there are more connections a second than this server takes")]
    TooFastConnections,
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
    /// A Client Identifier that an administrator has barred.
    #[error("an administrator has barred the client identifier")]
    Barred,
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
    /// A topic that begins with `$`, where [`super::Rules::dollar_topics`] forbids it.
    #[error("clients do not publish to topics that begin with `$`")]
    DollarTopic,
    /// A payload that is not the UTF-8 its Payload Format Indicator says.
    #[error("the payload is not the utf-8 that its payload format indicator says")]
    PayloadFormat,
    /// A retained message past [`super::Limits::retained_messages`] or [`super::Limits::retained_bytes`].
    #[error("there are as many retained messages as this server keeps")]
    TooManyRetained,
    /// A subscription of a kind that CONNACK said there is none of.
    #[error(transparent)]
    NotAvailable(Violation),
    /// A Topic Filter that is not legal where 3.1.1 has shared subscriptions too.
    #[error("the topic filter is no legal shared subscription")]
    TopicFilterNotLegal,
    /// A Topic Filter past [`super::Limits::topic_levels`] or [`super::Limits::topic_bytes`].
    #[error("a topic filter has more levels or bytes than this server takes")]
    TopicFilterTooLong,
    /// A subscription past [`super::Limits::subscriptions`] or [`super::Limits::subscriptions_total`].
    #[error("there are as many subscriptions as this server takes")]
    TooManySubscriptions,
    /// What needs a record, while [none can be kept](super::Input::StoreFailed).
    #[error("this server cannot store anything at the moment")]
    CannotKeep,
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
            | Self::TooManyRetained
            | Self::TooManySubscriptions
            | Self::CannotKeep => ReasonCode::QuotaExceeded,
            Self::TooFastConnections => ReasonCode::ConnectionRateExceeded,
            Self::ClientIdEmpty | Self::ClientIdNotPlain => ReasonCode::ClientIdentifierNotValid,
            Self::Barred => ReasonCode::NotAuthorized,
            Self::AuthenticationMethod => ReasonCode::BadAuthenticationMethod,
            // [MQTT-3.2.2-12]
            Self::WillQos => ReasonCode::QosNotSupported,
            // [MQTT-3.2.2-13]
            Self::WillRetain => ReasonCode::RetainNotSupported,
            Self::WillTopicLevels | Self::WillTopicTooLong | Self::DollarTopic => {
                ReasonCode::TopicNameInvalid
            }
            Self::PayloadFormat => ReasonCode::PayloadFormatInvalid,
            Self::NotAvailable(violation) => violation.reason_code(),
            Self::TopicFilterNotLegal | Self::TopicFilterTooLong => ReasonCode::TopicFilterInvalid,
            Self::PacketIdUnknown => ReasonCode::PacketIdentifierNotFound,
        }
    }
}
