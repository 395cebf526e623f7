//! The broker's I/O: over streams in memory with virtual time, and over loopback.

mod harness;
mod sending;
