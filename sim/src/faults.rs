//! What can go wrong in a run, one file a fault: its parameters as a scenario writes them, how it starts and how it heals.
//!
//! To add one: a file here with a type that has `names`, `lasts` and `describe`, and a word in the list below. The name of the
//! module is its name in YAML.

mod between;
mod packet_match;

pub use between::Between;
pub use crash::CrashKind;
pub use cut::{CutMode, CutSide};
pub use packet_match::PacketMatch;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::span::Span;

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

            /// Its name as scenarios write it.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$fault(_) => stringify!($module),)* }
            }

            /// The hosts it names, for who checks that they exist: `broker`, or clients and peers.
            pub fn names(&self) -> Vec<&str> {
                match self { $(Self::$fault(fault) => fault.names(),)* }
            }

            /// How long it lasts before it heals. `None`: it is over as soon as it has happened.
            pub const fn lasts(&self) -> Option<Span> {
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
    crash: Crash,
    cut: Cut,
    hold: Hold,
    latency: Latency,
    loss: Loss,
    partition: Partition,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_as_scenarios_write_it() {
        let yaml = "
- crash: { host: broker, down: 3s }
- cut: { when: { packet: PUBREL, from: pub, nth: 3 }, side: before, mode: rst }
- hold: { between: [sub, broker], for: 1s }
- latency: { between: [sub, broker], latency: 5ms..40ms, for: 1s }
- loss: { between: [sub, broker], percent: 30, for: 1s }
- partition: { between: [sub, broker], one_way: true, for: 8s }
";
        let faults: Vec<Fault> = serde_saphyr::from_str(yaml).unwrap();
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "crash broker (process)",
                "cut before PUBREL 3 from pub with RST",
                "hold sub <-> broker",
                "latency sub <-> broker 5ms..40ms",
                "loss sub <-> broker 30 %",
                "partition sub -> broker",
            ]
        );
        assert!(faults.iter().map(Fault::name).eq(Fault::NAMES.iter().copied()));
    }

    #[test]
    fn an_unknown_key_a_missing_unit_and_an_unknown_packet_are_refused() {
        for yaml in [
            "partition: { between: [sub, broker], for: 8s, foor: 9s }",
            "partition: { between: [sub, broker], for: 8 }",
            "cut: { when: { packet: PUBRELL, from: pub }, side: before, mode: rst }",
        ] {
            assert!(serde_saphyr::from_str::<Fault>(yaml).is_err(), "{yaml}");
        }
    }
}
