//! The result model of runs and conformance, and its renderers.

pub mod model;

pub use model::{Group, PacketLine, Report, Statement, TestResult, Verdict};
