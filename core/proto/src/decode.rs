//! From bytes to packets. `reader` cuts fields, `properties` the property lists of 5.0, `body` what each packet type has after
//! its fixed header.

mod body;
mod properties;
mod reader;

use bytes::BytesMut;

use self::reader::Reader;
use crate::{DecodeError, Packet, PacketType, Version};

/// Cuts packets off the front of what one peer sent. It learns the version from CONNECT, or is told.
#[derive(Clone, Debug)]
pub struct Decoder {
    version: Option<Version>,
    packet_size_max: u32,
}

/// What the fixed header says.
#[derive(Clone, Copy, Debug)]
struct FixedHeader {
    packet_type: PacketType,
    flags: u8,
    /// Bytes of the header itself.
    header_len: usize,
    /// Bytes of the whole packet.
    packet_len: usize,
}

impl Decoder {
    /// For the server's side of a connection: the version is learnt from CONNECT. `packet_size_max` is the largest whole
    /// packet taken, in bytes, fixed header included.
    pub const fn new(packet_size_max: u32) -> Self {
        Self {
            version: None,
            packet_size_max,
        }
    }

    /// For the client's side, where the version is known.
    pub const fn with_version(version: Version, packet_size_max: u32) -> Self {
        Self {
            version: Some(version),
            packet_size_max,
        }
    }

    /// The version learnt from CONNECT, or told.
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Takes one whole packet off the front of `input`, sharing its bytes; `Ok(None)` when more bytes are needed. What is
    /// too large is refused from its fixed header. After an error the rest of the input means nothing.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Packet>, DecodeError> {
        let Some(header) = self.fixed_header(input)? else {
            return Ok(None);
        };
        if input.len() < header.packet_len {
            return Ok(None);
        }
        let mut reader = Reader::new(header.packet_type, input.split_to(header.packet_len).freeze());
        reader.skip(header.header_len)?;
        let version = match (self.version, header.packet_type) {
            (Some(version), _) => version,
            (None, PacketType::Connect) => reader::peek_version(&reader)?,
            (None, other) => return Err(DecodeError::FirstPacketNotConnect(other)),
        };
        let packet = body::decode(version, header.flags, &mut reader)?;
        reader.end()?;
        self.version = Some(version);
        Ok(Some(packet))
    }

    /// How many bytes the packet at the front of `input` has in all, as far as its fixed header is there.
    pub fn packet_len(&self, input: &[u8]) -> Result<Option<usize>, DecodeError> {
        Ok(self.fixed_header(input)?.map(|header| header.packet_len))
    }

    fn fixed_header(&self, input: &[u8]) -> Result<Option<FixedHeader>, DecodeError> {
        let Some((first, rest)) = input.split_first() else {
            return Ok(None);
        };
        let number = first >> 4;
        let packet_type = PacketType::from_value(number).ok_or(DecodeError::ReservedPacketType(number))?;
        if packet_type == PacketType::Auth && self.version == Some(Version::V3_1_1) {
            return Err(DecodeError::ReservedPacketType(number));
        }
        let flags = first & 0x0F;
        check_flags(packet_type, flags)?;
        let Some((remaining, len)) = reader::variable_byte_integer(rest)? else {
            return Ok(None);
        };
        let size = remaining.saturating_add(1 + len);
        if size > self.packet_size_max {
            // [MQTT-3.2.2-15] Before its body is read.
            return Err(DecodeError::PacketTooLarge {
                size,
                size_max: self.packet_size_max,
            });
        }
        let header_len = 1 + len as usize;
        Ok(Some(FixedHeader {
            packet_type,
            flags,
            header_len,
            packet_len: size as usize,
        }))
    }
}

// [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.15.1-1] [v3 MQTT-2.2.2-1] [v3 MQTT-2.2.2-2]
// [v3 MQTT-3.6.1-1] [v3 MQTT-3.8.1-1] [v3 MQTT-3.10.1-1] [MQTT-3.14.1-1] [v3 MQTT-3.14.1-1]
fn check_flags(packet_type: PacketType, flags: u8) -> Result<(), DecodeError> {
    match packet_type {
        PacketType::Publish if flags >> 1 & 3 == 3 => Err(DecodeError::QosThree(packet_type)),
        // [MQTT-3.3.1-2] [v3 MQTT-3.3.1-2]
        PacketType::Publish if flags & 0b1110 == 0b1000 => Err(DecodeError::DupAtMostOnce),
        PacketType::Publish => Ok(()),
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe if flags == 0b0010 => Ok(()),
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => {
            Err(DecodeError::FixedHeaderFlags(packet_type, flags))
        }
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
        | PacketType::Auth => match flags {
            0 => Ok(()),
            _ => Err(DecodeError::FixedHeaderFlags(packet_type, flags)),
        },
    }
}
