use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started, stage::Finds};
use crate::{span::SpanRange, trace::Down, world::disk::Unsynced};

/// A process, or its whole host, ends without a word, and is started again later.
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
    /// The whole host: nothing is sent any more, and what is sent to it vanishes. After the restart segments of its old connections are
    /// answered with RST. Of what was written on its disk and not synced, the seed draws what is left: none, the first, any, or
    /// sectors of 512 or 4,096 bytes of any.
    Power,
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
        let (how, finds) = match self.kind {
            CrashKind::Process => (Down::Crashed, Finds::Written),
            CrashKind::Power => (Down::PowerLost, Finds::Synced(&Unsynced::ALL)),
        };
        let touched = stage.crash(&self.host, how, finds);
        let host = self.host.clone();
        Started::Heals(Box::new(move |stage| {
            stage.start(&host);
            touched
        }))
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CrashKind::Process => "process",
            CrashKind::Power => "power",
        };
        write!(f, "{} ({kind})", self.host)
    }
}
