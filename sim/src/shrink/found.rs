use std::sync::Arc;

use squall_proto::Version;
use squall_reports::{POINTER, PacketLine};

use super::Finder;
use crate::{
    scenario::Scenario,
    verdict::{Failure, Judged, judge_by},
};

/// A small scenario that fails, with all that a file about it says.
#[derive(Clone, Debug)]
pub struct Found {
    /// The scenario, with the one that it is compared with if that is how it fails. Its name is what should hold, its `why` what came
    /// instead and the packets around it.
    pub scenario: Scenario,
    /// The version that it fails with.
    pub version: Version,
    /// The smallest seed that it fails with.
    pub seed: u64,
    /// How it fails.
    pub judged: Judged,
    failure: Failure,
}

/// So many packets are shown on each side of what it is about.
const NEXT_TO: usize = 4;

impl Finder {
    /// What is to be said of the scenario, which was shrunk; `None`: it does not fail alike.
    pub fn found(&self, shrunk: Scenario) -> Option<Found> {
        let seed = self.seed(&shrunk)?;
        let judged = judge_by(&shrunk, self.version, seed, self.judging, None);
        let expected = judged.verdict.expected().first().map(String::as_str);
        let name = expected.unwrap_or(self.failure.what);
        let why = why(&judged);
        let versions = self.versions(&shrunk);
        let said = |scenario: &Scenario, versions: Vec<Version>| Scenario {
            name: name.to_owned(),
            why: why.clone(),
            versions,
            ..scenario.clone()
        };
        let scenario = match &shrunk.reference {
            // That one path has another version may be the difference.
            Some(reference) => Scenario {
                reference: Some(Arc::new(said(reference, reference.versions.clone()))),
                ..said(&shrunk, shrunk.versions.clone())
            },
            None => said(&shrunk, versions),
        };
        Some(Found {
            scenario,
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

/// What came, and the packets next to it.
fn why(judged: &Judged) -> String {
    let got = judged.verdict.got().lines().next().unwrap_or_default();
    let lines: Vec<String> = judged.packets.iter().map(line).collect();
    let marked = |place: &usize| lines.get(*place).is_some_and(|line| line.ends_with(POINTER));
    let is_next_to_one =
        |place: usize| (place.saturating_sub(NEXT_TO)..=place + NEXT_TO).any(|near| marked(&near));
    let next_to_it = lines
        .iter()
        .enumerate()
        .filter(|(place, _)| is_next_to_one(*place));
    let said = [format!("Found by a sweep: {got}")];
    let all = said.iter().chain(next_to_it.map(|(_, line)| line));
    all.map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// `1.203 broker -> sub: PUBLISH q1 id 1 "t"`.
fn line(packet: &PacketLine) -> String {
    let PacketLine {
        at_micros,
        from,
        to,
        text,
        mark: _,
    } = packet;
    let millis = at_micros / 1000;
    let between = match (from.as_str(), to.as_str()) {
        ("", _) => String::new(),
        (_, "") => format!("{from}: "),
        (_, _) => format!("{from} -> {to}: "),
    };
    format!("{}.{:03} {between}{}", millis / 1000, millis % 1000, text.trim())
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
