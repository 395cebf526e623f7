use std::{fmt, ops::Not};

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{span::SpanRange, world::Effect};

/// The link between two hosts takes another time than the scenario's network says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub one_way: bool,
    /// One way, drawn anew for each segment. Each direction stays in order.
    pub latency: SpanRange,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Latency {
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
        stage.rule(&self.between, self.one_way, Effect::Latency(self.latency))
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)?;
        write!(f, " {}", self.latency)
    }
}
