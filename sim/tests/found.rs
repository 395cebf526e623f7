//! What swarms found and has been mended since, as they wrote it down: nothing is found in it any more.
//!
//! The second line of a file says with which version and seed it failed. A fault may touch nothing there since.

use std::path::{Path, PathBuf};

use squall_proto::Version;
use squall_sim::{
    scenario::{Scenario, find_scenarios},
    verdict::{Judging, judge_by},
};

const FOUND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/found");
/// Beside the one it failed with.
const SEEDS: std::ops::Range<u64> = 0..4;

#[test]
fn nothing_is_found_any_more_in_what_swarms_found() {
    let files = find_scenarios(&[PathBuf::from(FOUND)]).unwrap();
    let wrong: Vec<String> = files.iter().flat_map(|file| failures(file)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn failures(file: &Path) -> Vec<String> {
    let own = own_seed(file);
    let scenarios = Scenario::read_all(file).expect("a file that the swarm wrote can be read");
    let of_scenario = |scenario: &Scenario| {
        let runs = scenario.versions.iter().flat_map(|version| {
            let seeds = SEEDS.chain(own.filter(|seed| !SEEDS.contains(seed)));
            seeds.map(|seed| (*version, seed))
        });
        let failed = runs.filter_map(|(version, seed)| failure(file, scenario, version, seed));
        failed.collect::<Vec<_>>()
    };
    scenarios.iter().flat_map(of_scenario).collect()
}

fn failure(file: &Path, scenario: &Scenario, version: Version, seed: u64) -> Option<String> {
    let judged = judge_by(scenario, version, seed, Judging::ONCE, None);
    let failed = !judged.verdict.holds();
    failed.then(|| {
        format!(
            "{} in {version} with seed {seed}: {:?}",
            file.display(),
            judged.verdict
        )
    })
}

fn own_seed(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).expect("the file was just read");
    let line = text.lines().find(|line| line.starts_with("# squall run "))?;
    line.rsplit_once("--seed ")?.1.trim().parse().ok()
}
