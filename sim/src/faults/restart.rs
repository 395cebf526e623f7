use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started, stage::Finds};
use crate::{span::SpanRange, trace::Down, world::disk::Unsynced};

/// A process ends without a word, its kernel resets its connections, and it is started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// `broker`, or the name of a client, a group of clients or a peer.
    pub host: String,
    /// What the next process finds.
    pub state: State,
    /// From the end of the process to its next start. 0s, unless given.
    #[serde(default, skip_serializing_if = "SpanRange::is_zero")]
    pub down: SpanRange,
}

/// What a process finds of what the one before it knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// With a disk, what is written there. A broker without: its sessions go on as with a perfect store, all connections lost.
    Kept,
    /// Nothing; a disk is empty.
    Lost,
    /// With a disk: what is synced there, and no more.
    UnsyncedLost,
    /// With a disk: what is synced there, and of the rest some sectors.
    Torn,
}

impl Restart {
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
        let finds = match self.state {
            State::Kept => Finds::All,
            State::Lost => Finds::Nothing,
            State::UnsyncedLost => Finds::Synced(&[Unsynced::Lost]),
            State::Torn => Finds::Synced(&Unsynced::TORN),
        };
        let touched = stage.crash(&self.host, Down::Crashed, finds);
        let host = self.host.clone();
        Started::Heals(Box::new(move |stage| {
            stage.start(&host);
            touched
        }))
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Kept => "kept",
            State::Lost => "lost",
            State::UnsyncedLost => "unsynced lost",
            State::Torn => "torn",
        };
        write!(f, "{} ({state})", self.host)
    }
}
