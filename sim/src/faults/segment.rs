use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{number::Count, span::SpanRange, world::Effect};

/// Data between two hosts are cut into small segments, and each is read before the next arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default)]
    pub one_way: bool,
    /// How long each is, down to one byte; drawn anew for each segment.
    pub bytes: Count,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Segment {
    pub(super) fn names(&self) -> Vec<&str> {
        self.between.names()
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts)
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            lasts: self.lasts.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        stage.rule(&self.between, self.one_way, Effect::Segment(self.bytes))
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)?;
        write!(f, " into {} B", self.bytes)
    }
}
