use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, PacketMatch, Stage, Started};
use crate::{number::Count, span::SpanRange, world::PlannedCut};

/// A Network Connection is cut: at one exact packet, or all between two hosts as soon as the step begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The packet. Exactly one of `when` and `between` is given.
    #[serde(default)]
    pub when: Option<PacketMatch>,
    /// Whether the packet still arrives; `before` it, unless given.
    #[serde(default)]
    pub side: Option<CutSide>,
    /// So many times; each time the packets are counted anew. Once, unless given.
    #[serde(default = "once")]
    pub times: Count,
    /// Whose connections.
    #[serde(default)]
    pub between: Option<Between>,
    /// Which of the connections there are; all, unless given.
    #[serde(default)]
    pub which: Option<Which>,
    /// What the two ends learn.
    pub mode: CutMode,
}

const fn once() -> Count {
    Count::LEAST
}

fn is_once(times: &Count) -> bool {
    *times == once()
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

/// Which of several connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Each.
    All,
    /// The one that was opened first.
    Oldest,
    /// The one that was opened last.
    Newest,
}

impl Cut {
    pub(super) fn names(&self) -> Vec<&str> {
        let end = self.when.as_ref().and_then(PacketMatch::end);
        let between = self.between.iter().flat_map(Between::names);
        end.into_iter().map(|(client, _)| client).chain(between).collect()
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        match self.when {
            Some(_) => None,
            None => Some(SpanRange::ZERO),
        }
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            when: self.when.as_ref().map(|when| when.drawn(chance)),
            times: self.times.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, step: usize, stage: &Stage) -> Started {
        match (&self.when, &self.between) {
            (Some(when), _) => {
                let it = PlannedCut {
                    step,
                    what: format!("cut {self}"),
                    side: self.side(),
                    mode: self.mode,
                };
                stage.cut_at(when, self.times.max(), it)
            }
            (None, Some(between)) => stage.cut_now(between, self.which.unwrap_or(Which::All), self.mode),
            (None, None) => unreachable!("the scenario was checked for one of them"),
        }
    }

    fn side(&self) -> CutSide {
        self.side.unwrap_or(CutSide::Before)
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(when) = &self.when {
            let side = match self.side() {
                CutSide::Before => "before",
                CutSide::After => "after",
            };
            write!(f, "{side} {when}")?;
        }
        if let Some(between) = &self.between {
            between.show(false, f)?;
        }
        match self.which {
            Some(Which::Oldest) => f.write_str(" (oldest)")?,
            Some(Which::Newest) => f.write_str(" (newest)")?,
            Some(Which::All) | None => {}
        }
        f.write_str(match self.mode {
            CutMode::Rst => " with RST",
            CutMode::Fin => " with FIN",
            CutMode::Silent => " in silence",
        })?;
        if is_once(&self.times) {
            return Ok(());
        }
        write!(f, ", {} times", self.times)
    }
}
