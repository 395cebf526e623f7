//! A YAML text as a tree, each part of which knows where it is written.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{Location, Spanned};

use super::plain::Plain;

/// A part of a YAML document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it is written.
    pub(super) at: Location,
    pub(super) value: Value,
}

/// What a part is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Keys with their values, in the order they are written.
    Map(Vec<(Key, Node)>),
    List(Vec<Node>),
    /// Text, quoted or not.
    Text(String),
    /// A number or a truth value, as it is written.
    Plain(String),
    /// Nothing: `~`, or not a word.
    Null,
}

/// The key of an entry of a map.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) at: Location,
    pub(super) text: String,
}

impl Node {
    /// Reads a document.
    pub(super) fn read(text: &str) -> Result<Self, serde_saphyr::Error> {
        let document: Spanned<Raw> = serde_saphyr::from_str(text)?;
        Ok(Self::of(document, text))
    }

    /// A tree that is written nowhere.
    pub(super) fn of_plain(plain: &Plain) -> Self {
        let key = |text: &String| Key {
            at: Location::UNKNOWN,
            text: text.clone(),
        };
        let value = match plain {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Plain(value.to_string()),
            Plain::Number(number) => Value::Plain(number.to_string()),
            Plain::Text(text) => Value::Text(text.clone()),
            Plain::List(items) => Value::List(items.iter().map(Self::of_plain).collect()),
            Plain::Map(entries) => {
                let entries = entries.iter();
                Value::Map(
                    entries
                        .map(|(name, value)| (key(name), Self::of_plain(value)))
                        .collect(),
                )
            }
        };
        Self {
            at: Location::UNKNOWN,
            value,
        }
    }

    fn of(node: Spanned<Raw>, text: &str) -> Self {
        let at = node.referenced;
        let value = match node.value {
            Raw::Map(entries) => {
                let entry = |(key, value): (Spanned<String>, _)| {
                    let key = Key {
                        at: key.referenced,
                        text: key.value,
                    };
                    (key, Self::of(value, text))
                };
                Value::Map(entries.into_iter().map(entry).collect())
            }
            Raw::List(items) => Value::List(items.into_iter().map(|item| Self::of(item, text)).collect()),
            Raw::Text(text) => Value::Text(text),
            Raw::Plain(read) => Value::Plain(written(node.defined, text).unwrap_or(read)),
            Raw::Null => Value::Null,
        };
        Self { at, value }
    }

    /// The value of a key, in a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(known, _)| known.text == key)
            .map(|(_, value)| value)
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::List(_) | Value::Text(_) | Value::Plain(_) | Value::Null => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Plain(text) => Some(text),
            Value::Map(_) | Value::List(_) | Value::Null => None,
        }
    }
}

/// A scalar as it is written, which a number does not tell: `5.10`.
fn written(at: Location, text: &str) -> Option<String> {
    let span = at.span();
    let begin = usize::try_from(span.byte_offset()?).ok()?;
    let end = begin.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    let written = text.get(begin..end)?.trim();
    let is_one_word = !written.is_empty() && !written.contains(|c: char| c.is_whitespace() || c == '#');
    is_one_word.then(|| written.to_owned())
}

/// Any YAML, as the reader gives it.
enum Raw {
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
    List(Vec<Spanned<Self>>),
    Text(String),
    Plain(String),
    Null,
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> de::Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Plain(format!("{value:?}")))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
}
