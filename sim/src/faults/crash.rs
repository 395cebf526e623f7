use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::SpanRange;

/// A process ends without a word, and is started again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// `broker`, or the name of a client, a group of clients or a peer.
    pub host: String,
    /// What ends.
    #[serde(default)]
    pub kind: CrashKind,
    /// From the end of the process to its next start.
    pub down: SpanRange,
}

/// How a host crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrashKind {
    /// The process alone: what it had in memory is lost, its kernel resets its connections and refuses new ones.
    #[default]
    Process,
}

impl Crash {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        Some(self.down)
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            down: self.down.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        let touched = stage.crash(&self.host);
        let host = self.host.clone();
        Started::Heals(Box::new(move |stage| {
            stage.restart(&host);
            touched
        }))
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CrashKind::Process = self.kind;
        write!(f, "{} (process)", self.host)
    }
}
