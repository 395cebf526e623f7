use std::iter;

use serde_saphyr::Location;

use crate::scenario::{
    tree::{Key, Node, Value},
    wrong::Wrong,
};

/// A table of parameters.
pub(super) struct Rows {
    /// The parameters' names, and where they are first written.
    pub(super) names: Vec<(String, Location)>,
    pub(super) rows: Vec<Row>,
}

/// One row: what each parameter stands for.
#[derive(Clone, Default)]
pub(super) struct Row {
    /// What the row adds to the name of a variant.
    pub(super) name: String,
    pub(super) values: Vec<(String, Node)>,
}

impl Rows {
    /// No parameters: one row that says nothing.
    pub(super) fn one() -> Self {
        Self {
            names: Vec::new(),
            rows: vec![Row::default()],
        }
    }
}

/// `sweep`: a map of parameters with all their values, of which every combination is a row; or a list of rows.
pub(super) fn sweep(node: &Node) -> Result<Rows, Wrong> {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => product(entries),
        Value::List(items) if !items.is_empty() => table(items),
        Value::Map(_) | Value::List(_) | Value::Text(_) | Value::Plain(_) | Value::Null => Err(Wrong::at(
            node.at,
            "no parameters to sweep over",
            "write `sweep: { delay: [0s, 5s] }` for every value, or a list of rows",
        )),
    }
}

/// `paths`: a map of names, each with its parameters.
pub(super) fn paths(node: &Node) -> Result<Rows, Wrong> {
    let entries = node.entries();
    if entries.len() < 2 {
        let mend = "write `paths: { tcp: {}, websocket: { transport: ws } }`";
        return Err(Wrong::at(node.at, "fewer than two paths to compare", mend));
    }
    let mut rows = Rows {
        names: Vec::new(),
        rows: Vec::new(),
    };
    for (key, value) in entries {
        rows.add(key.text.clone(), value)?;
        let is_plain = |c: char| !c.is_control() && !matches!(c, ',' | '=' | '"');
        if key.text.trim().is_empty() || !key.text.chars().all(is_plain) {
            let message = format!("`{}` is no name of a path", key.text);
            return Err(Wrong::at(key.at, message, "use letters, digits, spaces and `-`"));
        }
    }
    Ok(rows)
}

fn product(entries: &[(Key, Node)]) -> Result<Rows, Wrong> {
    let mut rows = Rows::one();
    for (key, values) in entries {
        let Value::List(values) = &values.value else {
            let mend = format!("write `{}: [..]`", key.text);
            return Err(Wrong::at(values.at, "no list of values", mend));
        };
        if values.is_empty() {
            return Err(Wrong::at(key.at, "no values", "write at least one"));
        }
        rows.know(key)?;
        let more = |row: &Row| {
            let named = values.iter().enumerate().map(|(place, value)| {
                let part = format!("{}={}", key.text, label(value, place));
                let name = [row.name.as_str(), &part];
                let mut row = row.clone();
                row.name = name
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join(",");
                row.values.push((key.text.clone(), value.clone()));
                row
            });
            named.collect::<Vec<_>>()
        };
        rows.rows = rows.rows.iter().flat_map(more).collect();
        if rows.rows.len() > super::VARIANTS_MAX {
            let message = format!("more than {} variants", super::VARIANTS_MAX);
            return Err(Wrong::at(key.at, message, "leave some values out"));
        }
    }
    Ok(rows)
}

fn table(items: &[Node]) -> Result<Rows, Wrong> {
    let mut rows = Rows {
        names: Vec::new(),
        rows: Vec::new(),
    };
    for (place, item) in items.iter().enumerate() {
        if item.entries().is_empty() {
            let mend = "write a row as `{ delay: 5s, wills: 1 }`, or values as `sweep: { delay: [0s, 5s] }`";
            return Err(Wrong::at(item.at, "a row without parameters", mend));
        }
        let parts = item
            .entries()
            .iter()
            .map(|(key, value)| format!("{}={}", key.text, label(value, place)));
        let name = match item.get("name").and_then(Node::scalar) {
            Some(name) => name.to_owned(),
            None => parts.collect::<Vec<_>>().join(","),
        };
        rows.add(name, item)?;
    }
    Ok(rows)
}

impl Rows {
    /// One more row.
    fn add(&mut self, name: String, item: &Node) -> Result<(), Wrong> {
        let mut row = Row {
            name,
            values: Vec::new(),
        };
        let is_map_or_nothing = matches!(item.value, Value::Map(_) | Value::Null);
        if !is_map_or_nothing {
            let mend = "write its parameters as `{ delay: 5s }`";
            return Err(Wrong::at(item.at, "no parameters", mend));
        }
        for (key, value) in item.entries().iter().filter(|(key, _)| key.text != "name") {
            self.know(key)?;
            row.values.push((key.text.clone(), value.clone()));
        }
        self.rows.push(row);
        Ok(())
    }

    /// One more parameter, unless an earlier row has it.
    fn know(&mut self, key: &Key) -> Result<(), Wrong> {
        if self.names.iter().any(|(known, _)| *known == key.text) {
            return Ok(());
        }
        let mut letters = key.text.chars();
        let begins_well = letters.next().is_some_and(|c| c.is_ascii_lowercase());
        let goes_on_well = letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !begins_well || !goes_on_well {
            let message = format!("`{}` is no name of a parameter", key.text);
            return Err(Wrong::at(key.at, message, "use small letters, digits and `_`"));
        }
        if key.text == "share" {
            let message = "`$share` begins a Topic Filter";
            return Err(Wrong::at(key.at, message, "give the parameter another name"));
        }
        self.names.push((key.text.clone(), key.at));
        Ok(())
    }
}

/// What a value is called: itself, its `name`, or its place in the list, from 1.
fn label(value: &Node, place: usize) -> String {
    let named = value
        .scalar()
        .or_else(|| value.get("name").and_then(Node::scalar));
    let plain: Option<String> = named.map(|text| {
        let dull = |c: char| {
            if c.is_control() || matches!(c, ',' | '"') {
                ' '
            } else {
                c
            }
        };
        text.chars().map(dull).collect()
    });
    match (&value.value, plain) {
        (_, Some(plain)) => plain,
        (Value::Null, None) => "none".to_owned(),
        // One entry says enough: `{ after: 1s }`.
        (Value::Map(entries), None) if entries.len() == 1 => iter::once(entries)
            .flatten()
            .map(|(key, value)| format!("{} {}", key.text, label(value, place)))
            .collect(),
        (Value::Map(_) | Value::List(_) | Value::Text(_) | Value::Plain(_), None) => {
            format!("#{}", place + 1)
        }
    }
}
