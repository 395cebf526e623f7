use core::mem;

use bytes::{Buf, Bytes};

use crate::{Binary, DecodeError, PacketId, PacketType, Position, Text, TopicFilter, TopicName, Version};

/// One packet, read field by field. Strings and Binary Data share its bytes.
#[derive(Debug)]
pub(super) struct Reader {
    packet_type: PacketType,
    /// The whole packet.
    packet: Bytes,
    /// Where the next field begins.
    offset: usize,
    /// Where the fields end: with the packet, or with the properties that are being read.
    end: usize,
}

impl Reader {
    /// Reads `packet` from `offset` on.
    pub(super) const fn new(packet_type: PacketType, packet: Bytes, offset: usize) -> Self {
        Self {
            packet_type,
            offset,
            end: packet.len(),
            packet,
        }
    }

    pub(super) const fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.offset >= self.end
    }

    /// Where the next field begins, for errors.
    #[inline]
    pub(super) fn position(&self) -> Position {
        Position {
            packet_type: self.packet_type,
            offset: u32::try_from(self.offset).unwrap_or(u32::MAX),
        }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), DecodeError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes(self.position()))
        }
    }

    /// Everything that is left of the packet.
    #[inline]
    pub(super) fn take_rest(&mut self) -> Bytes {
        let mut rest = mem::take(&mut self.packet);
        let offset = mem::take(&mut self.offset);
        self.end = 0;
        if offset < rest.len() {
            rest.advance(offset);
            rest
        } else {
            // An empty slice would keep the input alive.
            Bytes::new()
        }
    }

    /// Lets `read` see the next `len` bytes alone.
    pub(super) fn within<T>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.need(len)?;
        let end = mem::replace(&mut self.end, self.offset + len);
        let value = read(self)?;
        self.end = end;
        Ok(value)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    // [MQTT-1.5.5-1]
    pub(super) fn variable_byte_integer(&mut self) -> Result<u32, DecodeError> {
        let position = self.position();
        match variable_byte_integer(self.rest()) {
            VariableByteInteger::Whole(value, len) => {
                self.offset += len as usize;
                Ok(value)
            }
            VariableByteInteger::NeedsMore => Err(DecodeError::Truncated(position)),
            VariableByteInteger::TooLong => Err(DecodeError::VariableByteIntegerTooLong(position)),
            VariableByteInteger::NotMinimal => Err(DecodeError::VariableByteIntegerNotMinimal(position)),
        }
    }

    /// Binary Data.
    pub(super) fn binary(&mut self) -> Result<Binary, DecodeError> {
        self.counted().map(Binary::decoded)
    }

    /// A length in two bytes, then as many bytes.
    #[inline]
    fn counted(&mut self) -> Result<Bytes, DecodeError> {
        let begin = self.offset;
        let len = usize::from(self.u16()?);
        if self.need(len).is_err() {
            self.offset = begin;
            return Err(self.truncated());
        }
        let bytes = self.packet.slice(self.offset..self.offset + len);
        self.offset += len;
        Ok(bytes)
    }

    // [MQTT-1.5.4-1] [MQTT-1.5.4-2] [v3 MQTT-1.5.3-1] [v3 MQTT-1.5.3-2] [X5-1.5.4-1..3]
    #[inline]
    pub(super) fn text(&mut self) -> Result<Text, DecodeError> {
        let position = self.position();
        Text::from_bytes(self.counted()?).map_err(|error| DecodeError::Text(position, error))
    }

    // [MQTT-3.3.2-1] [MQTT-3.3.2-2] [MQTT-4.7.0-1] [v3 MQTT-3.3.2-1] [v3 MQTT-3.3.2-2] [v3 MQTT-4.7.1-1]
    #[inline]
    pub(super) fn topic_name(&mut self) -> Result<TopicName, DecodeError> {
        let position = self.position();
        TopicName::from_text(self.text()?).map_err(|error| DecodeError::TopicName(position, error))
    }

    // [MQTT-3.3.2-13] [MQTT-3.3.2-14]
    pub(super) fn response_topic(&mut self) -> Result<TopicName, DecodeError> {
        let position = self.position();
        TopicName::from_text(self.text()?).map_err(|error| DecodeError::ResponseTopic(position, error))
    }

    /// A Topic Name, or `None` for an empty one.
    #[inline]
    pub(super) fn topic_name_if_any(&mut self) -> Result<Option<TopicName>, DecodeError> {
        if let Some([0, 0]) = self.rest().first_chunk() {
            self.offset += 2;
            return Ok(None);
        }
        self.topic_name().map(Some)
    }

    // [MQTT-3.8.3-1] [MQTT-3.10.3-1] [v3 MQTT-3.8.3-1] [v3 MQTT-3.10.3-1]
    pub(super) fn topic_filter(&mut self, version: Version) -> Result<TopicFilter, DecodeError> {
        let position = self.position();
        let text = self.text()?;
        let filter = match version {
            Version::V3_1_1 => TopicFilter::not_shared(text),
            Version::V5 => TopicFilter::from_text(text),
        };
        filter.map_err(|error| DecodeError::TopicFilter(position, error))
    }

    // [MQTT-2.2.1-3] [MQTT-2.2.1-4] [v3 MQTT-2.3.1-1]
    #[inline]
    pub(super) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        let position = self.position();
        PacketId::new(self.u16()?).ok_or(DecodeError::ZeroPacketId(position))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest().first_chunk() {
            Some(bytes) => {
                let bytes = *bytes;
                self.offset += N;
                Ok(bytes)
            }
            None => Err(self.truncated()),
        }
    }

    #[inline]
    fn rest(&self) -> &[u8] {
        self.packet.get(self.offset..self.end).unwrap_or_default()
    }

    #[inline]
    fn need(&self, len: usize) -> Result<(), DecodeError> {
        if self.rest().len() < len {
            Err(self.truncated())
        } else {
            Ok(())
        }
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        DecodeError::Truncated(self.position())
    }
}

/// What stands at the front of some bytes.
pub(super) enum VariableByteInteger {
    /// The value, and how many bytes it takes.
    Whole(u32, u32),
    /// It goes on past the last byte.
    NeedsMore,
    TooLong,
    /// It has more bytes than it needs.
    NotMinimal,
}

#[inline]
pub(super) fn variable_byte_integer(bytes: &[u8]) -> VariableByteInteger {
    match bytes {
        // Most are small.
        [byte @ 0..0x80, ..] => VariableByteInteger::Whole((*byte).into(), 1),
        bytes => long_variable_byte_integer(bytes),
    }
}

fn long_variable_byte_integer(bytes: &[u8]) -> VariableByteInteger {
    let mut value = 0;
    for (byte, len) in bytes.iter().zip(1..=4) {
        value |= u32::from(byte & 0x7F) << (7 * (len - 1));
        if byte & 0x80 == 0 {
            return if *byte == 0 && len > 1 {
                VariableByteInteger::NotMinimal
            } else {
                VariableByteInteger::Whole(value, len)
            };
        }
    }
    if bytes.len() < 4 {
        VariableByteInteger::NeedsMore
    } else {
        VariableByteInteger::TooLong
    }
}
