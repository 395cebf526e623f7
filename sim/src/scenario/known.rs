use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use squall_proto::Version;

use super::Same;
use crate::checks::Delivered;

/// What runs of a scenario delivered, for the variants that must deliver the same: what one has run none of them runs again.
#[derive(Debug, Default)]
pub struct Known(Option<Arc<Runs>>);

/// By the version and the seed of the run.
type Runs = Mutex<BTreeMap<(Version, u64), Arc<Delivered>>>;

/// A sweep has more seeds than anybody should remember.
const RUNS_MAX: usize = 256;

impl Known {
    /// For two places that hold the same scenario.
    pub(super) fn shared() -> [Self; 2] {
        let runs = Arc::default();
        [Self(Some(Arc::clone(&runs))), Self(Some(runs))]
    }

    /// Whether anybody asks for it.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// What a run delivered, if it is known what of it must be the same.
    pub(crate) fn get(&self, version: Version, seed: u64, same: &Same) -> Option<Arc<Delivered>> {
        let runs = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let delivered = runs.get(&(version, seed))?;
        delivered.is_of(same).then(|| Arc::clone(delivered))
    }

    /// Remembers what a run delivered; of too many, those with the lowest seeds are forgotten.
    pub(crate) fn add(&self, version: Version, seed: u64, delivered: Arc<Delivered>) {
        let Some(runs) = &self.0 else { return };
        let mut runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.insert((version, seed), delivered);
        if runs.len() > RUNS_MAX {
            runs.pop_first();
        }
    }
}

/// A copy may be changed, and then other runs come of it.
impl Clone for Known {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What is known of it is no part of what a scenario says.
impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
