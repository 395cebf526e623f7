use crate::{PacketType, ReasonCode, TextError, TopicError};

/// What is wrong with the bytes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// CONNECT names another protocol.
    #[error("the protocol name is not MQTT")]
    ProtocolName,
    /// CONNECT asks for a protocol level this crate does not speak.
    #[error("protocol level {0} is neither 4 (3.1.1) nor 5 (5.0)")]
    UnsupportedProtocolLevel(u8),
    /// The first packet is not CONNECT, so the version is not known.
    #[error("the first packet is {0}, not CONNECT")]
    FirstPacketNotConnect(PacketType),
    /// Packet type 0, or AUTH in 3.1.1.
    #[error("packet type {0} is reserved")]
    ReservedPacketType(u8),
    /// The low four bits of the first byte are not what the packet type has.
    #[error("{0} has the flags {1:#06b} in its fixed header")]
    FixedHeaderFlags(PacketType, u8),
    /// DUP beside QoS 0.
    #[error("PUBLISH has DUP set at QoS 0")]
    DupAtMostOnce,
    /// QoS 3, in a PUBLISH, a Will or a subscription.
    #[error("{0} has QoS 3")]
    QosThree(PacketType),
    /// More than four bytes.
    #[error("a variable byte integer has more than four bytes")]
    VariableByteIntegerTooLong,
    /// More bytes than needed.
    #[error("a variable byte integer has more bytes than it needs")]
    VariableByteIntegerNotMinimal,
    /// More bytes than the receiver takes; refused from the fixed header.
    #[error("the packet has {size} bytes, more than {size_max}")]
    PacketTooLarge {
        /// Of the whole packet, fixed header included.
        size: u32,
        /// What the receiver takes.
        size_max: u32,
    },
    /// A field reaches past the end of its packet.
    #[error("{0} ends inside a field")]
    Truncated(PacketType),
    /// Bytes follow the last field.
    #[error("{0} has bytes after its last field")]
    TrailingBytes(PacketType),
    /// A reserved bit or value outside the fixed header.
    #[error("{0} has a reserved bit or value")]
    Reserved(PacketType),
    /// Will QoS or Will Retain without the Will Flag.
    #[error("CONNECT has will flags without a will")]
    WillFlagsWithoutWill,
    /// A password without a user name, in 3.1.1.
    #[error("CONNECT has a password without a user name")]
    PasswordWithoutUserName,
    /// Packet Identifier 0.
    #[error("{0} has packet identifier 0")]
    ZeroPacketId(PacketType),
    /// No Topic Filter.
    #[error("{0} has no topic filter")]
    NoTopicFilter(PacketType),
    /// No Local on a shared subscription.
    #[error("SUBSCRIBE has no local on a shared subscription")]
    NoLocalOnShared,
    /// An empty Topic Name without a Topic Alias.
    #[error("PUBLISH has neither a topic name nor a topic alias")]
    NoTopic,
    /// A Reason Code that this packet cannot have.
    #[error("{0} has reason code {1:#04x}")]
    ReasonCode(PacketType, u8),
    /// Session Present beside a refusal.
    #[error("CONNACK has session present beside a refusal")]
    SessionPresentOnRefusal,
    /// A property identifier the standard does not have.
    #[error("{0} has the unknown property {1:#04x}")]
    UnknownProperty(PacketType, u32),
    /// A property this packet cannot have.
    #[error("{0} cannot have the property {1:#04x}")]
    PropertyNotAllowed(PacketType, u32),
    /// A property twice that may stand once.
    #[error("{0} has the property {1:#04x} twice")]
    DuplicateProperty(PacketType, u32),
    /// A property with a value it cannot have.
    #[error("{0} has a value that the property {1:#04x} cannot have")]
    PropertyValue(PacketType, u32),
    /// Authentication Data without an Authentication Method.
    #[error("{0} has authentication data without an authentication method")]
    DataWithoutMethod(PacketType),
    /// A string is no legal string.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A Topic Name is not legal.
    #[error(transparent)]
    TopicName(TopicError),
    /// A Topic Filter is not legal.
    #[error(transparent)]
    TopicFilter(TopicError),
}

impl DecodeError {
    /// What a DISCONNECT or CONNACK says of it.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::ProtocolName | Self::UnsupportedProtocolLevel(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::FirstPacketNotConnect(_)
            | Self::NoTopicFilter(_)
            | Self::NoLocalOnShared
            | Self::NoTopic
            | Self::DuplicateProperty(..)
            | Self::PropertyValue(..)
            | Self::DataWithoutMethod(_) => ReasonCode::ProtocolError,
            Self::TopicName(TopicError::Empty | TopicError::WildcardInName) => ReasonCode::TopicNameInvalid,
            Self::TopicFilter(
                TopicError::Empty
                | TopicError::MultiLevelWildcard
                | TopicError::SingleLevelWildcard
                | TopicError::Share,
            ) => ReasonCode::TopicFilterInvalid,
            Self::ReservedPacketType(_)
            | Self::FixedHeaderFlags(..)
            | Self::DupAtMostOnce
            | Self::QosThree(_)
            | Self::VariableByteIntegerTooLong
            | Self::VariableByteIntegerNotMinimal
            | Self::Truncated(_)
            | Self::TrailingBytes(_)
            | Self::Reserved(_)
            | Self::WillFlagsWithoutWill
            | Self::PasswordWithoutUserName
            | Self::ZeroPacketId(_)
            | Self::ReasonCode(..)
            | Self::SessionPresentOnRefusal
            | Self::UnknownProperty(..)
            | Self::PropertyNotAllowed(..)
            | Self::Text(_)
            | Self::TopicName(_)
            | Self::TopicFilter(_) => ReasonCode::MalformedPacket,
        }
    }
}
