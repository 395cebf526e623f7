use std::collections::BTreeSet;

use super::*;
use crate::{faults::Fault, scenario::Action};

const SEEDS: std::ops::Range<u64> = 0..800;

/// They do nothing; who waits for a packet by chance may wait for ever.
const NOT_DRAWN: [&str; 3] = ["await", "expect_none", "note"];

/// Every key that a drawn scenario has somewhere.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            found.extend(entries.keys().cloned());
            entries.values().for_each(|value| keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_seed_draws_a_scenario_and_all_of_them_draw_every_fault_and_step() {
    let mut drawn = BTreeSet::new();
    for seed in SEEDS {
        draw(seed, None);
        keys(&values(seed, None), &mut drawn);
    }
    let without: Vec<&str> = Fault::NAMES
        .iter()
        .chain(Action::NAMES)
        .copied()
        .filter(|name| !drawn.contains(*name) && !NOT_DRAWN.contains(name))
        .collect();
    assert!(
        without.is_empty(),
        "without a strategy in sim/src/swarm/{{faults,steps}}.rs: {without:?}"
    );
}

#[test]
fn a_seed_draws_the_same_each_time() {
    for seed in [0, 7, u64::MAX] {
        assert_eq!(values(seed, None), values(seed, None));
    }
    assert!(values(1, None) != values(2, None));
}

#[test]
fn a_drawn_scenario_is_written_as_yaml_that_reads_as_the_same() {
    for seed in (0..30).map(|seed| seed * 31) {
        let scenario = draw(seed, None);
        let yaml = scenario.to_yaml();
        assert_eq!(Scenario::parse("drawn.yaml", &yaml).unwrap(), scenario, "{yaml}");
    }
}

#[test]
fn half_of_the_draws_have_at_most_one_kind_of_fault() {
    let kinds = |seed| {
        let scenario = draw(seed, None);
        let names = scenario.steps.iter().map(|step| step.action.name());
        let faults = names.filter(|name| Fault::NAMES.contains(name));
        faults.collect::<BTreeSet<_>>().len()
    };
    let few = (0..400).filter(|seed| kinds(*seed) <= 1).count();
    assert!((150..300).contains(&few), "{few} of 400");
}
