use core::{fmt, ops::Deref};

use bytes::Bytes;

/// Binary Data: at most 65,535 bytes. Cloning shares them.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary(Bytes);

/// More bytes than the two of its length can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the binary data has {0} bytes, more than 65535")]
pub struct BinaryTooLong(pub usize);

impl Binary {
    /// Takes the bytes; without copying them, if they are [`Bytes`] already.
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, BinaryTooLong> {
        let bytes = bytes.into();
        if bytes.len() > usize::from(u16::MAX) {
            return Err(BinaryTooLong(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// Bytes whose length stood before them in two bytes.
    pub(crate) const fn decoded(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The same bytes on their own, which keep no larger buffer alive.
    pub(crate) fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// The bytes, shared with whatever they were cut from.
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl From<Binary> for Bytes {
    fn from(binary: Binary) -> Self {
        binary.0
    }
}

impl Deref for Binary {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bytes_as_two_can_count_are_binary_data_and_one_more_are_not() {
        assert_eq!(
            Binary::new(alloc::vec![0; 65_535]).map(|binary| binary.len()),
            Ok(65_535)
        );
        assert_eq!(Binary::new(alloc::vec![0; 65_536]), Err(BinaryTooLong(65_536)));
    }
}
