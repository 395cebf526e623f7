//! Traces as files: what is written is read back as it was, and a capture holds every byte.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that is wrong about a trace should stop there"
)]

#[path = "trace/bytes.rs"]
mod bytes;
#[path = "trace/capture.rs"]
mod capture;
#[path = "../../core/proto/tests/codec/fields.rs"]
#[expect(dead_code, reason = "the strategies need some of them")]
mod fields;
#[path = "trace/lines.rs"]
mod lines;
#[path = "../../core/proto/tests/codec/strategies.rs"]
#[expect(dead_code, reason = "any packet is all that is needed")]
mod strategies;
