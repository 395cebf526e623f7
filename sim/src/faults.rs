//! What can go wrong in a run, one file a fault: its parameters as a scenario writes them, how it starts and how it heals.
//!
//! To add one: a file here with a type that has `names`, `lasts`, `drawn`, `start` and `Display`, and a word in the list below. The name of the
//! module is its name in YAML.

mod between;
mod packet_match;
mod stage;

pub use between::Between;
pub use crash::CrashKind;
pub use cut::{CutMode, CutSide, Which};
pub use disk::DiskKind;
pub use latency::LatencySpikes;
pub use packet_match::PacketMatch;
pub(crate) use packet_match::PacketTypeName;
pub use restart::State;
pub(crate) use stage::{Stage, Started};

use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de, ser::SerializeMap};

use crate::span::SpanRange;

/// Makes [`Fault`] of the list: one module, one type of parameters, one variant.
macro_rules! faults {
    ($($module:ident: $fault:ident,)*) => {
        $(mod $module; pub use $module::$fault;)*

        /// One thing that goes wrong.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Fault {
            $(#[doc = concat!("`", stringify!($module), "`.")] $fault($fault),)*
        }

        impl Fault {
            /// The name of every fault as scenarios write it, in alphabetical order.
            pub const NAMES: &[&str] = &[$(stringify!($module)),*];

            /// Its parameters, as an entry of its step.
            pub(crate) fn serialize_named<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self { $(Self::$fault(fault) => map.serialize_entry(stringify!($module), fault),)* }
            }

            /// The parameters of the fault of this name.
            pub(crate) fn deserialize_named<'de, D: Deserializer<'de>>(name: &str, deserializer: D) -> Result<Self, D::Error> {
                match name {
                    $(stringify!($module) => $fault::deserialize(deserializer).map(Self::$fault),)*
                    _ => Err(de::Error::unknown_variant(name, Self::NAMES)),
                }
            }

            /// The schema of each fault's parameters, by its name.
            pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$((stringify!($module), generator.subschema_for::<$fault>())),*]
            }

            /// Its name as scenarios write it.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$fault(_) => stringify!($module),)* }
            }

            /// The hosts it names, for who checks that they exist: `broker`, or clients and peers.
            pub fn names(&self) -> Vec<&str> {
                match self { $(Self::$fault(fault) => fault.names(),)* }
            }

            /// The same with one value of each range: what it is in one run.
            pub(crate) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
                match self { $(Self::$fault(fault) => Self::$fault(fault.drawn(chance)),)* }
            }

            /// Starts it, once it is drawn. `step` is its place among the scenario's steps.
            pub(crate) fn start(&self, step: usize, stage: &Stage) -> Started {
                match self { $(Self::$fault(fault) => fault.start(step, stage),)* }
            }

            /// How long it lasts before it heals; once drawn, both ends are the same. `None`: it is over as soon as it has happened.
            pub fn lasts(&self) -> Option<SpanRange> {
                match self { $(Self::$fault(fault) => fault.lasts(),)* }
            }
        }

        /// In words, for traces and reports: `partition sub <-> broker`.
        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$fault(fault) => write!(f, "{} {fault}", stringify!($module)),)* }
            }
        }
    };
}

faults! {
    bandwidth: Bandwidth,
    blackhole: Blackhole,
    clock_step: ClockStep,
    coalesce: Coalesce,
    crash: Crash,
    cut: Cut,
    disk: Disk,
    hold: Hold,
    kick: Kick,
    latency: Latency,
    loss: Loss,
    partition: Partition,
    pause: Pause,
    restart: Restart,
    resume: Resume,
    revoke: Revoke,
    segment: Segment,
    slow_read: SlowRead,
    stop: Stop,
}

#[cfg(test)]
mod tests;
