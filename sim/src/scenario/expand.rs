//! From what a file says to the scenarios that it stands for.
//!
//! One mechanism: `sweep` and `paths` are tables of parameters, `race` is a parameter whose values are orders. Each combination is a
//! variant: the file's tree with every `$parameter` replaced, its blocks of steps written out, and nothing left of the tables. In
//! reading order: [`expand`]; `rows` (the tables); `substitute` (the parameters); `races` (the orders); `blocks` and
//! `copy` (what stands for several steps).

mod blocks;
mod copy;
mod races;
mod rows;
mod substitute;

pub(super) use blocks::BLOCKS;

use self::{
    rows::Rows,
    substitute::{Scope, all_are_known, names_in_blocks},
};
use super::{
    tree::{Node, Value},
    wrong::Wrong,
};

/// The keys of a file that a scenario by itself does not have.
pub(super) const FILE_KEYS: &[&str] = &["paths", "phases", "sweep"];
/// The keys of a step that stands for several.
pub(super) fn step_keys() -> impl Iterator<Item = &'static str> {
    BLOCKS.into_iter().chain(blocks::OF_BLOCKS)
}

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
    let says = |key: &str| FILE_KEYS.contains(&key) || key == "same";
    root.entries().iter().any(|(key, _)| says(&key.text)) || root.get("steps").is_some_and(has_block)
}

fn has_block(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(|step| {
            let keys = step.entries().iter().map(|(key, _)| key.text.as_str());
            keys.into_iter().any(|key| BLOCKS.contains(&key))
        }),
        Value::Map(_) | Value::Text(_) | Value::Plain(_) | Value::Null => false,
    }
}

/// Every scenario that a file stands for, in the order of its tables.
pub(super) fn expand(root: Node) -> Result<Vec<Expanded>, Wrong> {
    let sweep = root.get("sweep").map_or_else(|| Ok(Rows::one()), rows::sweep)?;
    let paths = root.get("paths").map(rows::paths).transpose()?;
    let compares = Compares::of(&root, paths.is_some());
    let paths = paths.unwrap_or_else(Rows::one);
    let plain = without(root, &["paths", "sweep"]);
    let mut known = names_in_blocks(&plain);
    known.extend(
        sweep
            .names
            .iter()
            .chain(&paths.names)
            .map(|(name, _)| name.clone()),
    );
    let values = sweep.rows.iter().chain(&paths.rows).flat_map(|row| &row.values);
    let mut scope = Scope::with_parts(values, sweep.names.iter().chain(&paths.names));
    let mut variants = Vec::new();
    for swept in &sweep.rows {
        for path in &paths.rows {
            // What a path's parameters stand for may hold those of the sweep.
            let path = &scope.resolved(path, swept)?;
            let tree = scope.substitute(&plain, [swept, path])?;
            for (order, races) in races::orders(&races::races(&tree)?) {
                if variants.len() == VARIANTS_MAX {
                    let message = format!("more than {VARIANTS_MAX} variants");
                    return Err(Wrong::at(plain.at, message, "leave some values out"));
                }
                let root = blocks::write_out(&tree, &races)?;
                all_are_known(&root, &known)?;
                variants.push(Expanded {
                    name: name([&swept.name, &path.name, &order]),
                    group: match compares {
                        Compares::Nothing => None,
                        Compares::Paths => Some(name([&swept.name, &order])),
                        Compares::Orders => Some(name([&swept.name])),
                    },
                    root,
                });
            }
        }
    }
    scope.all_are_used()?;
    all_have_names(&variants, plain.at)?;
    match plain.get("same") {
        Some(same) if !has_pair(&variants) => {
            let mend =
                "add `paths: { tcp: {}, websocket: { transport: ws } }` and `$transport` where it belongs";
            Err(Wrong::at(same.at, "nothing is there to be the same", mend))
        }
        Some(_) | None => Ok(variants),
    }
}

/// Whether any two of them must deliver the same: they stand next to each other then.
fn has_pair(variants: &[Expanded]) -> bool {
    let groups = || variants.iter().map(|variant| &variant.group);
    groups()
        .zip(groups().skip(1))
        .any(|(first, second)| first.is_some() && first == second)
}

/// Which variants must deliver the same.
#[derive(Clone, Copy)]
enum Compares {
    Nothing,
    /// The paths, whatever else a variant is.
    Paths,
    /// The orders of its races.
    Orders,
}

impl Compares {
    fn of(root: &Node, has_paths: bool) -> Self {
        match (has_paths, root.get("same")) {
            (true, _) => Self::Paths,
            (false, Some(_)) => Self::Orders,
            (false, None) => Self::Nothing,
        }
    }
}

fn name<const N: usize>(parts: [&String; N]) -> String {
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(",")
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
