/// The word that was meant, if one of `words` is like it.
pub(super) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let alike = |known: &'a str| (strsim::jaro_winkler(&wanted, &known.to_lowercase()), known);
    let best = words.into_iter().map(alike).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.75)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_slip_is_recognised_and_a_strange_one_is_not() {
        let words = ["keep_alive", "session", "subscribe", "will"];
        assert_eq!(nearest("keepalive", words), Some("keep_alive"));
        assert_eq!(nearest("suscribe", words), Some("subscribe"));
        assert_eq!(nearest("Will", words), Some("will"));
        assert_eq!(nearest("zebra", words), None);
    }
}
