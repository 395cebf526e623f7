use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{span::SpanRange, world::Effect};

/// Small segments between two hosts are gathered: all that is sent within a span of time arrives at once, as Nagle's algorithm or a
/// sleeping radio have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coalesce {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default)]
    pub one_way: bool,
    /// From the first that is sent until they leave; drawn anew each time.
    pub within: SpanRange,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Coalesce {
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
        stage.rule(&self.between, self.one_way, Effect::Coalesce(self.within))
    }
}

impl fmt::Display for Coalesce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)?;
        write!(f, " within {}", self.within)
    }
}
