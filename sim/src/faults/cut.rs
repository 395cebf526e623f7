use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PacketMatch, Stage, Started};
use crate::span::SpanRange;

/// A Network Connection is cut at one exact packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The packet.
    pub when: PacketMatch,
    /// Whether it still arrives.
    pub side: CutSide,
    /// What the two ends learn.
    pub mode: CutMode,
}

/// Which side of the packet the cut is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutSide {
    /// The packet and everything after it is destroyed.
    Before,
    /// The packet arrives; everything after it is destroyed.
    After,
}

/// What the two ends learn of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutMode {
    /// Each is told by a reset.
    Rst,
    /// Each is told by an orderly close.
    Fin,
    /// Neither is told anything: a half-open connection, and data into it vanish.
    Silent,
}

impl Cut {
    pub(super) fn names(&self) -> Vec<&str> {
        self.when.end().into_iter().map(|(client, _)| client).collect()
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        None
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            when: self.when.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, step: usize, stage: &Stage) -> Started {
        stage.cut(step, self)
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            CutSide::Before => "before",
            CutSide::After => "after",
        };
        let mode = match self.mode {
            CutMode::Rst => "with RST",
            CutMode::Fin => "with FIN",
            CutMode::Silent => "in silence",
        };
        write!(f, "{side} {} {mode}", self.when)
    }
}
