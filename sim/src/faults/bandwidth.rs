use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{number::Count, span::SpanRange, world::Effect};

/// The link between two hosts is narrow: all connections of a direction share it, and what does not get through at once waits in a
/// queue, in order. TCP slows its sender down; at the end of the fault what still waits gets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays as wide as it was.
    #[serde(default)]
    pub one_way: bool,
    /// How many bytes of TCP's payload get through in a second, each way.
    pub bytes_per_second: Count,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Bandwidth {
    pub(super) fn names(&self) -> Vec<&str> {
        self.between.names()
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts)
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            bytes_per_second: self.bytes_per_second.drawn(chance),
            lasts: self.lasts.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        stage.rule(
            &self.between,
            self.one_way,
            Effect::Bandwidth(self.bytes_per_second.max()),
        )
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)?;
        write!(f, " {} B/s", self.bytes_per_second)
    }
}
