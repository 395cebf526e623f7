//! Writes out the steps that stand for several: `repeat`, `for_each`, `race`, and the `phases` of a file.
//!
//! A block begins with a step that only waits for the block's moment, its gate; what stands in the block comes after the gate, and
//! its `at` counts from there.

use serde_saphyr::Location;

use super::{
    copy::{copy, entry, list, map, row, text},
    races::{Order, Race},
    rows,
};
use crate::scenario::{
    tree::{Key, Node, Value},
    wrong::Wrong,
};

/// The keys by which a step is a block.
pub(in crate::scenario) const BLOCKS: [&str; 3] = ["for_each", "race", "repeat"];
/// What else a block says that a plain step does not.
pub(super) const OF_BLOCKS: [&str; 3] = ["apart", "every", "steps"];
/// What says when a step happens.
const TIMES: [&str; 4] = ["after", "at", "wait", "when"];
/// More is a mistake.
const STEPS_MAX: usize = 10_000;
/// From the first to the second of a race, unless given: longer than a quiet link takes.
const APART: &str = "10ms";

/// The tree with its blocks and phases written out as plain steps.
pub(super) fn write_out(root: &Node, races: &[(Race, Order)]) -> Result<Node, Wrong> {
    let mut writer = Writer {
        races,
        blocks: 0,
        steps: Vec::new(),
    };
    let mut entries = Vec::new();
    for (key, value) in root.entries() {
        match key.text.as_str() {
            "steps" => _ = writer.block(value, None)?,
            "phases" => writer.phases(value)?,
            _ => entries.push((key.clone(), value.clone())),
        }
    }
    entries.push(entry("steps", list(writer.steps, root.at)));
    Ok(map(entries, root.at))
}

struct Writer<'a> {
    races: &'a [(Race, Order)],
    /// How many blocks there are, which names those without an `id`.
    blocks: usize,
    steps: Vec<Node>,
}

/// The step that a block waits for, and what the block is called.
struct Gate {
    id: String,
    block: String,
}

impl Writer<'_> {
    /// The steps of a block; says their ids, where they are in a block.
    fn block(&mut self, steps: &Node, gate: Option<&Gate>) -> Result<Vec<String>, Wrong> {
        let single = std::slice::from_ref(steps);
        let items = match &steps.value {
            Value::List(items) => items.as_slice(),
            Value::Map(_) => single,
            Value::Text(_) | Value::Plain(_) | Value::Null => {
                return Err(Wrong::at(steps.at, "no steps", "write a list of steps"));
            }
        };
        let mut ids = Vec::new();
        for (place, step) in items.iter().enumerate() {
            let is_block = |key: &&&str| step.get(key).is_some();
            match BLOCKS.iter().find(is_block) {
                Some(kind) => ids.extend(self.one_block(step, kind, gate)?),
                None => ids.extend(self.plain(step, gate, place)?),
            }
        }
        Ok(ids)
    }

    /// A step that is no block. In one it has an id, so that its end can be waited for.
    fn plain(&mut self, step: &Node, gate: Option<&Gate>, place: usize) -> Result<Option<String>, Wrong> {
        if self.steps.len() >= STEPS_MAX {
            let message = format!("more than {STEPS_MAX} steps");
            return Err(Wrong::at(step.at, message, "repeat fewer"));
        }
        let (Some(gate), Value::Map(entries)) = (gate, &step.value) else {
            self.steps.push(step.clone());
            return Ok(None);
        };
        let mut entries = entries.clone();
        let given = step.get("id").and_then(Node::scalar).map(str::to_owned);
        let id = given
            .clone()
            .unwrap_or_else(|| format!("{}/{}", gate.block, place + 1));
        if given.is_none() {
            entries.push(entry("id", text(&id, step.at)));
        }
        self.steps.push(map(behind(entries, &gate.id, step.at)?, step.at));
        Ok(Some(id))
    }

    fn one_block(&mut self, step: &Node, kind: &str, outer: Option<&Gate>) -> Result<Vec<String>, Wrong> {
        let others = step.entries().iter().find(|(key, _)| {
            let known = [&["id", kind][..], &TIMES, of_kind(kind)];
            !known.concat().contains(&key.text.as_str())
        });
        if let Some((key, _)) = others {
            let known = [&["id", kind][..], &TIMES, of_kind(kind)].concat();
            return Err(Wrong::word(
                key.at,
                &format!("a `{kind}` has no"),
                &key.text,
                known,
            ));
        }
        self.blocks += 1;
        let given = step.get("id").and_then(Node::scalar);
        let block = given.map_or_else(|| format!("{kind} {}", self.blocks), str::to_owned);
        let gate = Gate {
            id: format!("{block} begins"),
            block,
        };
        self.gate(step, &gate, outer)?;
        let mut ids = match kind {
            "race" => self.race(step, &gate)?,
            "repeat" => self.repeat(step, &gate)?,
            _ => self.for_each(step, &gate)?,
        };
        if given.is_some() {
            let after = list(ids.iter().map(|id| text(id, step.at)).collect(), step.at);
            let what = format!("{} is over", gate.block);
            self.note(&gate.block, vec![entry("after", after)], &what, step.at);
            ids = vec![gate.block];
        } else {
            ids.push(gate.id);
        }
        Ok(ids)
    }

    /// The step that waits for a block's moment.
    fn gate(&mut self, step: &Node, gate: &Gate, outer: Option<&Gate>) -> Result<(), Wrong> {
        let is_time = |(key, _): &&(Key, Node)| TIMES.contains(&key.text.as_str());
        let mut entries: Vec<(Key, Node)> = step.entries().iter().filter(is_time).cloned().collect();
        if let Some(outer) = outer {
            entries = behind(entries, &outer.id, step.at)?;
        }
        entries.push(entry("id", text(&gate.id, step.at)));
        entries.push(entry("note", text(&gate.id, step.at)));
        self.steps.push(map(entries, step.at));
        Ok(())
    }

    /// A step that does nothing but happen.
    fn note(&mut self, id: &str, when: Vec<(Key, Node)>, what: &str, at: Location) {
        let says = [entry("id", text(id, at)), entry("note", text(what, at))];
        let entries = when.into_iter().chain(says).collect();
        self.steps.push(map(entries, at));
    }

    /// `repeat: 3`: each round when the one before is over, or `every` so long.
    fn repeat(&mut self, step: &Node, gate: &Gate) -> Result<Vec<String>, Wrong> {
        let steps = steps_of(step, "repeat")?;
        let written = step.get("repeat");
        let number = written.and_then(|node| node.scalar()?.parse::<u32>().ok());
        let Some(rounds) = number.filter(|rounds| *rounds > 0) else {
            let at = written.map_or(step.at, |node| node.at);
            return Err(Wrong::at(
                at,
                "no number of rounds",
                "write `repeat: 3`, at least 1",
            ));
        };
        let mut all = Vec::new();
        let mut last = vec![gate.id.clone()];
        for n in 1..=rounds {
            let round = Gate {
                id: format!("{} round {n} begins", gate.block),
                block: format!("{} round {n}", gate.block),
            };
            let after = list(last.iter().map(|id| text(id, step.at)).collect(), step.at);
            let every = step.get("every").filter(|_| n > 1);
            let wait = every.map(|every| entry("wait", every.clone()));
            let when = [entry("after", after)].into_iter().chain(wait);
            self.note(&round.id, when.collect(), &round.id, step.at);
            let row = row("n", &n.to_string(), step.at);
            let steps = copy(steps, &row, n as usize)?;
            let ids = self.block(&steps, Some(&round))?;
            last = match step.get("every") {
                Some(_) => vec![round.id],
                None => ids.clone(),
            };
            all.extend(ids);
        }
        Ok(all)
    }

    /// `for_each: { client: [a, b] }`: the steps for every combination, all at once.
    fn for_each(&mut self, step: &Node, gate: &Gate) -> Result<Vec<String>, Wrong> {
        let steps = steps_of(step, "for_each")?;
        let Some(table) = step.get("for_each") else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for (place, row) in rows::sweep(table)?.rows.iter().enumerate() {
            let each = Gate {
                id: gate.id.clone(),
                block: format!("{} {}", gate.block, row.name),
            };
            let steps = copy(steps, row, place + 1)?;
            all.extend(self.block(&steps, Some(&each))?);
        }
        Ok(all)
    }

    /// `race: { takeover: .., publish: .. }`: the first just before the second, the second just before the first, or both at once.
    fn race(&mut self, step: &Node, gate: &Gate) -> Result<Vec<String>, Wrong> {
        let known = self.races.iter().find(|(race, _)| race.at == step.at);
        let order = known.map_or(Order::Together, |(_, order)| *order);
        let later = Gate {
            id: format!("{} second", gate.block),
            block: gate.block.clone(),
        };
        if order != Order::Together {
            let wait = step.get("apart").cloned().unwrap_or_else(|| text(APART, step.at));
            let after = entry("after", text(&gate.id, step.at));
            self.note(&later.id, vec![after, entry("wait", wait)], &later.id, step.at);
        }
        let mut all = Vec::new();
        let sides = step.get("race").map_or(&[][..], Node::entries);
        for (place, (name, steps)) in sides.iter().enumerate() {
            let id = if order.is_later(place) {
                &later.id
            } else {
                &gate.id
            };
            let side = Gate {
                id: id.clone(),
                block: format!("{} {}", gate.block, name.text),
            };
            all.extend(self.block(steps, Some(&side))?);
        }
        Ok(all)
    }

    /// `phases`: groups of steps by name, each when the one before is over.
    fn phases(&mut self, phases: &Node) -> Result<(), Wrong> {
        if phases.entries().is_empty() {
            let mend = "write `phases: { calm: [ .. ], storm: [ .. ] }`";
            return Err(Wrong::at(phases.at, "no phases", mend));
        }
        let mut before: Option<Vec<String>> = None;
        for (key, steps) in phases.entries() {
            let gate = Gate {
                id: format!("phase {}", key.text),
                block: key.text.clone(),
            };
            let when = match &before {
                None => entry("at", text("0s", key.at)),
                Some(ids) => {
                    let ids = ids.iter().map(|id| text(id, key.at));
                    entry("after", list(ids.collect(), key.at))
                }
            };
            self.note(&gate.id, vec![when], &gate.id, key.at);
            let mut ids = self.block(steps, Some(&gate))?;
            ids.push(gate.id);
            before = Some(ids);
        }
        Ok(())
    }
}

fn of_kind(kind: &str) -> &'static [&'static str] {
    match kind {
        "race" => &["apart"],
        "repeat" => &["every", "steps"],
        _ => &["steps"],
    }
}

fn steps_of<'a>(step: &'a Node, kind: &str) -> Result<&'a Node, Wrong> {
    let missing = || {
        Wrong::at(
            step.at,
            format!("`{kind}` without `steps`"),
            "add `steps: [ .. ]`",
        )
    };
    step.get("steps").ok_or_else(missing)
}

/// What says when a step happens, so that it comes after a gate too and `at` counts from there.
fn behind(entries: Vec<(Key, Node)>, gate: &str, at: Location) -> Result<Vec<(Key, Node)>, Wrong> {
    let has = |wanted: &str| entries.iter().any(|(key, _)| key.text == wanted);
    if has("at") && (has("wait") || has("after")) {
        let message = "`at` counts from where the block begins, as `wait` does";
        return Err(Wrong::at(at, message, "leave one of them out"));
    }
    let mut after = Vec::new();
    let mut rest = Vec::new();
    for (mut key, value) in entries {
        match key.text.as_str() {
            "after" => match value.value {
                Value::List(items) => after.extend(items),
                single @ (Value::Text(_) | Value::Plain(_) | Value::Map(_) | Value::Null) => {
                    after.push(Node {
                        at: value.at,
                        value: single,
                    })
                }
            },
            "at" => {
                "wait".clone_into(&mut key.text);
                rest.push((key, value));
            }
            _ => rest.push((key, value)),
        }
    }
    after.push(text(gate, at));
    rest.push(entry("after", list(after, at)));
    Ok(rest)
}
