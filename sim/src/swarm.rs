//! Draws whole scenarios, each with its own mix of what there is: who takes part, what they say, what goes wrong.
//!
//! A draw says what a file would say, in plain values, and is then read like a file; so a part of it that is no scenario is noticed
//! at once. What is left out of most draws is what finds most: a fault hides another one, and a client that keeps nothing loses
//! nothing. So each feature is on or off by a coin, and drawn only if it is on.
//!
//! In reading order: [`draw`]; `mix` (the coins); `plain` (how values are put together); what is drawn: `settings` (broker and
//! network), `clients`, `steps`, `blocks` (races and repeats), `faults`; and whoever speaks packet by packet: `peers`, `script` (their
//! answers, and those of a scripted broker), `packets`. To add a step or fault: a function in the file of its kind, and its name in the list there.

mod blocks;
mod clients;
mod faults;
mod mix;
mod packets;
mod peers;
mod plain;
mod script;
mod settings;
mod steps;

use proptest::{
    strategy::{BoxedStrategy, Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rand::RngExt;
use serde_json::{Value, json};
use squall_proto::Version;

use crate::{
    scenario::{Plain, Scenario},
    world::generator,
};

/// The scenario of a seed. It is for one version, this one if one is given; it takes place in less than half a minute, and expects nothing but what the checks
/// hold in every run.
///
/// # Panics
///
/// When a strategy draws what is no scenario: our own fault, which the tests look for.
pub fn draw(seed: u64, version: Option<Version>) -> Scenario {
    let drawn = values(seed, version);
    let scenario = read(&drawn, seed)
        .unwrap_or_else(|error| panic!("seed {seed} draws no scenario: {error}\n{drawn:#}"));
    if let Err(problem) = scenario.sound() {
        panic!(
            "seed {seed} draws a contradiction: {problem}\n{}",
            scenario.to_yaml()
        );
    }
    scenario
}

/// What it says; if that is several scenarios, the one that the seed chooses.
fn read(drawn: &Value, seed: u64) -> Result<Scenario, String> {
    let plain: Plain = serde_json::from_value(drawn.clone()).map_err(|error| error.to_string())?;
    let mut variants = plain.read()?;
    let chosen = generator(seed, "variant").random_range(0..variants.len());
    Ok(variants.swap_remove(chosen).alone())
}

fn values(seed: u64, version: Option<Version>) -> Value {
    let mut chance = Chance::new(seed);
    let mut mix = chance.draw(&mix::mix());
    mix.v5 = version.map_or(mix.v5, |version| version == Version::V5);
    let cast = clients::cast(&mix);
    let mut steps = chance.draw(&steps::steps(&mix, &cast));
    steps.extend(chance.draw(&faults::faults(&mix, &cast)));
    json!({
        "name": format!("Swarm {seed}"),
        "why": "Every check holds in every run.",
        "versions": [if mix.v5 { "5.0" } else { "3.1.1" }],
        "broker": chance.draw(&settings::broker(&mix)),
        "network": chance.draw(&settings::network(&mix)),
        "clients": chance.draw(&clients::clients(&mix, &cast)),
        "peers": chance.draw(&peers::peers(&mix, &cast)),
        "steps": steps,
    })
}

/// What a strategy draws is decided by a seed.
struct Chance(TestRunner);

impl Chance {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        generator(seed, "swarm").fill(&mut bytes);
        let chance = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self(TestRunner::new_with_rng(Config::default(), chance))
    }

    fn draw<T: std::fmt::Debug>(&mut self, strategy: &BoxedStrategy<T>) -> T {
        match strategy.new_tree(&mut self.0) {
            Ok(tree) => tree.current(),
            Err(reason) => unreachable!("nothing that is drawn is refused: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests;
