use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::SpanRange;

/// An administrator of the broker closes a client's connection: in 5.0 with DISCONNECT 0x98 (Administrative action). Its Will and its
/// session take their course, and it may connect again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kick {
    /// A client, or a group of clients.
    pub client: String,
}

impl Kick {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.client]
    }

    pub(super) fn lasts(&self) -> Option<SpanRange> {
        Some(SpanRange::default())
    }

    pub(super) fn drawn(&self, _: &mut Pcg64Mcg) -> Self {
        self.clone()
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        let touched = stage.kick(&self.client, false);
        Started::Heals(Box::new(move |_| touched))
    }
}

impl fmt::Display for Kick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.client)
    }
}
