use crate::{PacketType, ReasonCode, TextError, TopicError};

/// What is wrong with the bytes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// CONNECT asks for a protocol level this crate does not speak.
    #[error("protocol level {0} is neither 4 (3.1.1) nor 5 (5.0)")]
    UnsupportedProtocolLevel(u8),
    /// The first packet is not CONNECT, so the version is not known.
    #[error("the first packet is {0}, not CONNECT")]
    FirstPacketNotConnect(PacketType),
    /// More bytes than the receiver takes; refused from the fixed header.
    #[error("the packet has {size} bytes, more than {size_max}")]
    PacketTooLarge {
        /// Of the whole packet, fixed header included.
        size: u32,
        /// What the receiver takes.
        size_max: u32,
    },
    /// A string is no legal string.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A Topic Name or Topic Filter is not legal.
    #[error(transparent)]
    Topic(#[from] TopicError),
}

impl DecodeError {
    /// What a DISCONNECT or CONNACK says of it.
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::UnsupportedProtocolLevel(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::FirstPacketNotConnect(_) => ReasonCode::ProtocolError,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::Text(_) | Self::Topic(_) => ReasonCode::MalformedPacket,
        }
    }
}
