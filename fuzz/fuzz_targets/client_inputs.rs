//! Timed inputs of a server and an application leave the rules of the standard whole, and no request without an end.

#![no_main]

#[path = "../bodies/client.rs"]
mod client;
#[expect(dead_code, reason = "this target takes the packets of one side")]
#[path = "../bodies/packets.rs"]
mod packets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| client::client_inputs(input));
