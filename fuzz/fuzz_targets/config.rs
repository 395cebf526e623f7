//! Any text is a configuration or an error with its place.

#![no_main]

#[path = "../bodies/config.rs"]
mod config;
#[path = "../bodies/place.rs"]
mod place;

libfuzzer_sys::fuzz_target!(|input: &[u8]| config::config(input));
