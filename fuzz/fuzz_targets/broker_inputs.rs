//! Timed inputs of several clients leave the rules of the standard whole, and nothing behind.

#![no_main]

#[path = "../bodies/broker.rs"]
mod broker;
#[expect(dead_code, reason = "this target takes the packets of one side")]
#[path = "../bodies/packets.rs"]
mod packets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| broker::broker_inputs(input));
