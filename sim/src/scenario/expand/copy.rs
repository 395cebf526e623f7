//! Steps made of steps: copies for each round of a block, and what is written between them.

use serde_saphyr::Location;

use super::{rows::Row, substitute::Scope};
use crate::scenario::{
    tree::{Key, Node, Value},
    wrong::Wrong,
};

/// The steps of one round: with what the round's parameters stand for, and ids of its own.
pub(super) fn copy(steps: &Node, row: &Row, place: usize) -> Result<Node, Wrong> {
    let names: Vec<(String, Location)> = row
        .values
        .iter()
        .map(|(name, value)| (name.clone(), value.at))
        .collect();
    let replaced = Scope::new(&names).substitute(steps, [row])?;
    let ids: Vec<String> = match &replaced.value {
        Value::List(items) => items.iter().filter_map(id_of).collect(),
        Value::Map(_) | Value::Text(_) | Value::Plain(_) | Value::Null => {
            id_of(&replaced).into_iter().collect()
        }
    };
    Ok(renamed(replaced, &ids, place))
}

fn id_of(step: &Node) -> Option<String> {
    step.get("id").and_then(Node::scalar).map(str::to_owned)
}

/// With a number behind each of these ids, where steps have them and where they wait for them.
fn renamed(node: Node, ids: &[String], place: usize) -> Node {
    let value = match node.value {
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| match key.text.as_str() {
                    "id" | "after" => (key, numbered(value, ids, place)),
                    _ => (key, renamed(value, ids, place)),
                })
                .collect(),
        ),
        Value::List(items) => Value::List(items.into_iter().map(|item| renamed(item, ids, place)).collect()),
        scalar @ (Value::Text(_) | Value::Plain(_) | Value::Null) => scalar,
    };
    Node { value, ..node }
}

fn numbered(node: Node, ids: &[String], place: usize) -> Node {
    let value = match node.value {
        Value::Text(id) if ids.contains(&id) => Value::Text(format!("{id}-{place}")),
        Value::List(items) => Value::List(items.into_iter().map(|item| numbered(item, ids, place)).collect()),
        other @ (Value::Map(_) | Value::Text(_) | Value::Plain(_) | Value::Null) => other,
    };
    Node { value, ..node }
}

pub(super) fn row(name: &str, value: &str, at: Location) -> Row {
    let value = Node {
        at,
        value: Value::Plain(value.to_owned()),
    };
    Row {
        name: String::new(),
        values: vec![(name.to_owned(), value)],
    }
}

pub(super) fn entry(key: &str, value: Node) -> (Key, Node) {
    let key = Key {
        at: value.at,
        text: key.to_owned(),
    };
    (key, value)
}

pub(super) fn text(text: &str, at: Location) -> Node {
    Node {
        at,
        value: Value::Text(text.to_owned()),
    }
}

pub(super) const fn list(items: Vec<Node>, at: Location) -> Node {
    Node {
        at,
        value: Value::List(items),
    }
}

pub(super) const fn map(entries: Vec<(Key, Node)>, at: Location) -> Node {
    Node {
        at,
        value: Value::Map(entries),
    }
}
