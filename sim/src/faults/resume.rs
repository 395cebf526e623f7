use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::SpanRange;

/// A process goes on that a `pause` without `for` has stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// As the `pause` says.
    pub host: String,
}

impl Resume {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    pub(super) fn lasts(&self) -> Option<SpanRange> {
        Some(SpanRange::default())
    }

    pub(super) fn drawn(&self, _: &mut Pcg64Mcg) -> Self {
        self.clone()
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        let touched = stage.resume(&self.host);
        Started::Heals(Box::new(move |_| touched))
    }
}

impl fmt::Display for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}
