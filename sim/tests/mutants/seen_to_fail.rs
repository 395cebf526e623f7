//! Scenarios that no mutant's entry names, and a mutant that fails each: the rows of `seen_to_fail.tsv`.

use squall_proto::Version;
use squall_sim::mutants::CaughtBy;

/// A scenario that fails with a mutant.
#[derive(Clone, Copy)]
pub(super) struct Fails {
    pub(super) by: CaughtBy,
    pub(super) mutant: &'static str,
}

/// All of them.
pub(super) fn seen_to_fail() -> impl Iterator<Item = Fails> {
    include_str!("seen_to_fail.tsv").lines().skip(1).map(fails)
}

fn fails(row: &'static str) -> Fails {
    let cells: Vec<&str> = row.split('\t').collect();
    let &[scenario, variant, version, mutant, check] = cells.as_slice() else {
        panic!("five cells a row: {row}");
    };
    let version = Version::ALL.into_iter().find(|it| it.to_string() == version);
    let by = CaughtBy {
        scenario,
        variant,
        check,
        version: version.expect("a version of the protocol"),
    };
    Fails { by, mutant }
}
