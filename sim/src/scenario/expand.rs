//! From what a file says to the scenarios that it stands for.
//!
//! One mechanism: `sweep` and `paths` are tables of parameters, `race` is a parameter whose values are orders. Each combination is a
//! variant: the file's tree with every `$parameter` replaced, its blocks of steps written out, and nothing left of the tables. In
//! reading order: [`expand`]; `rows` (the tables); `substitute` (the parameters).

mod rows;
mod substitute;

use self::{
    rows::{Row, Rows},
    substitute::Scope,
};
use super::{
    tree::{Node, Value},
    wrong::Wrong,
};

/// The keys of a file that a scenario by itself does not have.
pub(super) const FILE_KEYS: &[&str] = &["paths", "sweep"];
/// The keys of a step that stand for several.
pub(super) const STEP_KEYS: &[&str] = &[];
/// More is a mistake, and would take days to run.
const VARIANTS_MAX: usize = 4096;

/// One of the scenarios that a file stands for.
pub(super) struct Expanded {
    /// What tells it from the others: `delay=5s,reconnect=never`.
    pub(super) name: String,
    /// Those with the same group must deliver the same.
    pub(super) group: Option<String>,
    pub(super) root: Node,
}

/// Whether a file says more than one plain scenario.
pub(super) fn is_needed(root: &Node) -> bool {
    let keys = || root.entries().iter().map(|(key, _)| key.text.as_str());
    keys().any(|key| FILE_KEYS.contains(&key) || key == "same")
}

/// Every scenario that a file stands for, in the order of its tables.
pub(super) fn expand(root: Node) -> Result<Vec<Expanded>, Wrong> {
    let sweep = root.get("sweep").map_or_else(|| Ok(Rows::one()), rows::sweep)?;
    let paths = root.get("paths").map(rows::paths).transpose()?;
    if let (Some(same), None) = (root.get("same"), &paths) {
        let mend = "add `paths: { tcp: {}, websocket: { transport: ws } }` and `$transport` where it belongs";
        return Err(Wrong::at(same.at, "nothing is there to be the same", mend));
    }
    let is_compared = paths.is_some();
    let paths = paths.unwrap_or_else(Rows::one);
    let count = sweep.rows.len().saturating_mul(paths.rows.len());
    if count > VARIANTS_MAX {
        let message = format!("{count} variants, more than {VARIANTS_MAX}");
        return Err(Wrong::at(root.at, message, "leave some values out"));
    }
    let plain = without(root, FILE_KEYS);
    let mut scope = Scope::new(sweep.names.iter().chain(&paths.names));
    let mut variants = Vec::with_capacity(count);
    for swept in &sweep.rows {
        for path in &paths.rows {
            variants.push(Expanded {
                name: name([swept, path]),
                group: is_compared.then(|| swept.name.clone()),
                root: scope.substitute(&plain, [swept, path])?,
            });
        }
    }
    scope.all_are_used()?;
    all_have_names(&variants, plain.at)?;
    Ok(variants)
}

fn name(rows: [&Row; 2]) -> String {
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    names.join(",")
}

fn all_have_names(variants: &[Expanded], at: serde_saphyr::Location) -> Result<(), Wrong> {
    let mut names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find_map(|pair| match pair {
        [first, second] if first == second => Some(*first),
        _ => None,
    });
    match twice {
        Some(name) => Err(Wrong::at(
            at,
            format!("two variants are called `{name}`"),
            "give the rows a `name: ..` each",
        )),
        None => Ok(()),
    }
}

fn without(root: Node, keys: &[&str]) -> Node {
    let value = match root.value {
        Value::Map(entries) => Value::Map(
            entries
                .into_iter()
                .filter(|(key, _)| !keys.contains(&key.text.as_str()))
                .collect(),
        ),
        other @ (Value::List(_) | Value::Text(_) | Value::Plain(_) | Value::Null) => other,
    };
    Node { value, ..root }
}
