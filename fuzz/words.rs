//! Text that is nearly right.

use crate::driver::Random;

/// A text with a few of its words and lines left out, doubled, or replaced by one of `tokens`.
pub(crate) fn changed_text(text: &str, tokens: &[&str], random: &mut Random) -> Vec<u8> {
    let mut words: Vec<&str> = text.split_inclusive([' ', '\n', '"', ':', '=']).collect();
    for _ in 0..=random.below(4) {
        let at = random.below(words.len());
        let token = tokens
            .get(random.below(tokens.len()))
            .expect("below their number");
        match random.below(5) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, token),
            2 => words.splice(at..=at, [*token]).for_each(drop),
            3 => words.swap(at, 0),
            _ => words.truncate(at.max(1)),
        }
        if words.is_empty() {
            break;
        }
    }
    let mut bytes = words.concat().into_bytes();
    if random.below(8) == 0 && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes.splice(at..=at, [random.byte()]).for_each(drop);
    }
    bytes
}
