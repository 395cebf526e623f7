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

/// The Client Identifier of every CONNECT that is written by hand.
pub(crate) const CLIENT_ID: [u8; 5] = *b"sqbad";

/// The bytes with another Client Identifier in place of [`CLIENT_ID`], as long, by the end of `unique`: where a server takes a CONNECT that
/// it should refuse, a case beside it with the same one would have the connection closed.
pub(crate) fn with_client_id(bytes: &[u8], unique: &str) -> Vec<u8> {
    let mut own = CLIENT_ID;
    let digits = unique.bytes().rev().filter(u8::is_ascii_alphanumeric);
    for (place, digit) in own.iter_mut().rev().zip(digits).take(3) {
        *place = digit;
    }
    let mut bytes = bytes.to_vec();
    let place = bytes
        .windows(CLIENT_ID.len())
        .position(|window| window == CLIENT_ID);
    let place = place.and_then(|place| bytes.get_mut(place..place + CLIENT_ID.len()));
    if let Some(place) = place {
        place.copy_from_slice(&own);
    }
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
    fn a_connect_by_hand_has_a_client_identifier_of_its_case() {
        assert_eq!(with_client_id(b"..sqbad.", "squall/xyz042/"), b"..sq042.");
        assert_eq!(with_client_id(b"..sqbat.", "squall/xyz042/"), b"..sqbat.");
    }

    #[test]
    fn a_packet_has_its_length_after_its_first_byte() {
        assert_eq!(packet(0xa2, &string("ab")), [0xa2, 4, 0, 2, b'a', b'b']);
    }
}
