use std::{collections::BTreeSet, fmt};

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Between, Stage, Started};
use crate::{span::SpanRange, world::Effect};

/// Nothing gets through between two hosts, or between groups of them. Data waits and arrives with TCP's first retransmission after the heal; attempts to
/// connect time out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Between whom. Exactly one of `between` and `groups` is given.
    #[serde(default)]
    pub between: Option<Between>,
    /// Who still reaches whom: a client or peer in another group than `broker` does not reach it. Who is in none is not concerned.
    #[serde(default)]
    pub groups: Vec<Vec<String>>,
    /// Only from the first to the second, or from each group to those after it; the way back stays open.
    #[serde(default)]
    pub one_way: bool,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

impl Partition {
    pub(super) fn names(&self) -> Vec<&str> {
        let groups = self.groups.iter().flatten().map(String::as_str);
        self.between
            .iter()
            .flat_map(Between::names)
            .chain(groups)
            .collect()
    }

    pub(super) const fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts)
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            lasts: self.lasts.drawn(chance),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        let mut on = BTreeSet::new();
        for pair in self.pairs() {
            on.extend(stage.directions(&pair));
            if !self.one_way {
                on.extend(stage.directions(&pair.reversed()));
            }
        }
        Stage::rule_on(on, Effect::Block)
    }

    /// Everybody who does not reach each other.
    fn pairs(&self) -> Vec<Between> {
        let mut pairs: Vec<Between> = self.between.iter().cloned().collect();
        let mut groups = self.groups.as_slice();
        while let [first, others @ ..] = groups {
            for (one, other) in first
                .iter()
                .flat_map(|one| others.iter().flatten().map(move |other| (one, other)))
            {
                pairs.push(Between([one.clone(), other.clone()]));
            }
            groups = others;
        }
        pairs
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(between) = &self.between {
            return between.show(self.one_way, f);
        }
        let groups: Vec<String> = self.groups.iter().map(|group| group.join(", ")).collect();
        f.write_str(&groups.join(if self.one_way { " -> " } else { " | " }))
    }
}
