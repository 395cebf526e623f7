use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::{ShiftRange, SpanRange};

/// A host's wall clock jumps, and stays so. Nothing of MQTT on a connection goes by it: it is what a client with `store: disk` measures the
/// age of its messages by while no process of it runs, and what the validity of certificates is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// `broker`, or the name of a client, a group of clients or a peer.
    pub host: String,
    /// By how much: `1h` or `-1h`.
    pub by: ShiftRange,
}

impl ClockStep {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    pub(super) fn lasts(&self) -> Option<SpanRange> {
        Some(SpanRange::default())
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            by: self.by.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        let touched = stage.step_clock(&self.host, self.by.max_millis());
        Started::Heals(Box::new(move |_| touched))
    }
}

impl fmt::Display for ClockStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.host, self.by)
    }
}
