use std::{fmt, ops::Not};

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{span::SpanRange, world::Effect};

/// Nothing gets through between two hosts. Data waits and arrives with TCP's first retransmission after the heal; attempts to
/// connect time out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub one_way: bool,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Partition {
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
        stage.rule(&self.between, self.one_way, Effect::Block)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)
    }
}
