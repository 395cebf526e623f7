//! Simulated and real worlds, scenarios, faults and checks for MQTT brokers and clients.

pub mod actors;
pub mod faults;
pub mod run;
pub mod scenario;
pub mod span;
pub mod trace;
pub mod world;
