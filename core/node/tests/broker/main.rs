//! The broker's I/O: over streams in memory with virtual time, and over loopback.

mod administration;
mod authentication;
mod durable;
mod ending;
mod flooding;
mod harness;
mod loopback;
mod reading;
mod sending;
mod store;
