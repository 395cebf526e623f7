//! Simulated and real worlds, scenarios, faults and checks for MQTT brokers and clients.

pub mod faults;
pub mod scenario;
pub mod span;
pub mod trace;
pub mod world;
