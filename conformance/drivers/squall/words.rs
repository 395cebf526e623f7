//! Lines of a word and `key=value` pairs.

use std::{collections::BTreeMap, fmt::Write as _, str::FromStr};

use squall_node::client::Qos;

pub(crate) type Words = BTreeMap<String, String>;

pub(crate) fn read(pairs: &str) -> Words {
    let pairs = pairs.split(' ').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), decoded(value)))
        .collect()
}

fn decoded(value: &str) -> String {
    let (first, rest) = value
        .split_once('%')
        .map_or((value, None), |(first, rest)| (first, Some(rest)));
    let mut bytes = first.as_bytes().to_vec();
    for part in rest.into_iter().flat_map(|rest| rest.split('%')) {
        let (digits, plain) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(u8::from_str_radix(digits, 16));
        bytes.extend(plain.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn written(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    })
}

pub(crate) fn text<'a>(words: &'a Words, key: &str) -> &'a str {
    words.get(key).map_or("", String::as_str)
}

pub(crate) fn number<T: FromStr>(words: &Words, key: &str) -> Result<T, T::Err> {
    text(words, key).parse()
}

pub(crate) fn qos(words: &Words, key: &str) -> Qos {
    number(words, key)
        .ok()
        .and_then(Qos::from_value)
        .unwrap_or_default()
}
