//! A verdict for every normative statement of MQTT 3.1.1 and 5.0, on any broker.
//!
//! In reading order:
//! * [`Statement`]: what the standard says, from `statements/*.toml`; [`statements`] and
//!   [`untagged`] list them.
//! * [`Section`] and [`Case`]: the cases, laid out as the standard is; each file of `sections/` is a section.
//! * `context`: what a case sees, [`Context`], and how it speaks to the target; `packets`, `hex`, `place` (packets with
//!   room for properties) and `scram` are what it says.
//! * [`Transport`]: how the target is reached: whoever runs the suite knows, over a network or in a simulated world.
//! * [`Target`], [`select`], [`run`], [`report`]: the suite.
//! * [`probe`](fn@probe): what a target can do, before anybody judges it.
//! * [`clients`]: the same for clients, where Squall is the server; [`AnyCase`] is what both kinds of cases have.
//!
//! [`Tested`] makes all of it the `cargo test` of a broker's own.
//!
//! A case knows no socket and no clock but tokio's, so that the same case runs in virtual time and over a network. Malformed packets are
//! written by hand in hex, never by our encoder.

mod cargo_test;
mod case;
pub mod clients;
mod context;
mod hex;
mod login;
mod packets;
mod place;
mod probe;
mod scram;
mod section;
mod sections;
mod selection;
mod statement;
mod stop;
mod suite;
mod target;
mod transport;

pub use cargo_test::Tested;
pub use case::{Capability, Case, Level};
pub use context::Context;
pub use login::User;
pub use probe::{Finding, Probed, probe};
pub use section::{AnyCase, Section};
pub use sections::SECTIONS;
pub use selection::{Selected, expected_to_fail, interrupted, report, select};
pub use statement::{
    Bound, Statement, StatementsError, Visible, parse as parse_statements, statement, statements, untagged,
};
pub use stop::{Outcome, Stop};
pub use suite::{Settings, run};
pub use target::{Target, is_refusal};
pub use transport::{BelowWebSocket, Connecting, Duplex, Segmented, Transport, Via};
