//! The subscription tree finds what a comparison level by level finds.

#![no_main]

#[expect(dead_code, reason = "this target takes one of the bodies")]
#[path = "../bodies/codec.rs"]
mod codec;

libfuzzer_sys::fuzz_target!(|input: &[u8]| codec::topic_match(input));
