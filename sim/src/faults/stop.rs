use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::SpanRange;

/// A process is asked to end, does so in its own way, and is started again later: the broker tells its clients and closes, a client says
/// DISCONNECT, a peer closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// `broker`, or the name of a client, a group of clients or a peer.
    pub host: String,
    /// From the moment it is asked to its next start, unless it takes longer to end.
    pub down: SpanRange,
}

impl Stop {
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
        let touched = stage.stop(&self.host);
        let host = self.host.clone();
        Started::Heals(Box::new(move |stage| {
            stage.start_stopped(&host);
            touched
        }))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}
