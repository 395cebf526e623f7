use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{span::Span, world::Effect};

/// The link between two hosts loses segments. TCP sends each again, so an application sees it late, and all that is behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Between whom.
    pub between: Between,
    /// Only from the first to the second; the way back stays open.
    #[serde(default)]
    pub one_way: bool,
    /// Of a hundred segments with data, how many are lost: 0 to 100, at each attempt.
    #[schemars(range(min = 0, max = 100))]
    pub percent: u8,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: Span,
}

impl Loss {
    pub(super) fn names(&self) -> Vec<&str> {
        self.between.names()
    }

    pub(super) const fn lasts(&self) -> Option<Span> {
        Some(self.lasts)
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        stage.rule(&self.between, self.one_way, Effect::Loss(self.percent))
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.between.show(self.one_way, f)?;
        write!(f, " {} %", self.percent)
    }
}
