//! Simulated and real worlds, scenarios, faults and checks for MQTT brokers and clients.

pub mod account;
pub mod actors;
pub mod checks;
pub mod faults;
mod model;
pub mod mutants;
pub mod number;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod span;
pub mod swarm;
pub mod target;
pub mod trace;
pub mod verdict;
pub mod world;
