//! Every scenario, each variant of it, with every version of the protocol it is for is a test of its own: run twice with equal traces, shown to every
//! check, and run without its faults.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use libtest_mimic::{Arguments, Failed, Trial};
use squall_sim::{
    scenario::{Scenario, find_scenarios},
    verdict::judge,
};

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
/// More are for the sweep: `squall run scenarios --seeds 0..1000`.
const SEEDS: std::ops::Range<u64> = 0..3;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let files = find_scenarios(&[PathBuf::from(SCENARIOS)]).expect("there are scenarios");
    libtest_mimic::run(&arguments, files.iter().flat_map(|file| trials(file)).collect()).exit_code()
}

fn trials(file: &Path) -> Vec<Trial> {
    let name = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    match Scenario::read_all(file) {
        Ok(variants) => variants
            .into_iter()
            .flat_map(|variant| trials_of(&name, variant))
            .collect(),
        Err(error) => vec![Trial::test(name, move || Err(Failed::from(error)))],
    }
}

fn trials_of(file: &str, scenario: Scenario) -> Vec<Trial> {
    let name = match scenario.variant.as_str() {
        "" => file.to_owned(),
        variant => format!("{file} {variant}"),
    };
    let scenario = Arc::new(scenario);
    let trial = |version| {
        let scenario = Arc::clone(&scenario);
        let file = file.to_owned();
        Trial::test(format!("{name} in {version}"), move || {
            SEEDS
                .clone()
                .try_for_each(|seed| holds(&scenario, &file, version, seed))
        })
    };
    scenario.versions.iter().copied().map(trial).collect()
}

fn holds(scenario: &Scenario, file: &str, version: squall_proto::Version, seed: u64) -> Result<(), Failed> {
    let judged = judge(scenario, version, seed, true);
    if judged.verdict.holds() {
        return Ok(());
    }
    let expected = judged.verdict.expected().join(", or ");
    let mut shown = format!("expected {expected}\ngot {}\n", judged.verdict.got());
    for line in &judged.packets {
        shown.push_str(&format!(
            "{:>12} {} -> {}: {}\n",
            line.at_micros, line.from, line.to, line.text
        ));
    }
    let variant = match scenario.variant.as_str() {
        "" => String::new(),
        variant => format!(" --variant \"{variant}\""),
    };
    shown.push_str(&format!(
        "again: squall run scenarios/{file}.yaml{variant} --mqtt {version} --seed {seed}"
    ));
    Err(Failed::from(shown))
}
