use squall_proto::Version;

use super::Finder;
use crate::{
    scenario::Scenario,
    verdict::{Failure, Judged, judge_by},
};

/// A small scenario that fails, with all that a file about it says.
#[derive(Clone, Debug)]
pub struct Found {
    /// The scenario. Its name is what should hold, its `why` what came instead.
    pub scenario: Scenario,
    /// The version that it fails with.
    pub version: Version,
    /// The smallest seed that it fails with.
    pub seed: u64,
    /// How it fails.
    pub judged: Judged,
    failure: Failure,
}

impl Finder {
    /// What is to be said of the scenario, which was shrunk; `None`: it does not fail alike.
    pub fn found(&self, shrunk: Scenario) -> Option<Found> {
        let seed = self.seed(&shrunk)?;
        let judged = judge_by(&shrunk, self.version, seed, self.judging, None);
        let expected = judged.verdict.expected().first().map(String::as_str);
        let name = expected.unwrap_or(self.failure.what).to_owned();
        let got = judged.verdict.got().lines().next().unwrap_or_default();
        let why = format!("Found by a sweep ({}): {got}.", self.failure.what);
        Some(Found {
            scenario: Scenario {
                versions: self.versions(&shrunk),
                name,
                why,
                ..shrunk
            },
            version: self.version,
            seed,
            judged,
            failure: self.failure.clone(),
        })
    }

    /// Those of its versions that it fails with.
    fn versions(&self, scenario: &Scenario) -> Vec<Version> {
        let fails = |version: &Version| {
            *version == self.version
                || super::SMALL_SEEDS
                    .into_iter()
                    .any(|seed| self.fails_with(scenario, *version, seed))
        };
        scenario.versions.iter().copied().filter(fails).collect()
    }
}

impl Found {
    /// What did not hold, and a short number of its own: `no-loss-3fa9c1`.
    pub fn file_name(&self) -> String {
        let what = self.failure.what.replace('_', "-");
        // FNV-1a: the same scenario has the same number, whoever finds it.
        let number = self
            .scenario
            .to_yaml()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("{what}-{:06x}", number & 0xff_ffff)
    }

    /// The text of its file, which lies in `scenarios/found`: `file` is its path.
    pub fn to_yaml(&self, file: &str) -> String {
        format!(
            "# yaml-language-server: $schema=../../sim/schema/scenario.schema.json\n# squall run {file} --mqtt {} --seed {}\n{}",
            self.version,
            self.seed,
            self.scenario.to_yaml()
        )
    }
}
