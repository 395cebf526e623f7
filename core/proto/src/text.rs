use core::{fmt, ops::Deref};

use bytes::Bytes;
use bytestring::ByteString;

/// A UTF-8 Encoded String: at most 65,535 bytes of well-formed UTF-8 without U+0000. Cloning shares the bytes.
///
/// Nothing is normalised and a leading U+FEFF is kept.
// [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3] The bytes are kept as they came.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(ByteString);

/// Why a string cannot be carried by MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not UTF-8, or an encoded surrogate code point.
    #[error("the string is not well-formed UTF-8")]
    NotUtf8,
    /// U+0000 somewhere in the string.
    #[error("the string contains U+0000")]
    Null,
    /// More than 65,535 bytes.
    #[error("the string has {0} bytes, more than 65535")]
    TooLong(usize),
}

impl Text {
    /// Takes the bytes without copying them.
    // [MQTT-1.5.4-1] [MQTT-1.5.4-2] [v3 MQTT-1.5.3-1] [v3 MQTT-1.5.3-2] What is not a legal string does not construct.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, TextError> {
        ByteString::try_from(bytes)
            .map_err(|_| TextError::NotUtf8)
            .and_then(Self::checked)
    }

    /// Copies `text`.
    pub fn new(text: &str) -> Result<Self, TextError> {
        Self::checked(ByteString::from(text))
    }

    fn checked(text: ByteString) -> Result<Self, TextError> {
        // [MQTT-4.7.3-3] [v3 MQTT-4.7.3-3]
        if text.len() > usize::from(u16::MAX) {
            return Err(TextError::TooLong(text.len()));
        }
        // [MQTT-4.7.3-2] [v3 MQTT-4.7.3-2]
        if text.as_bytes().contains(&0) {
            return Err(TextError::Null);
        }
        Ok(Self(text))
    }

    /// The same string in bytes of its own, which keep no larger buffer alive.
    pub(crate) fn detached(&self) -> Self {
        Self(ByteString::from(self.as_str()))
    }

    /// The string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes, shared with whatever they were cut from.
    pub fn bytes(&self) -> &Bytes {
        self.0.as_bytes()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;

    fn decoded(bytes: &'static [u8]) -> Result<Text, TextError> {
        Text::from_bytes(Bytes::from_static(bytes))
    }

    /// [MQTT-1.5.4-1] [v3 MQTT-1.5.3-1]
    #[test]
    fn what_is_not_well_formed_utf_8_is_no_text() {
        let surrogates: &[&[u8]] = &[b"\xED\xA0\x80", b"\xED\xBF\xBF", b"a\xED\xA0\x81\xED\xB0\x80"];
        let overlong: &[&[u8]] = &[b"\xC0\x80", b"\xE0\x80\xAF", b"\xF0\x80\x80\xAF"];
        let cut_short: &[&[u8]] = &[b"\x80", b"\xC3", b"\xE2\x82", b"\xF0\x9F\x98", b"\xFF"];
        let beyond_unicode: &[&[u8]] = &[b"\xF4\x90\x80\x80"];
        for bytes in [surrogates, overlong, cut_short, beyond_unicode].concat() {
            assert_eq!(decoded(bytes), Err(TextError::NotUtf8), "{bytes:x?}");
        }
    }

    /// [MQTT-1.5.4-2] [v3 MQTT-1.5.3-2]
    #[test]
    fn the_null_character_stands_nowhere_in_a_text() {
        for text in ["\0", "\0a", "a\0b", "a\0"] {
            assert_eq!(Text::new(text), Err(TextError::Null));
        }
    }

    /// [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3]
    #[test]
    fn a_byte_order_mark_is_kept() {
        let text = decoded(b"\xEF\xBB\xBFa").unwrap();
        assert_eq!(text.as_str(), "\u{FEFF}a");
    }

    /// [MQTT-4.7.3-3] [v3 MQTT-4.7.3-3]
    #[test]
    fn a_text_has_as_many_bytes_as_two_can_count_and_no_more() {
        let longest = "é".repeat(32_767) + "a";
        assert_eq!(Text::new(&longest).map(|text| text.len()), Ok(65_535));
        assert_eq!(Text::new(&(longest + "a")), Err(TextError::TooLong(65_536)));
    }

    #[test]
    fn control_characters_and_noncharacters_are_taken() {
        for text in ["\u{1}", "\u{7F}", "\u{FFFF}", "\u{10FFFF}"] {
            assert_eq!(Text::new(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_text_shares_the_bytes_it_was_made_of() {
        let bytes = Bytes::from(vec![b'a'; 10]);
        let text = Text::from_bytes(bytes.clone()).unwrap();
        assert_eq!(text.bytes().as_ptr(), bytes.as_ptr());
        assert_eq!(String::from(text.as_str()), "aaaaaaaaaa");
    }
}
