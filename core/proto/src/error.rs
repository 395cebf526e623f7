use core::fmt;

use crate::{PacketType, PropertyId, ReasonCode, TextError, TopicError};

mod statement;

/// What is wrong with the bytes of a packet.
///
/// Where the standard leaves open whether something is a Malformed Packet or a Protocol Error, the reading here is that what
/// breaks the grammar of a field (a flag, a length, a topic) is malformed, and that a field which could be read but says what
/// the protocol does not allow is a Protocol Error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Packet type 0, or AUTH in 3.1.1.
    #[error("packet type {0} is reserved")]
    ReservedPacketType(u8),
    /// The first packet is not CONNECT, so the version is not known.
    #[error("the first packet is {0}, not CONNECT")]
    FirstPacketNotConnect(PacketType),
    /// The low four bits of the first byte are not what the packet type has.
    #[error("{0} has the flags {1:#06b} in its fixed header")]
    FixedHeaderFlags(PacketType, u8),
    /// QoS 3 in a PUBLISH.
    #[error("PUBLISH has qos 3")]
    QosThree,
    /// DUP beside QoS 0.
    #[error("PUBLISH has dup set at qos 0")]
    DupAtMostOnce,
    /// The Remaining Length has more than four bytes.
    #[error("the remaining length of {0} has more than four bytes")]
    RemainingLengthTooLong(PacketType),
    /// The Remaining Length has more bytes than it needs.
    #[error("the remaining length of {0} has more bytes than it needs")]
    RemainingLengthNotMinimal(PacketType),
    /// More bytes than the receiver takes; refused from the fixed header.
    #[error("the packet has {size} bytes, more than {size_max}")]
    PacketTooLarge {
        /// Of the whole packet, fixed header included.
        size: u32,
        /// What the receiver takes.
        size_max: u32,
    },
    /// CONNECT names another protocol.
    #[error("the protocol name is not `MQTT`")]
    ProtocolName,
    /// CONNECT asks for a protocol level this crate does not speak.
    #[error("protocol level {0} is neither 4 (3.1.1) nor 5 (5.0)")]
    UnsupportedProtocolLevel(u8),
    /// A field reaches past the end of its packet, or of the properties it stands in.
    #[error("{0}: a field reaches past the end")]
    Truncated(Position),
    /// Bytes follow the last field.
    #[error("{0}: bytes follow the last field")]
    TrailingBytes(Position),
    /// A Variable Byte Integer has more than four bytes.
    #[error("{0}: a variable byte integer has more than four bytes")]
    VariableByteIntegerTooLong(Position),
    /// A Variable Byte Integer has more bytes than it needs.
    #[error("{0}: a variable byte integer has more bytes than it needs")]
    VariableByteIntegerNotMinimal(Position),
    /// A string is no legal string.
    #[error("{0}: {1}")]
    Text(Position, TextError),
    /// A Topic Name is not legal.
    #[error("{0}: {1}")]
    TopicName(Position, TopicError),
    /// A Response Topic is no legal Topic Name.
    #[error("{0}: the response topic is not legal: {1}")]
    ResponseTopic(Position, TopicError),
    /// A Topic Filter is not legal.
    #[error("{0}: {1}")]
    TopicFilter(Position, TopicError),
    /// Packet Identifier 0.
    #[error("{0}: the packet identifier is 0")]
    ZeroPacketId(Position),
    /// A Reason Code, or in 3.1.1 a return code, that this packet cannot have.
    #[error("{0}: the packet cannot have reason code {1:#04x}")]
    ReasonCode(Position, u8),
    /// A property identifier the standard does not have.
    #[error("{0}: there is no property {1:#04x}")]
    UnknownProperty(Position, u32),
    /// A property that cannot stand in this packet or not in a Will.
    #[error("{0}: {1} is not allowed here")]
    PropertyNotAllowed(Position, PropertyId),
    /// A property twice that may stand once.
    #[error("{0}: {1} stands twice")]
    DuplicateProperty(Position, PropertyId),
    /// A property with a value it cannot have.
    #[error("{0}: {1} has a value it cannot have")]
    PropertyValue(Position, PropertyId),
    /// Authentication Data without an Authentication Method.
    #[error("{0} has authentication data without an authentication method")]
    AuthenticationDataWithoutMethod(PacketType),
    /// AUTH without an Authentication Method, and not the short one that says Success.
    #[error("AUTH has no authentication method")]
    AuthWithoutMethod,
    /// Bit 0 of the Connect Flags.
    #[error("CONNECT has its reserved flag set")]
    ConnectReservedFlag,
    /// Will QoS 3.
    #[error("CONNECT has will qos 3")]
    WillQosThree,
    /// Will QoS without the Will Flag.
    #[error("CONNECT has a will qos without a will")]
    WillQosWithoutWill,
    /// Will Retain without the Will Flag.
    #[error("CONNECT has will retain set without a will")]
    WillRetainWithoutWill,
    /// A Password without a User Name, in 3.1.1.
    #[error("CONNECT has a password without a user name")]
    PasswordWithoutUserName,
    /// Bits 7 to 1 of the Connect Acknowledge Flags.
    #[error("CONNACK has the reserved flags {0:#010b}")]
    ConnackReservedFlags(u8),
    /// Session Present beside a refusal.
    #[error("CONNACK has session present set beside a refusal")]
    SessionPresentOnRefusal,
    /// An empty Topic Name without a Topic Alias.
    #[error("PUBLISH has neither a topic name nor a topic alias")]
    NoTopic,
    /// SUBSCRIBE without a Topic Filter.
    #[error("SUBSCRIBE has no topic filter")]
    EmptySubscribe,
    /// UNSUBSCRIBE without a Topic Filter.
    #[error("UNSUBSCRIBE has no topic filter")]
    EmptyUnsubscribe,
    /// SUBACK without a Reason Code.
    #[error("SUBACK has no reason code")]
    EmptySuback,
    /// UNSUBACK without a Reason Code, in 5.0.
    #[error("UNSUBACK has no reason code")]
    EmptyUnsuback,
    /// Reserved bits of the Subscription Options; in 3.1.1 all but the two of the QoS.
    #[error("{0}: the subscription options {1:#010b} have a reserved bit set")]
    SubscriptionReservedBits(Position, u8),
    /// QoS 3 in the Subscription Options.
    #[error("{0}: the subscription asks for qos 3")]
    SubscriptionQosThree(Position),
    /// Retain Handling 3.
    #[error("{0}: the subscription asks for retain handling 3")]
    RetainHandlingThree(Position),
    /// No Local on a shared subscription.
    #[error("{0}: no local is set on a shared subscription")]
    NoLocalOnShared(Position),
}

/// Where in which packet: the byte at which the field begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The packet.
    pub packet_type: PacketType,
    /// Bytes from the first byte of the packet's fixed header.
    pub offset: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}", self.packet_type, self.offset)
    }
}

impl DecodeError {
    /// Whether it tells of a CONNECT that names another protocol. Its Reason Code is CONNACK's: DISCONNECT has no word for it.
    pub(crate) const fn is_of_connect(self) -> bool {
        matches!(self, Self::ProtocolName | Self::UnsupportedProtocolLevel(_))
    }

    /// What a DISCONNECT or CONNACK says of it.
    // [X5-4.13.1-2]
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::ProtocolName | Self::UnsupportedProtocolLevel(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::PropertyValue(_, PropertyId::TopicAlias) => ReasonCode::TopicAliasInvalid,
            Self::FirstPacketNotConnect(_)
            | Self::ZeroPacketId(_)
            | Self::ReasonCode(..)
            | Self::DuplicateProperty(..)
            | Self::PropertyValue(..)
            | Self::AuthenticationDataWithoutMethod(_)
            | Self::AuthWithoutMethod
            | Self::SessionPresentOnRefusal
            | Self::NoTopic
            | Self::EmptySubscribe
            | Self::EmptyUnsubscribe
            | Self::SubscriptionQosThree(_)
            | Self::RetainHandlingThree(_)
            | Self::NoLocalOnShared(_) => ReasonCode::ProtocolError,
            Self::ReservedPacketType(_)
            | Self::FixedHeaderFlags(..)
            | Self::QosThree
            | Self::DupAtMostOnce
            | Self::RemainingLengthTooLong(_)
            | Self::RemainingLengthNotMinimal(_)
            | Self::Truncated(_)
            | Self::TrailingBytes(_)
            | Self::VariableByteIntegerTooLong(_)
            | Self::VariableByteIntegerNotMinimal(_)
            | Self::Text(..)
            | Self::TopicName(..)
            | Self::ResponseTopic(..)
            | Self::TopicFilter(..)
            | Self::UnknownProperty(..)
            | Self::PropertyNotAllowed(..)
            | Self::ConnectReservedFlag
            | Self::WillQosThree
            | Self::WillQosWithoutWill
            | Self::WillRetainWithoutWill
            | Self::PasswordWithoutUserName
            | Self::ConnackReservedFlags(_)
            | Self::EmptySuback
            | Self::EmptyUnsuback
            | Self::SubscriptionReservedBits(..) => ReasonCode::MalformedPacket,
        }
    }
}
