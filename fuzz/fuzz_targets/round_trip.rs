//! What decodes encodes, and decodes to the same again.

#![no_main]

#[expect(dead_code, reason = "this target takes one of the bodies")]
#[path = "../bodies/codec.rs"]
mod codec;

libfuzzer_sys::fuzz_target!(|input: &[u8]| codec::round_trip(input));
