use super::reader::{VariableByteInteger, variable_byte_integer};
use crate::{DecodeError, PacketType, Version};

/// What the fixed header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct FixedHeader {
    pub(super) packet_type: PacketType,
    /// The low four bits of the first byte.
    pub(super) flags: u8,
    /// Bytes of the header itself.
    pub(super) len: usize,
    /// Bytes of the whole packet.
    pub(super) packet_len: usize,
}

impl FixedHeader {
    /// `None` when more bytes are needed. `version` is `None` before CONNECT.
    pub(super) fn read(
        version: Option<Version>,
        packet_size_max: u32,
        input: &[u8],
    ) -> Result<Option<Self>, DecodeError> {
        let Some((first, rest)) = input.split_first() else {
            return Ok(None);
        };
        let packet_type = packet_type(version, first >> 4)?;
        let flags = first & 0x0F;
        check_flags(packet_type, flags)?;
        let (remaining, len) = match variable_byte_integer(rest) {
            VariableByteInteger::Whole(value, len) => (value, len),
            VariableByteInteger::NeedsMore => return Ok(None),
            VariableByteInteger::TooLong => return Err(DecodeError::RemainingLengthTooLong(packet_type)),
            VariableByteInteger::NotMinimal => {
                return Err(DecodeError::RemainingLengthNotMinimal(packet_type));
            }
        };
        let header_len = 1 + len;
        let size = header_len.saturating_add(remaining);
        if size > packet_size_max {
            // [MQTT-3.2.2-15] [MQTT-3.1.2-24] [X5-3.1.2.11.4-2] [X5-3.2.2.3.6-1] Before its body is read.
            return Err(DecodeError::PacketTooLarge {
                size,
                size_max: packet_size_max,
            });
        }
        Ok(Some(Self {
            packet_type,
            flags,
            len: header_len as usize,
            packet_len: size as usize,
        }))
    }
}

fn packet_type(version: Option<Version>, number: u8) -> Result<PacketType, DecodeError> {
    let packet_type = PacketType::from_value(number).ok_or(DecodeError::ReservedPacketType(number))?;
    match (packet_type, version) {
        (PacketType::Auth, Some(Version::V3_1_1)) => Err(DecodeError::ReservedPacketType(number)),
        (PacketType::Connect, _) | (_, Some(_)) => Ok(packet_type),
        // [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
        (_, None) => Err(DecodeError::FirstPacketNotConnect(packet_type)),
    }
}

// [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1] [v3 MQTT-2.2.2-1]
// [v3 MQTT-2.2.2-2] [v3 MQTT-3.6.1-1] [v3 MQTT-3.8.1-1] [v3 MQTT-3.10.1-1] [v3 MQTT-3.14.1-1] [X5-2.1.3-1]
const fn check_flags(packet_type: PacketType, flags: u8) -> Result<(), DecodeError> {
    let wanted = match packet_type {
        PacketType::Publish => return check_publish_flags(flags),
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubcomp
        | PacketType::Suback
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp
        | PacketType::Disconnect
        | PacketType::Auth => 0,
    };
    if flags == wanted {
        Ok(())
    } else {
        Err(DecodeError::FixedHeaderFlags(packet_type, flags))
    }
}

const fn check_publish_flags(flags: u8) -> Result<(), DecodeError> {
    let qos = flags >> 1 & 3;
    let dup = flags & 8 != 0;
    if qos == 3 {
        // [MQTT-3.3.1-4] [v3 MQTT-3.3.1-4] [X5-3.3.1.2-1]
        Err(DecodeError::QosThree)
    } else if dup && qos == 0 {
        // [MQTT-3.3.1-2] [v3 MQTT-3.3.1-2]
        Err(DecodeError::DupAtMostOnce)
    } else {
        Ok(())
    }
}
