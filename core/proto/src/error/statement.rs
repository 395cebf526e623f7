use super::DecodeError;
use crate::{PacketType, PropertyId, TextError, TopicError, Version};

impl DecodeError {
    /// The numbered normative statement of `version` that the bytes break; `None` where the standard says it without a number,
    /// or does not have the rule in this version.
    pub const fn statement(self, version: Version) -> Option<&'static str> {
        let (v3, v5) = self.statements();
        match version {
            Version::V3_1_1 => v3,
            Version::V5 => v5,
        }
    }

    const fn statements(self) -> Statements {
        match self {
            Self::FirstPacketNotConnect(_) => both("MQTT-3.1.0-1"),
            Self::FixedHeaderFlags(packet_type, _) => flags(packet_type),
            Self::QosThree => both("MQTT-3.3.1-4"),
            Self::DupAtMostOnce => both("MQTT-3.3.1-2"),
            Self::RemainingLengthNotMinimal(_) | Self::VariableByteIntegerNotMinimal(_) => v5("MQTT-1.5.5-1"),
            Self::ProtocolName => both("MQTT-3.1.2-1"),
            Self::UnsupportedProtocolLevel(_) => both("MQTT-3.1.2-2"),
            Self::Truncated(position) | Self::TrailingBytes(position) => shape(position.packet_type),
            Self::Text(_, error) => text(error),
            Self::TopicName(position, error) => topic_name(position.packet_type, error),
            Self::ResponseTopic(_, error) => response_topic(error),
            Self::TopicFilter(_, error) => topic(error),
            Self::ZeroPacketId(position) => packet_id(position.packet_type),
            Self::ReasonCode(position, _) => reason_code(position.packet_type),
            Self::PropertyValue(_, PropertyId::TopicAlias) => v5("MQTT-3.3.2-8"),
            Self::AuthWithoutMethod => v5("MQTT-4.12.0-5"),
            Self::ConnectReservedFlag => both("MQTT-3.1.2-3"),
            Self::WillQosThree => each("MQTT-3.1.2-14", "MQTT-3.1.2-12"),
            Self::WillQosWithoutWill => each("MQTT-3.1.2-13", "MQTT-3.1.2-11"),
            Self::WillRetainWithoutWill => each("MQTT-3.1.2-15", "MQTT-3.1.2-13"),
            Self::PasswordWithoutUserName => v3("MQTT-3.1.2-22"),
            Self::ConnackReservedFlags(_) => v5("MQTT-3.2.2-1"),
            Self::SessionPresentOnRefusal => each("MQTT-3.2.2-4", "MQTT-3.2.2-6"),
            Self::NoTopic => both("MQTT-4.7.3-1"),
            Self::EmptySubscribe => each("MQTT-3.8.3-3", "MQTT-3.8.3-2"),
            Self::EmptyUnsubscribe => both("MQTT-3.10.3-2"),
            Self::EmptySuback => each("MQTT-3.8.4-5", "MQTT-3.8.4-6"),
            Self::EmptyUnsuback => v5("MQTT-3.11.3-2"),
            Self::SubscriptionReservedBits(..) => each("MQTT-3.8.3-4", "MQTT-3.8.3-5"),
            Self::SubscriptionQosThree(_) => v3("MQTT-3.8.3-4"),
            Self::NoLocalOnShared(_) => v5("MQTT-3.8.3-4"),
            // A packet too large breaks [MQTT-3.2.2-15] of a client and [MQTT-3.1.2-24] of a server: who sent it is not known.
            Self::PacketTooLarge { .. }
            | Self::ReservedPacketType(_)
            | Self::RemainingLengthTooLong(_)
            | Self::VariableByteIntegerTooLong(_)
            | Self::UnknownProperty(..)
            | Self::PropertyNotAllowed(..)
            | Self::DuplicateProperty(..)
            | Self::PropertyValue(..)
            | Self::AuthenticationDataWithoutMethod(_)
            | Self::RetainHandlingThree(_) => NONE,
        }
    }
}

/// Of 3.1.1, and of 5.0.
type Statements = (Option<&'static str>, Option<&'static str>);

const NONE: Statements = (None, None);

const fn each(v3: &'static str, v5: &'static str) -> Statements {
    (Some(v3), Some(v5))
}

const fn both(id: &'static str) -> Statements {
    (Some(id), Some(id))
}

const fn v3(id: &'static str) -> Statements {
    (Some(id), None)
}

const fn v5(id: &'static str) -> Statements {
    (None, Some(id))
}

const fn flags(packet_type: PacketType) -> Statements {
    match packet_type {
        PacketType::Pubrel => both("MQTT-3.6.1-1"),
        PacketType::Subscribe => both("MQTT-3.8.1-1"),
        PacketType::Unsubscribe => both("MQTT-3.10.1-1"),
        PacketType::Disconnect => both("MQTT-3.14.1-1"),
        PacketType::Auth => v5("MQTT-3.15.1-1"),
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubcomp
        | PacketType::Suback
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp => each("MQTT-2.2.2-2", "MQTT-2.1.3-1"),
    }
}

/// A packet that has too few bytes for its fields, or too many.
const fn shape(packet_type: PacketType) -> Statements {
    match packet_type {
        PacketType::Connect => both("MQTT-3.1.4-1"),
        PacketType::Connack
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubrel
        | PacketType::Pubcomp
        | PacketType::Subscribe
        | PacketType::Suback
        | PacketType::Unsubscribe
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp
        | PacketType::Disconnect
        | PacketType::Auth => NONE,
    }
}

const fn text(error: TextError) -> Statements {
    match error {
        TextError::NotUtf8 => each("MQTT-1.5.3-1", "MQTT-1.5.4-1"),
        TextError::Null => each("MQTT-1.5.3-2", "MQTT-1.5.4-2"),
        TextError::TooLong(_) => NONE,
    }
}

const fn topic_name(packet_type: PacketType, error: TopicError) -> Statements {
    if matches!(
        (packet_type, error),
        (PacketType::Publish, TopicError::WildcardInName)
    ) {
        both("MQTT-3.3.2-2")
    } else {
        topic(error)
    }
}

const fn response_topic(error: TopicError) -> Statements {
    if matches!(error, TopicError::WildcardInName) {
        v5("MQTT-3.3.2-14")
    } else {
        topic(error)
    }
}

const fn topic(error: TopicError) -> Statements {
    match error {
        TopicError::Text(error) => text(error),
        TopicError::Empty => both("MQTT-4.7.3-1"),
        TopicError::WildcardInName => each("MQTT-4.7.1-1", "MQTT-4.7.0-1"),
        TopicError::MultiLevelWildcard => each("MQTT-4.7.1-2", "MQTT-4.7.1-1"),
        TopicError::SingleLevelWildcard => each("MQTT-4.7.1-3", "MQTT-4.7.1-2"),
        TopicError::EmptyShareName => v5("MQTT-4.8.2-1"),
        TopicError::WildcardInShareName | TopicError::ShareWithoutFilter => v5("MQTT-4.8.2-2"),
    }
}

const fn packet_id(packet_type: PacketType) -> Statements {
    match packet_type {
        // [MQTT-2.2.1-4] says the same of a server's PUBLISH.
        PacketType::Publish | PacketType::Subscribe | PacketType::Unsubscribe => {
            each("MQTT-2.3.1-1", "MQTT-2.2.1-3")
        }
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel => each("MQTT-2.3.1-6", "MQTT-2.2.1-5"),
        PacketType::Pubcomp => v5("MQTT-2.2.1-5"),
        PacketType::Suback | PacketType::Unsuback => each("MQTT-2.3.1-7", "MQTT-2.2.1-6"),
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Pingreq
        | PacketType::Pingresp
        | PacketType::Disconnect
        | PacketType::Auth => NONE,
    }
}

const fn reason_code(packet_type: PacketType) -> Statements {
    match packet_type {
        PacketType::Connack => v5("MQTT-3.2.2-8"),
        PacketType::Puback => v5("MQTT-3.4.2-1"),
        PacketType::Pubrec => v5("MQTT-3.5.2-1"),
        PacketType::Pubrel => v5("MQTT-3.6.2-1"),
        PacketType::Pubcomp => v5("MQTT-3.7.2-1"),
        PacketType::Suback => both("MQTT-3.9.3-2"),
        PacketType::Unsuback => v5("MQTT-3.11.3-2"),
        PacketType::Disconnect => v5("MQTT-3.14.2-1"),
        PacketType::Auth => v5("MQTT-3.15.2-1"),
        PacketType::Connect
        | PacketType::Publish
        | PacketType::Subscribe
        | PacketType::Unsubscribe
        | PacketType::Pingreq
        | PacketType::Pingresp => NONE,
    }
}
