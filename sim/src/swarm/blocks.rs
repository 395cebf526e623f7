//! Steps next to each other, and steps again and again.

use proptest::{prelude::Strategy as _, strategy::BoxedStrategy};
use serde_json::{Value, json};

use super::{
    clients::Cast,
    faults,
    mix::Mix,
    plain::{Draw, map, milli_range, millis, number, sometimes},
    steps,
};

/// The steps that stand for several, as the mix switches them.
pub(super) const NAMES: &[&str] = &["race", "repeat"];

/// One of each that is on.
pub(super) fn blocks(mix: &Mix, cast: &Cast) -> BoxedStrategy<Vec<Value>> {
    let mut parts = Vec::new();
    if mix.has("race") {
        parts.push(race(mix, cast));
    }
    if mix.has("repeat") {
        parts.push(repeat(mix, cast));
    }
    parts.prop_map(|parts| parts).boxed()
}

/// Two things in either order, or at once: which, the seed says.
fn race(mix: &Mix, cast: &Cast) -> Draw {
    let sides = (one(mix, cast), one(mix, cast));
    let sides = sides.prop_map(|(one, other)| json!({ "one": one, "other": other }));
    map(vec![
        ("at", millis(steps::WHEN)),
        ("race", sides.boxed()),
        ("apart", sometimes(milli_range(1..=50))),
    ])
}

/// A few things, several times.
fn repeat(mix: &Mix, cast: &Cast) -> Draw {
    let some = proptest::collection::vec(one(mix, cast), 1..=2);
    map(vec![
        ("at", millis(steps::WHEN)),
        ("repeat", number(2..=4)),
        ("every", sometimes(millis(1..=2000))),
        ("steps", some.prop_map(Value::from).boxed()),
    ])
}

/// What somebody does, or what goes wrong, at no time of its own.
fn one(mix: &Mix, cast: &Cast) -> Draw {
    let acts = steps::acts(mix, cast);
    let faults = faults::acts(mix, cast);
    proptest::strategy::Union::new(acts.into_iter().chain(faults)).boxed()
}
