//! The fuzz target of the configuration on a stable compiler.
//! `SQUALL_FUZZ_SECONDS=600 cargo test --release -p squall-node --test fuzz` runs it for longer.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a driver says what it ran, for how long"
)]

use crate::{driver::drive, words::changed_text};

#[path = "../../../fuzz/bodies/config.rs"]
mod config;
#[path = "../../../fuzz/driver.rs"]
mod driver;
#[path = "../../../fuzz/bodies/place.rs"]
mod place;
#[path = "../../../fuzz/words.rs"]
mod words;

const DOCUMENTED: &str = include_str!("../../../docs/squall.toml");
const TOKENS: [&str; 24] = [
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "#",
    "-1",
    "0",
    "9999999999999999999999",
    "1e400",
    "\"1 MiB\"",
    "\"10s\"",
    "true",
    "é",
    "\r\n",
    "\u{0}",
];

#[test]
fn every_text_is_a_configuration_or_an_error_with_its_place() {
    drive(
        "config",
        5_000,
        |random| changed_text(DOCUMENTED, &TOKENS, random),
        config::config,
    );
}
