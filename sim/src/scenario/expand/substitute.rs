use std::collections::BTreeSet;

use serde_saphyr::Location;

use super::rows::{self, Row};
use crate::scenario::{
    tree::{Key, Node, Value},
    wrong::Wrong,
};

/// The parameters of a file, and which of them were used.
pub(super) struct Scope {
    names: Vec<(String, Location)>,
    used: BTreeSet<String>,
    /// The keys of the maps that parameters stand for, `case.delay`.
    parts: BTreeSet<String>,
}

impl Scope {
    /// With the keys of these values, any of which another value may lack.
    pub(super) fn with_parts<'a>(
        values: impl IntoIterator<Item = &'a (String, Node)>,
        names: impl IntoIterator<Item = &'a (String, Location)>,
    ) -> Self {
        let mut scope = Self::new(names);
        for (name, value) in values {
            let keys = value.entries().iter();
            scope
                .parts
                .extend(keys.map(|(key, _)| format!("{name}.{}", key.text)));
        }
        scope
    }

    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a (String, Location)>) -> Self {
        Self {
            names: names.into_iter().cloned().collect(),
            used: BTreeSet::new(),
            parts: BTreeSet::new(),
        }
    }

    /// The tree with every parameter replaced by what it stands for in these rows. A parameter that a row does not have is nothing:
    /// a key or an item that it stands for is left out. A list that stands for an item of a list is put in item by item.
    pub(super) fn substitute<const N: usize>(&mut self, node: &Node, rows: [&Row; N]) -> Result<Node, Wrong> {
        let mut with = Substitution {
            scope: self,
            rows: &rows,
        };
        with.node(node)
    }

    /// A row with what its own values take from another.
    pub(super) fn resolved(&mut self, row: &Row, other: &Row) -> Result<Row, Wrong> {
        let value = |(name, value): &(String, Node)| Ok((name.clone(), self.substitute(value, [other])?));
        Ok(Row {
            name: row.name.clone(),
            values: row.values.iter().map(value).collect::<Result<_, Wrong>>()?,
        })
    }

    /// A parameter that stands nowhere changes nothing: its variants would be the same.
    pub(super) fn all_are_used(&self) -> Result<(), Wrong> {
        match self.names.iter().find(|(name, _)| !self.used.contains(name)) {
            Some((name, at)) => Err(Wrong::at(
                *at,
                format!("`${name}` stands nowhere, so its values change nothing"),
                format!("write `${name}` where its values belong, or leave it out"),
            )),
            None => Ok(()),
        }
    }
}

/// A parameter that is left when all are replaced is nobody's.
pub(super) fn all_are_known(node: &Node, names: &BTreeSet<String>) -> Result<(), Wrong> {
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .try_for_each(|(_, value)| all_are_known(value, names)),
        Value::List(items) => items.iter().try_for_each(|item| all_are_known(item, names)),
        Value::Text(text) => match parameter(text) {
            None | Some("share") => Ok(()),
            Some(name) => {
                let (name, _) = name.split_once('.').unwrap_or((name, ""));
                let known = names.iter().map(String::as_str);
                Err(Wrong::word(node.at, "no parameter is called", name, known))
            }
        },
        Value::Plain(_) | Value::Null => Ok(()),
    }
}

/// The parameters that blocks of steps bring with them.
pub(super) fn names_in_blocks(node: &Node) -> BTreeSet<String> {
    match &node.value {
        Value::Map(entries) => {
            let own = entries.iter().flat_map(|(key, value)| match key.text.as_str() {
                "repeat" => vec!["n".to_owned()],
                "for_each" => rows::sweep(value).map_or_else(
                    |_| Vec::new(),
                    |rows| rows.names.into_iter().map(|(name, _)| name).collect(),
                ),
                _ => Vec::new(),
            });
            let below = entries.iter().flat_map(|(_, value)| names_in_blocks(value));
            own.chain(below).collect()
        }
        Value::List(items) => items.iter().flat_map(names_in_blocks).collect(),
        Value::Text(_) | Value::Plain(_) | Value::Null => BTreeSet::new(),
    }
}

struct Substitution<'a, 'b> {
    scope: &'a mut Scope,
    rows: &'b [&'b Row],
}

impl Substitution<'_, '_> {
    fn node(&mut self, node: &Node) -> Result<Node, Wrong> {
        let value = match &node.value {
            Value::Text(text) => return self.text(text, node.at),
            Value::Map(entries) => Value::Map(self.map(entries)?),
            Value::List(items) => Value::List(self.list(items)?),
            Value::Plain(_) | Value::Null => node.value.clone(),
        };
        Ok(Node { at: node.at, value })
    }

    fn map(&mut self, entries: &[(Key, Node)]) -> Result<Vec<(Key, Node)>, Wrong> {
        let mut replaced = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let new = self.node(value)?;
            if matches!(new.value, Value::Null) && is_parameter(value) {
                continue;
            }
            let text = self.interpolated(&key.text, key.at)?;
            replaced.push((Key { at: key.at, text }, new));
        }
        Ok(replaced)
    }

    fn list(&mut self, items: &[Node]) -> Result<Vec<Node>, Wrong> {
        let mut replaced = Vec::with_capacity(items.len());
        for item in items {
            let new = self.node(item)?;
            match new.value {
                Value::List(items) if is_parameter(item) => replaced.extend(items),
                Value::Null if is_parameter(item) => {}
                value @ (Value::Map(_) | Value::List(_) | Value::Text(_) | Value::Plain(_) | Value::Null) => {
                    replaced.push(Node { at: new.at, value });
                }
            }
        }
        Ok(replaced)
    }

    fn text(&mut self, text: &str, at: Location) -> Result<Node, Wrong> {
        let Some(name) = parameter(text) else {
            let text = self.interpolated(text, at)?;
            return Ok(Node {
                at,
                value: Value::Text(text),
            });
        };
        match self.value(name, at)? {
            Some(value) => Ok(value),
            // It may be a parameter of a block.
            None => Ok(Node {
                at,
                value: Value::Text(text.to_owned()),
            }),
        }
    }

    /// What a parameter stands for, `delay` or `case.delay`. `None`: there is no such parameter.
    fn value(&mut self, name: &str, at: Location) -> Result<Option<Node>, Wrong> {
        let mut parts = name.split('.');
        let first = parts.next().unwrap_or_default();
        if !self.scope.names.iter().any(|(known, _)| known == first) {
            return Ok(None);
        }
        self.scope.used.insert(first.to_owned());
        let values = self.rows.iter().flat_map(|row| &row.values);
        let found = values.clone().find(|(known, _)| known == first);
        let nothing = Node {
            at,
            value: Value::Null,
        };
        let mut value = found.map_or(&nothing, |(_, value)| value);
        for part in parts {
            value = match value.get(part) {
                Some(value) => value,
                None if self.scope.parts.contains(&format!("{first}.{part}")) => &nothing,
                None => {
                    let known = value.entries().iter().map(|(key, _)| key.text.as_str());
                    return Err(Wrong::word(at, &format!("`${first}` has no"), part, known));
                }
            };
        }
        Ok(Some(value.clone()))
    }

    /// A text with the parameters in it replaced. What is no parameter stays: `$SYS/..`.
    fn interpolated(&mut self, text: &str, at: Location) -> Result<String, Wrong> {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(begin) = rest.find('$') {
            let (before, after) = rest.split_at(begin);
            replaced.push_str(before);
            let (name, behind) = name_in(after);
            match self.value(name, at)? {
                None => replaced.push_str(after.strip_suffix(behind).unwrap_or(after)),
                Some(value) => match (value.scalar(), &value.value) {
                    (Some(text), _) => replaced.push_str(text),
                    (None, Value::Null) => {}
                    (None, _) => {
                        let message = format!("`${name}` is not a single word, to stand in a text");
                        return Err(Wrong::at(at, message, "let it stand alone"));
                    }
                },
            }
            rest = behind;
        }
        replaced.push_str(rest);
        Ok(replaced)
    }
}

fn is_parameter(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if parameter(text).is_some())
}

/// The name of the parameter that a text is, and nothing but it.
fn parameter(text: &str) -> Option<&str> {
    let (name, behind) = name_in(text);
    (text.starts_with('$') && !name.is_empty() && behind.is_empty()).then_some(name)
}

/// The name behind a `$`, or between `${` and `}`, and what comes after it.
fn name_in(text: &str) -> (&str, &str) {
    let after = text.strip_prefix('$').unwrap_or(text);
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    if let Some((name, behind)) = after.strip_prefix('{').and_then(|after| after.split_once('}'))
        && name.chars().all(is_of_name)
    {
        return (name, behind);
    }
    let end = after.find(|c| !is_of_name(c)).unwrap_or(after.len());
    let name = after.get(..end).unwrap_or_default().trim_end_matches('.');
    (name, after.get(name.len()..).unwrap_or_default())
}
