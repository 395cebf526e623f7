//! Makes a scenario that fails small: whatever it does not need to fail in the same way is taken away, and what is left is made
//! simple.
//!
//! It works on what the file says (`Plain`), not on types: whatever a scenario can say is shrunk, and what is no scenario any more is
//! never run. Two paths that do not deliver the same are shrunk together, as one file says them. In reading order: [`shrink`],
//! [`Finder`], and the passes: `paths` (fewer differences), `parts` (fewer clients, steps, keys), `gaps` (less waiting between steps),
//! `values` (simpler times and texts), `numbers`.

mod found;
mod gaps;
mod numbers;
mod parts;
mod paths;
mod values;

pub use found::Found;

use std::{collections::BTreeSet, sync::Arc};

use squall_proto::Version;

use crate::{
    run::pinned,
    scenario::{Action, Plain, Scenario},
    verdict::{Failure, Judging, judge_by},
};

/// What shrinking came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest scenario that was found to fail alike.
    pub scenario: Scenario,
    /// How many candidates were tried.
    pub tried: u32,
}

/// One way to smaller scenarios: shows candidates to the attempt until none is left.
type Pass = fn(&mut Attempt<'_>);

/// A pass that finds something makes an earlier one worth another look, so the coarse ones come first.
const PASSES: &[Pass] = &[
    paths::common,
    parts::parties,
    parts::items,
    parts::notes,
    parts::keys,
    gaps::close,
    values::simpler,
];

/// Takes away from a scenario all that it does not need for `fails` to say yes, one change at a time, until no smaller one fails or
/// `fails` has been asked `at_most` times. The same scenario and the same answers give the same result.
pub fn shrink(scenario: &Scenario, at_most: u32, mut fails: impl FnMut(&Scenario) -> bool) -> Shrunk {
    let mut attempt = Attempt {
        smallest: Plain::file(scenario),
        fails: &mut fails,
        known: BTreeSet::new(),
        left: at_most,
    };
    loop {
        let before = attempt.smallest.clone();
        for pass in PASSES {
            pass(&mut attempt);
        }
        if attempt.smallest == before {
            break;
        }
    }
    Shrunk {
        scenario: attempt.smallest.scenario().unwrap_or_else(|| scenario.clone()),
        tried: at_most - attempt.left,
    }
}

/// What is being shrunk, as the passes see it.
struct Attempt<'a> {
    smallest: Plain,
    fails: &'a mut dyn FnMut(&Scenario) -> bool,
    /// What has been tried in vain.
    known: BTreeSet<String>,
    left: u32,
}

impl Attempt<'_> {
    /// Whether the candidate fails alike; then it is the smallest now.
    fn takes(&mut self, candidate: Plain) -> bool {
        let candidate = paths::settled(candidate);
        if self.left == 0 || candidate == self.smallest {
            return false;
        }
        let sound = |scenario: &Scenario| scenario.sound().is_ok();
        let Some(scenario) = candidate.scenario().filter(sound) else {
            return false;
        };
        if !self.known.insert(candidate.to_json()) {
            return false;
        }
        self.left -= 1;
        let takes = (self.fails)(&scenario);
        if takes {
            self.smallest = candidate;
        }
        takes
    }
}

/// Looks whether a scenario fails alike: with the seed that it failed with, and with some others, because what is taken away
/// changes what a seed means.
#[derive(Clone, Debug)]
pub struct Finder {
    failure: Failure,
    version: Version,
    seed: u64,
    judging: Judging,
    /// Who stays away for ever, as the scenario has it.
    away: BTreeSet<String>,
}

/// The seeds that are tried beside that of the failure, for each candidate and at the end.
const OTHER_SEEDS: std::ops::Range<u64> = 0..3;
const SMALL_SEEDS: std::ops::Range<u64> = 0..50;

impl Finder {
    /// Of a failure of a scenario, with the version and the seed that it came with.
    pub fn new(scenario: &Scenario, failure: Failure, version: Version, seed: u64) -> Self {
        let judging = Judging {
            twice: failure.what == "two_runs_differ",
            control: !failure.with_faults,
            touched: failure.what == "untouched",
            over: true,
        };
        Self {
            failure,
            version,
            seed,
            judging,
            away: away(scenario),
        }
    }

    /// What is to be shrunk of a scenario that fails: with one time for each step where the seed chose from a range, if that fails alike;
    /// with what it is compared with, if that is how it fails.
    pub fn part(&self, scenario: &Scenario) -> Scenario {
        let compared = scenario
            .reference
            .clone()
            .filter(|_| self.failure.what == "two_paths");
        let alone = match compared {
            Some(_) => scenario.clone(),
            None => scenario.clone().alone(),
        };
        let pinned = Scenario {
            reference: compared.map(|reference| Arc::new(pinned(&reference, self.seed))),
            ..pinned(&alone, self.seed)
        };
        if self.fails_with(&pinned, self.version, self.seed) {
            pinned
        } else {
            alone
        }
    }

    /// Whether the scenario fails alike with its own seed or a small one.
    pub fn fails(&self, scenario: &Scenario) -> bool {
        let mut seeds = OTHER_SEEDS.filter(|seed| *seed != self.seed);
        self.fails_with(scenario, self.version, self.seed)
            || seeds.any(|seed| self.fails_with(scenario, self.version, seed))
    }

    /// The smallest seed that the scenario fails alike with; `None`: it does not.
    pub fn seed(&self, scenario: &Scenario) -> Option<u64> {
        let fails = |seed: &u64| self.fails_with(scenario, self.version, *seed);
        SMALL_SEEDS.chain([self.seed]).find(fails)
    }

    fn fails_with(&self, scenario: &Scenario, version: Version, seed: u64) -> bool {
        scenario.versions.contains(&version)
            && (!self.is_about_the_end() || away(scenario).is_subset(&self.away))
            && judge_by(scenario, version, seed, self.judging, None)
                .failures
                .first()
                == Some(&self.failure)
    }
}

impl Finder {
    /// Whether it is about what is still to come when all is over: there is always something to come for who stays away.
    fn is_about_the_end(&self) -> bool {
        ["liveness", "overdue"].contains(&self.failure.what)
    }
}

/// The clients that are not there in the end: they are told to go more often than to come, or do not come back by themselves.
fn away(scenario: &Scenario) -> BTreeSet<String> {
    let told = |is_it: fn(&Action, &str) -> bool, name: &str| {
        let steps = scenario.steps.iter();
        steps.filter(|step| is_it(&step.action, name)).count()
    };
    let comes = |action: &Action, name: &str| matches!(action, Action::Connect(it) if it.client == name);
    let goes = |action: &Action, name: &str| matches!(action, Action::Disconnect(it) if it.client == name);
    let clients = scenario.clients.iter();
    let away = clients.filter(|(name, client)| !client.stays() || told(goes, name) > told(comes, name));
    away.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
