use bytes::{Buf, Bytes};

use crate::{DecodeError, PacketId, PacketType, Text, TopicFilter, TopicName, Version};

/// What is left of one packet. Fields are cut off its front and share its bytes.
#[derive(Debug)]
pub(super) struct Reader {
    packet_type: PacketType,
    rest: Bytes,
}

impl Reader {
    pub(super) const fn new(packet_type: PacketType, rest: Bytes) -> Self {
        Self { packet_type, rest }
    }

    pub(super) const fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything that is left.
    pub(super) fn take_rest(&mut self) -> Bytes {
        core::mem::take(&mut self.rest)
    }

    /// Nothing may be left.
    pub(super) const fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes(self.packet_type))
        }
    }

    pub(super) fn skip(&mut self, len: usize) -> Result<(), DecodeError> {
        self.need(len)?;
        self.rest.advance(len);
        Ok(())
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.rest.try_get_u8().map_err(|_| self.truncated())
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.rest.try_get_u16().map_err(|_| self.truncated())
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.rest.try_get_u32().map_err(|_| self.truncated())
    }

    pub(super) fn variable_byte_integer(&mut self) -> Result<u32, DecodeError> {
        let (value, len) = variable_byte_integer(&self.rest)?.ok_or_else(|| self.truncated())?;
        self.rest.advance(len as usize);
        Ok(value)
    }

    /// Cuts off `len` bytes as a reader of their own.
    pub(super) fn part(&mut self, len: usize) -> Result<Self, DecodeError> {
        self.need(len)?;
        Ok(Self {
            packet_type: self.packet_type,
            rest: self.rest.split_to(len),
        })
    }

    /// Binary Data: its length in two bytes, then itself.
    pub(super) fn binary(&mut self) -> Result<Bytes, DecodeError> {
        let len = usize::from(self.u16()?);
        self.need(len)?;
        Ok(self.rest.split_to(len))
    }

    // [MQTT-1.5.4-1] [MQTT-1.5.4-2] [v3 MQTT-1.5.3-1] [v3 MQTT-1.5.3-2]
    pub(super) fn text(&mut self) -> Result<Text, DecodeError> {
        Ok(Text::from_bytes(self.binary()?)?)
    }

    // [MQTT-3.3.2-1] [MQTT-3.3.2-2] [v3 MQTT-3.3.2-1] [v3 MQTT-3.3.2-2]
    pub(super) fn topic_name(&mut self) -> Result<TopicName, DecodeError> {
        TopicName::from_text(self.text()?).map_err(DecodeError::TopicName)
    }

    /// `None` for an empty one.
    pub(super) fn topic_name_if_any(&mut self) -> Result<Option<TopicName>, DecodeError> {
        let text = self.text()?;
        if text.is_empty() {
            Ok(None)
        } else {
            TopicName::from_text(text)
                .map(Some)
                .map_err(DecodeError::TopicName)
        }
    }

    // [MQTT-3.8.3-1] [MQTT-3.10.3-1] [v3 MQTT-3.8.3-1] [v3 MQTT-3.10.3-1]
    pub(super) fn topic_filter(&mut self) -> Result<TopicFilter, DecodeError> {
        TopicFilter::from_text(self.text()?).map_err(DecodeError::TopicFilter)
    }

    // [MQTT-2.2.1-3] [v3 MQTT-2.3.1-1]
    pub(super) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.u16()?).ok_or(DecodeError::ZeroPacketId(self.packet_type))
    }

    const fn truncated(&self) -> DecodeError {
        DecodeError::Truncated(self.packet_type)
    }

    const fn need(&self, len: usize) -> Result<(), DecodeError> {
        if self.rest.len() < len {
            Err(self.truncated())
        } else {
            Ok(())
        }
    }
}

/// The value at the front of `bytes` and how many bytes it takes; `None` when more are needed.
// [MQTT-1.5.5-1]
pub(super) fn variable_byte_integer(bytes: &[u8]) -> Result<Option<(u32, u32)>, DecodeError> {
    let mut value = 0;
    for (byte, len) in bytes.iter().zip(1..=4) {
        value |= u32::from(byte & 0x7F) << (7 * (len - 1));
        if byte & 0x80 == 0 {
            return if *byte == 0 && len > 1 {
                Err(DecodeError::VariableByteIntegerNotMinimal)
            } else {
                Ok(Some((value, len)))
            };
        }
    }
    if bytes.len() < 4 {
        Ok(None)
    } else {
        Err(DecodeError::VariableByteIntegerTooLong)
    }
}

/// The version that a CONNECT asks for, without taking anything off the reader.
// [MQTT-3.1.2-1] [MQTT-3.1.2-2] [v3 MQTT-3.1.2-1] [v3 MQTT-3.1.2-2]
pub(super) fn peek_version(reader: &Reader) -> Result<Version, DecodeError> {
    let truncated = DecodeError::Truncated(PacketType::Connect);
    let mut rest = reader.rest.as_ref();
    let len = usize::from(rest.try_get_u16().map_err(|_| truncated)?);
    let (name, level) = rest.split_at_checked(len).ok_or(truncated)?;
    let level = *level.first().ok_or(truncated)?;
    match name {
        b"MQTT" => Version::from_level(level).ok_or(DecodeError::UnsupportedProtocolLevel(level)),
        // The protocol of 3.1, whose level is 3.
        b"MQIsdp" => Err(DecodeError::UnsupportedProtocolLevel(level)),
        _ => Err(DecodeError::ProtocolName),
    }
}
