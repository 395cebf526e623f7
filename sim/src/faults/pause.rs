use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::SpanRange;

/// A process stands still: nothing of it runs and no timer of it fires. Its kernel still acknowledges, and takes bytes as long as its
/// buffers have room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// `broker`, or the name of a client, a group of clients or a peer.
    pub host: String,
    /// How long. Until a `resume` of the same host, unless given.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SpanRange>,
}

impl Pause {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    pub(super) fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts.unwrap_or_default())
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            lasts: self.lasts.map(|lasts| lasts.drawn(chance)),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        match self.lasts {
            Some(_) => stage.pause(&self.host),
            None => stage.pause_until_resumed(&self.host),
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}
