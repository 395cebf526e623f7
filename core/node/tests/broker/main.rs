//! The broker's I/O: over streams in memory with virtual time, and over loopback.

mod administration;
mod announcing;
mod authentication;
mod disk;
mod durable;
mod ending;
mod flooding;
mod full;
mod harness;
mod loopback;
mod reading;
mod sending;
mod store;
mod stowed;
