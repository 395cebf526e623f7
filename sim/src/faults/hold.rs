use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{span::SpanRange, world::Effect};

/// The link between two hosts stands still: what is sent waits, and arrives in order as soon as the hold is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default)]
    pub one_way: bool,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Hold {
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
        stage.rule(&self.between, self.one_way, Effect::Hold)
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)
    }
}
