//! The bodies of the fuzz targets on a stable compiler: every case of the corpus, and a seeded run of changed ones.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its cases should stop there"
)]

use crate::case::Case;

#[path = "../../../fuzz/bodies.rs"]
mod bodies;
#[expect(dead_code, reason = "the targets take the bytes alone")]
#[path = "corpus/case.rs"]
mod case;

/// Inputs of a seeded run.
const RUNS: u32 = 20_000;

/// Numbers that look random, the same in every run.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

#[test]
fn every_case_of_the_corpus_runs_through_the_targets() {
    for case in case::all() {
        for choice in 0..=u8::MAX {
            let input = [&[choice], case.bytes.as_slice()].concat();
            bodies::decode(&input);
            bodies::round_trip(&input);
        }
    }
}

#[test]
fn changed_and_joined_cases_run_through_the_targets() {
    let (cases, mut random) = (case::all(), Xorshift(1));
    for _ in 0..RUNS {
        let input = changed(&cases, &mut random);
        bodies::decode(&input);
        bodies::round_trip(&input);
    }
}

/// A few cases one after another, a few of their bytes replaced, doubled or left out.
fn changed(cases: &[Case], random: &mut Xorshift) -> Vec<u8> {
    let mut input = vec![random.byte()];
    for _ in 0..=random.below(3) {
        input.extend(&cases.get(random.below(cases.len())).unwrap().bytes);
    }
    for _ in 0..random.below(4) {
        let at = random.below(input.len());
        match random.below(3) {
            0 => *input.get_mut(at).unwrap() = random.byte(),
            1 => input.insert(at, random.byte()),
            _ => input.truncate(at.max(1)),
        }
    }
    input
}

#[test]
fn filters_at_random_are_found_as_a_comparison_finds_them() {
    let mut random = Xorshift(1);
    for _ in 0..RUNS {
        bodies::topic_match(filters(&mut random).as_bytes());
    }
}

/// A Topic Name and some Topic Filters, of few and short levels so that many match.
fn filters(random: &mut Xorshift) -> String {
    let mut lines = vec![levels(&["a", "b", "", "$a"], random)];
    for _ in 0..random.below(8) {
        lines.push(levels(&["a", "b", "", "$a", "+", "+", "#"], random));
    }
    lines.join("\n")
}

fn levels(choices: &[&str], random: &mut Xorshift) -> String {
    let count = 1 + random.below(4);
    let levels: Vec<_> = (0..count)
        .map(|_| *choices.get(random.below(choices.len())).unwrap())
        .collect();
    levels.join("/")
}
