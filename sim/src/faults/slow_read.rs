use std::{fmt, time::Duration};

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::{
    number::NumberRange,
    scenario::Reads,
    span::{Span, SpanRange},
};

/// A host reads each of its connections slowly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowRead {
    /// `broker`, or the name of a client, a group of clients or a peer.
    pub host: String,
    /// So many bytes at a time.
    pub bytes: NumberRange<1, { u32::MAX as u64 }>,
    /// With this pause in between. 1s, unless given.
    #[serde(default = "second", skip_serializing_if = "is_second")]
    pub every: SpanRange,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

fn second() -> SpanRange {
    Span::from_millis(1000).into()
}

fn is_second(every: &SpanRange) -> bool {
    *every == second()
}

impl SlowRead {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    /// How long who reads slowly waits for its turn at most.
    pub(crate) fn turn(&self) -> Duration {
        self.every.max().duration()
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts)
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            bytes: self.bytes.drawn(chance),
            every: self.every.drawn(chance),
            lasts: self.lasts.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        let reads = Reads {
            bytes: u32::try_from(self.bytes.max()).unwrap_or(u32::MAX),
            every: self.every.max(),
        };
        stage.read_slowly(&self.host, reads)
    }
}

impl fmt::Display for SlowRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes every {}", self.host, self.bytes, self.every)
    }
}
