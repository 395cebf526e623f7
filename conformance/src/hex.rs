//! Packets written by hand.

/// The bytes of hex digits with any white space between them. What follows a `#` on a line says what they are.
///
/// # Panics
///
/// When something else stands there: the text is a case's own.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(str::chars)
        .filter(|character| !character.is_whitespace())
        .collect();
    hex::decode(digits).expect("a case's bytes are pairs of hex digits")
}

/// A packet of this first byte and body.
///
/// # Panics
///
/// When the body has more bytes than one byte of Remaining Length can say.
pub(crate) fn packet(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first_byte, length(body.len())];
    packet.extend_from_slice(body);
    packet
}

/// A length in one byte, which is enough for every packet here.
///
/// # Panics
///
/// Above 127.
pub(crate) fn length(bytes: usize) -> u8 {
    let length = u8::try_from(bytes).ok().filter(|length| *length < 0x80);
    length.expect("a case's packet is short")
}

/// A string with its length before it.
///
/// # Panics
///
/// Above 127 bytes.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0, length(text.len())];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spaces_are_no_bytes() {
        assert_eq!(bytes("c0 00 # PINGREQ, c1\n\n e0\n00"), [0xc0, 0, 0xe0, 0]);
    }

    #[test]
    fn a_packet_has_its_length_after_its_first_byte() {
        assert_eq!(packet(0xa2, &string("ab")), [0xa2, 4, 0, 2, b'a', b'b']);
    }
}
