use bytes::{BufMut, BytesMut};

use crate::{Binary, Text};

/// Takes the fields of a packet, one after another.
pub(super) trait Sink {
    fn slice(&mut self, bytes: &[u8]);

    fn u8(&mut self, value: u8) {
        self.slice(&[value]);
    }

    fn u16(&mut self, value: u16) {
        self.slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.slice(&value.to_be_bytes());
    }

    // [MQTT-1.5.5-1]
    fn variable_byte_integer(&mut self, mut value: usize) {
        while value >= 0x80 {
            self.u8(low_bits(value) | 0x80);
            value >>= 7;
        }
        self.u8(low_bits(value));
    }

    /// The length in two bytes, then the bytes of a [`Text`] or a [`Binary`], which have no more than two can count.
    fn counted(&mut self, bytes: &[u8]) {
        let len = u16::try_from(bytes.len()).expect("texts and binary data have at most 65,535 bytes");
        self.u16(len);
        self.slice(bytes);
    }

    fn text(&mut self, text: &Text) {
        self.counted(text.as_bytes());
    }

    fn binary(&mut self, binary: &Binary) {
        self.counted(binary);
    }
}

impl Sink for BytesMut {
    fn slice(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }
}

/// Counts the bytes and keeps none.
pub(super) struct Len(pub(super) usize);

impl Sink for Len {
    fn slice(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// How many bytes a Variable Byte Integer takes.
pub(super) const fn variable_byte_integer_len(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

/// The lowest seven.
#[expect(clippy::cast_possible_truncation, reason = "seven bits fit in a byte")]
const fn low_bits(value: usize) -> u8 {
    (value & 0x7F) as u8
}
