//! The result model of runs and conformance, and its renderers.
//!
//! * [`model`]: what a command found, [`Report`] at its top; [`Kind`] and [`Counts`] sum it up.
//! * [`Durability`] is what became of what a broker acknowledged.
//! * [`Report::from_json`] reads a file back, [`merge`](fn@merge) makes one report of several, [`schema`] describes the JSON.
//! * [`Format`] is the list of renderers, [`ReportSpec`] the `FORMAT=FILE` of a command line; [`terminal`] is what a
//!   person sees at the end of a command, [`printable`](fn@printable) what makes a peer's text safe to show.

mod counts;
mod durability;
mod kind;
mod merge;
pub mod model;
mod printable;
mod read;
mod renderers;
mod span;
mod spec;

pub use counts::Counts;
pub use durability::{Crash, Duplicate, Durability, Lost};
pub use kind::Kind;
pub use merge::{MergeError, merge};
pub use model::{FORMAT, Group, Mark, POINTER, PacketLine, Report, Statement, TestResult, Verdict};
pub use printable::line as printable;
pub use read::{ReadError, schema};
pub use renderers::terminal::{Options, render as terminal};
pub use renderers::{Format, RenderError, UnknownFormat};
pub use spec::{ReportSpec, SpecError};
