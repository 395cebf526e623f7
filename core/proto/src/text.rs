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
        if text.len() > usize::from(u16::MAX) {
            return Err(TextError::TooLong(text.len()));
        }
        if text.as_bytes().contains(&0) {
            return Err(TextError::Null);
        }
        Ok(Self(text))
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
