//! The fuzz target of scenario files on a stable compiler.
//! `SQUALL_FUZZ_SECONDS=600 cargo test --release -p squall-sim --test fuzz` runs it for longer.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a driver says what it ran, for how long"
)]

use std::{fs, path::Path};

use squall_sim::scenario::find_scenarios;

use crate::{driver::drive, words::changed_text};

#[path = "../../fuzz/driver.rs"]
mod driver;
#[path = "../../fuzz/bodies/place.rs"]
mod place;
#[path = "../../fuzz/bodies/scenario.rs"]
mod scenario;
#[path = "../../fuzz/words.rs"]
mod words;

const TOKENS: [&str; 32] = [
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    "- ",
    ", ",
    "\"",
    "'",
    "\n",
    "\n  ",
    "#",
    "-1",
    "0",
    "99999999999999999999",
    "1e999",
    "5ms..40ms",
    "~",
    "|",
    ">-",
    "&a",
    "*a",
    "<<: ",
    "!!int",
    "true",
    "é",
    "\t",
    "\r\n",
    "---\n",
    "..",
    "pub",
];

#[test]
fn every_text_is_a_scenario_or_an_error_with_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let paths = find_scenarios(&[folder]).unwrap();
    let texts: Vec<String> = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let make = |random: &mut driver::Random| {
        let text = texts.get(random.below(texts.len())).unwrap();
        changed_text(text, &TOKENS, random)
    };
    drive("scenario", 2_000, make, scenario::scenario);
}
