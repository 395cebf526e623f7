//! What durability costs: QoS 1 over loopback into persistent sessions whose clients are away, each message acknowledged when it is on the
//! disk; beside it the same broker whose store is a plain write-ahead file with fdatasync, so that the batches are the same, and such a file
//! by itself with as many producers. Then a queue of a million messages: the file, the memory, the time a restart takes.
//!
//! `cargo bench -p squall-node --bench durable -- [throughput|queue] [DIR]`; without a word, all of it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::unreachable,
    reason = "a bench runs in no world, says what it found, and stops where something is wrong"
)]

#[path = "durable/broker.rs"]
mod broker;
#[path = "durable/client.rs"]
mod client;
#[path = "durable/queue.rs"]
mod queue;
#[path = "durable/throughput.rs"]
mod throughput;
#[path = "durable/wal.rs"]
mod wal;

use std::path::PathBuf;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let part = words.next();
    let directory = words.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let wanted = |name| part.as_deref().is_none_or(|part| part == name);
    if wanted("throughput") {
        runtime.block_on(throughput::measure(&directory));
    }
    if wanted("queue") {
        runtime.block_on(queue::measure(&directory));
    }
}
