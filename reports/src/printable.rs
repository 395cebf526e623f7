//! Text that a peer may have chosen, made safe to show: a topic must not move the cursor or end an XML document.

use std::borrow::Cow;

/// `text` with what is no visible character written as `\u{1b}`; line feeds and tabs stay.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| {
        !matches!(character, '\n' | '\t') && is_unsafe(character)
    })
}

/// `text` on one line, with what is no visible character written as `\u{1b}`, line feeds and tabs too.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

fn escape(text: &str, hide: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hide) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if hide(character) {
            safe.extend(character.escape_default())
        } else {
            safe.push(character)
        }
    }
    Cow::Owned(safe)
}

/// Control characters, those that reorder a line, and the two that XML has no way to write.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_is_escaped_and_what_is_written_stays() {
        assert_eq!(
            line("a\u{1b}[2J\u{0}\n\u{202e}é→"),
            "a\\u{1b}[2J\\u{0}\\n\\u{202e}é→"
        );
        assert_eq!(lines("a\n\tb\r\u{ffff}"), "a\n\tb\\r\\u{ffff}");
    }
}
