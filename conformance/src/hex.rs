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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spaces_are_no_bytes() {
        assert_eq!(bytes("c0 00 # PINGREQ, c1\n\n e0\n00"), [0xc0, 0, 0xe0, 0]);
    }
}
