//! The races of a file, and the orders that each is run in.

use serde_saphyr::Location;

use crate::scenario::{
    tree::{Node, Value},
    wrong::Wrong,
};

/// Two things that happen next to each other.
#[derive(Clone)]
pub(super) struct Race {
    /// Which step it is.
    pub(super) at: Location,
    /// What it is called in the name of a variant.
    pub(super) name: String,
    /// What each is called.
    sides: [String; 2],
}

/// Which of the two comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The one that is written first.
    AsWritten,
    /// The other.
    Turned,
    /// Both in the same moment: the links decide whose packets arrive first.
    Together,
}

impl Order {
    const ALL: [Self; 3] = [Self::AsWritten, Self::Turned, Self::Together];

    /// Whether the side at this place waits for the other.
    pub(super) const fn is_later(self, place: usize) -> bool {
        match self {
            Self::AsWritten => place == 1,
            Self::Turned => place == 0,
            Self::Together => false,
        }
    }
}

/// Every combination of orders, each with its part of a variant's name.
pub(super) fn orders(races: &[Race]) -> Vec<(String, Vec<(Race, Order)>)> {
    let mut all = vec![(String::new(), Vec::new())];
    for race in races {
        let more = |(name, orders): &(String, Vec<(Race, Order)>)| {
            Order::ALL.map(|order| {
                let [first, second] = &race.sides;
                let part = match order {
                    Order::AsWritten => format!("{}={} first", race.name, first),
                    Order::Turned => format!("{}={} first", race.name, second),
                    Order::Together => format!("{}=together", race.name),
                };
                let name = match name.as_str() {
                    "" => part,
                    before => format!("{before},{part}"),
                };
                let mut orders = orders.clone();
                orders.push((race.clone(), order));
                (name, orders)
            })
        };
        all = all.iter().flat_map(more).collect();
    }
    all
}

/// The races among the steps of a tree, blocks within blocks too.
pub(super) fn races(root: &Node) -> Result<Vec<Race>, Wrong> {
    let mut found = Vec::new();
    for key in ["steps", "phases"] {
        if let Some(steps) = root.get(key) {
            collect(steps, &mut found)?;
        }
    }
    if found.len() > RACES_MAX {
        let message = format!("{} races: too many orders to run them all", found.len());
        return Err(Wrong::at(root.at, message, "write a file for each"));
    }
    Ok(found)
}

const RACES_MAX: usize = 4;

fn collect(node: &Node, found: &mut Vec<Race>) -> Result<(), Wrong> {
    match &node.value {
        Value::Map(entries) => {
            if let Some(race) = node.get("race") {
                found.push(self::race(node, race, found.len())?);
            }
            entries.iter().try_for_each(|(_, value)| collect(value, found))
        }
        Value::List(items) => items.iter().try_for_each(|item| collect(item, found)),
        Value::Text(_) | Value::Plain(_) | Value::Null => Ok(()),
    }
}

fn race(step: &Node, race: &Node, before: usize) -> Result<Race, Wrong> {
    let [(first, _), (second, _)] = race.entries() else {
        let mend = "write `race: { takeover: { connect: .. }, publish: { publish: .. } }`";
        return Err(Wrong::at(race.at, "a race is between two", mend));
    };
    let name = match (step.get("id").and_then(Node::scalar), before) {
        (Some(id), _) => id.to_owned(),
        (None, 0) => "race".to_owned(),
        (None, before) => format!("race {}", before + 1),
    };
    Ok(Race {
        at: step.at,
        name,
        sides: [first.text.clone(), second.text.clone()],
    })
}
