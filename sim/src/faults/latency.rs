use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{
    span::SpanRange,
    world::{Effect, Spikes},
};

/// The link between two hosts takes another time than the scenario's network says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default)]
    pub one_way: bool,
    /// One way, drawn anew for each segment. Each direction stays in order. What the network says, unless given.
    #[serde(default)]
    pub latency: Option<SpanRange>,
    /// Now and then, one segment takes much longer, and all behind it wait.
    #[serde(default)]
    pub spikes: Option<LatencySpikes>,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

/// Now and then, one segment takes much longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencySpikes {
    /// From one to the next, drawn anew each time: the first segment that is sent after it.
    pub every: SpanRange,
    /// How long that segment takes, drawn anew each time.
    pub latency: SpanRange,
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
        let spikes = self
            .spikes
            .map(|LatencySpikes { every, latency }| Spikes { every, latency });
        stage.rule(&self.between, self.one_way, Effect::Latency(self.latency, spikes))
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)?;
        if let Some(latency) = self.latency {
            write!(f, " {latency}")?;
        }
        match self.spikes {
            Some(LatencySpikes { every, latency }) => write!(f, ", every {every} a spike of {latency}"),
            None => Ok(()),
        }
    }
}
