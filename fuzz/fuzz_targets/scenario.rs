//! Any text is a scenario or an error with its place.

#![no_main]

#[path = "../bodies/place.rs"]
mod place;
#[path = "../bodies/scenario.rs"]
mod scenario;

libfuzzer_sys::fuzz_target!(|input: &[u8]| scenario::scenario(input));
