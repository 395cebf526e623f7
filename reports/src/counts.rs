//! How many results came to which verdict.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Kind, TestResult};

/// How many results came to which kind of verdict. It prints as `31 pass, 1 fail`, kinds that did not occur left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Kind, usize>);

impl Counts {
    /// How many are of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> usize {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// The kinds that occur, with how often, in [`Kind`]'s order.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, usize)> {
        self.0.iter().map(|(&kind, &count)| (kind, count))
    }
}

impl<'a> FromIterator<&'a TestResult> for Counts {
    fn from_iter<I: IntoIterator<Item = &'a TestResult>>(results: I) -> Self {
        let mut counts = BTreeMap::new();
        for result in results {
            *counts.entry(result.verdict.kind()).or_insert(0) += 1;
        }
        Self(counts)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (kind, count)) in self.iter().enumerate() {
            let comma = if nth == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {kind}")?;
        }
        Ok(())
    }
}
