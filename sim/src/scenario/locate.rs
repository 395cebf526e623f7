//! Finds where in a file something stands, for what only a look at the whole scenario shows to be wrong.

use serde_saphyr::Location;

use super::tree::{Node, Value};

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

/// Where `word` stands in the document, as a key or a value, at the path or below it; else where the path leads, as deep as it can be
/// followed.
pub(super) fn locate(document: &Node, path: &Path, word: Option<&str>) -> Location {
    let mut found = document;
    for part in &path.0 {
        let Some(below) = child(found, part) else {
            break;
        };
        found = below;
    }
    word.and_then(|word| find(found, word)).unwrap_or(found.at)
}

fn child<'a>(node: &'a Node, part: &Part) -> Option<&'a Node> {
    match (&node.value, part) {
        (Value::Map(_), Part::Key(wanted)) => node.get(wanted),
        (Value::List(items), Part::Index(index)) => items.get(*index),
        (Value::Map(_) | Value::List(_) | Value::Text(_) | Value::Plain(_) | Value::Null, _) => None,
    }
}

fn find(node: &Node, word: &str) -> Option<Location> {
    match &node.value {
        Value::Map(entries) => entries.iter().find_map(|(key, value)| {
            let is_it = key.text == word;
            is_it.then_some(key.at).or_else(|| find(value, word))
        }),
        Value::List(items) => items.iter().find_map(|item| find(item, word)),
        Value::Text(text) | Value::Plain(text) => (text == word).then_some(node.at),
        Value::Null => None,
    }
}
