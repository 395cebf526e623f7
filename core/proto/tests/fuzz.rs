//! The fuzz targets of this package on a stable compiler: every case of the corpus, and a run of inputs made from seeds.
//! `SQUALL_FUZZ_SECONDS=600 cargo test --release -p squall-proto --test fuzz -- broker` runs one for longer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot read its cases should stop there; a driver says what it ran, for how long"
)]

use crate::{
    case::Case,
    driver::{Random, drive},
};

#[path = "../../../fuzz/bodies/broker.rs"]
mod broker;
#[expect(dead_code, reason = "the targets take the bytes alone")]
#[path = "corpus/case.rs"]
mod case;
#[path = "../../../fuzz/bodies/client.rs"]
mod client;
#[path = "../../../fuzz/bodies/codec.rs"]
mod codec;
#[path = "../../../fuzz/driver.rs"]
mod driver;
#[path = "../../../fuzz/bodies/packets.rs"]
mod packets;

#[test]
fn every_case_of_the_corpus_runs_through_the_targets() {
    for case in case::all() {
        for choice in 0..=u8::MAX {
            let input = [&[choice], case.bytes.as_slice()].concat();
            codec::decode(&input);
            codec::round_trip(&input);
        }
    }
}

#[test]
fn decode_finds_the_same_packets_however_the_bytes_come() {
    let cases = case::all();
    drive("decode", 20_000, |random| changed(&cases, random), codec::decode);
}

#[test]
fn round_trip_gives_the_same_packets_again() {
    let cases = case::all();
    drive(
        "round_trip",
        20_000,
        |random| changed(&cases, random),
        codec::round_trip,
    );
}

/// A few cases one after another, a few of their bytes replaced, doubled or left out.
fn changed(cases: &[Case], random: &mut Random) -> Vec<u8> {
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
fn topic_match_finds_what_a_comparison_finds() {
    drive("topic_match", 20_000, filters, codec::topic_match);
}

/// A Topic Name and some Topic Filters, of few and short levels so that many match.
fn filters(random: &mut Random) -> Vec<u8> {
    let mut lines = vec![levels(&["a", "b", "", "$a"], random)];
    for _ in 0..random.below(8) {
        lines.push(levels(&["a", "b", "", "$a", "+", "+", "#"], random));
    }
    lines.join("\n").into_bytes()
}

fn levels(choices: &[&str], random: &mut Random) -> String {
    let count = 1 + random.below(4);
    let levels: Vec<_> = (0..count)
        .map(|_| *choices.get(random.below(choices.len())).unwrap())
        .collect();
    levels.join("/")
}

#[test]
fn broker_inputs_leave_the_rules_whole() {
    drive("broker_inputs", 2_000, steps, broker::broker_inputs);
}

#[test]
fn client_inputs_leave_the_rules_whole() {
    drive("client_inputs", 2_000, steps, client::client_inputs);
}

/// As many bytes as some hundred steps eat.
fn steps(random: &mut Random) -> Vec<u8> {
    let length = random.below(2_000);
    (0..length).map(|_| random.byte()).collect()
}
