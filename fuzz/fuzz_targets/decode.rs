//! Any split of any bytes gives the same packets and the same error.

#![no_main]

#[expect(dead_code, reason = "this target takes one of the bodies")]
#[path = "../bodies/codec.rs"]
mod codec;

libfuzzer_sys::fuzz_target!(|input: &[u8]| codec::decode(input));
