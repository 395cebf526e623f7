//! Runs of a text, in both versions.

use squall_proto::Version;
use squall_sim::{
    run::{Arm, Run, run},
    scenario::Scenario,
};

pub(crate) fn scenario(yaml: &str) -> Scenario {
    Scenario::parse("test.yaml", yaml).expect("a scenario")
}

/// Runs a scenario in both versions, twice each with one seed.
pub(crate) fn runs(yaml: &str) -> [Run; 2] {
    let scenario = scenario(yaml);
    Version::ALL.map(|version| {
        let first = run(&scenario, version, 7, Arm::Faults);
        assert!(
            first == run(&scenario, version, 7, Arm::Faults),
            "one seed, two histories"
        );
        first
    })
}
