//! Finds where in a YAML text something stands, for what only a look at the whole scenario shows to be wrong.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{Location, Spanned};

/// A way down a YAML document: `clients`, `pub`, `will`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn key(&self, key: &str) -> Self {
        self.and(Part::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.and(Part::Index(index))
    }

    fn and(&self, part: Part) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }
}

/// Where `word` stands in the text, as a key or a value, at the path or below it; else where the path leads, as deep as it can be
/// followed.
pub(super) fn locate(text: &str, path: &Path, word: Option<&str>) -> Option<Location> {
    let document: Spanned<Node> = serde_saphyr::from_str(text).ok()?;
    let mut found = &document;
    for part in &path.0 {
        let Some(below) = found.value.child(part) else {
            break;
        };
        found = below;
    }
    word.and_then(|word| find(found, word)).or(Some(found.referenced))
}

fn find(node: &Spanned<Node>, word: &str) -> Option<Location> {
    match &node.value {
        Node::Map(entries) => entries.iter().find_map(|(key, value)| {
            let is_it = key.value == word;
            is_it.then_some(key.referenced).or_else(|| find(value, word))
        }),
        Node::Sequence(items) => items.iter().find_map(|item| find(item, word)),
        Node::Scalar(text) => (text == word).then_some(node.referenced),
    }
}

/// Any YAML, with places.
enum Node {
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
    Sequence(Vec<Spanned<Self>>),
    /// Empty unless it is text.
    Scalar(String),
}

impl Node {
    fn child(&self, part: &Part) -> Option<&Spanned<Self>> {
        match (self, part) {
            (Self::Map(entries), Part::Key(wanted)) => entries
                .iter()
                .find(|(key, _)| key.value == *wanted)
                .map(|(_, value)| value),
            (Self::Sequence(items), Part::Index(index)) => items.get(*index),
            (Self::Map(_) | Self::Sequence(_) | Self::Scalar(_), _) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> de::Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Node::Sequence(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }
}
