//! Cases under way: those that have begun, and what came of those that ended.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use squall_conformance::{AnyCase, Case, Selected, Settings, interrupted};
use squall_reports::TestResult;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// Cases that run side by side.
pub(super) struct Running {
    cases: JoinSet<()>,
    places: Arc<Semaphore>,
    ended: Ended,
}

/// What came of each case that has begun, by its name, and when; `None` while it runs.
#[derive(Clone, Default)]
struct Ended(Arc<Mutex<ByName>>);

type ByName = BTreeMap<String, Option<(TestResult, Instant)>>;

/// What came of a selection, in its order.
pub(super) struct Outcomes<C: 'static = Case> {
    /// With its result.
    pub(super) ended: Vec<(Selected<C>, TestResult)>,
    /// Those that were under way when the rest was given up.
    pub(super) begun: Vec<Selected<C>>,
    /// Those that had not begun.
    pub(super) waiting: Vec<Selected<C>>,
}

impl Running {
    /// Runs so many at a time.
    pub(super) fn new(at_a_time: usize) -> Self {
        Self {
            cases: JoinSet::new(),
            places: Arc::new(Semaphore::new(at_a_time)),
            ended: Ended::default(),
        }
    }

    /// Runs a case as soon as there is a place.
    pub(super) fn start<C: AnyCase>(
        &mut self,
        selected: Selected<C>,
        case: impl Future<Output = TestResult> + Send + 'static,
    ) {
        let (places, ended) = (Arc::clone(&self.places), self.ended.clone());
        self.cases.spawn(async move {
            let _place = places.acquire().await;
            ended.all().insert(selected.name(), None);
            let result = case.await;
            ended
                .all()
                .insert(selected.name(), Some((result, Instant::now())));
        });
    }

    /// Waits for all of them.
    pub(super) async fn all_ended(&mut self) -> Result<(), anyhow::Error> {
        while let Some(ended) = self.cases.join_next().await {
            ended?;
        }
        Ok(())
    }

    /// Gives up those that have not ended. Those that ended this short a time ago count as if they had not.
    pub(super) fn outcomes<C: AnyCase>(
        mut self,
        selected: &[Selected<C>],
        just_now: Duration,
    ) -> Outcomes<C> {
        let now = Instant::now();
        self.cases.abort_all();
        let mut all = self.ended.all();
        let mut outcomes = Outcomes {
            ended: Vec::new(),
            begun: Vec::new(),
            waiting: Vec::new(),
        };
        for selected in selected.iter().copied() {
            match all.remove(&selected.name()) {
                Some(Some((result, at))) if now - at >= just_now => outcomes.ended.push((selected, result)),
                Some(_) => outcomes.begun.push(selected),
                None => outcomes.waiting.push(selected),
            }
        }
        outcomes
    }
}

impl Ended {
    fn all(&self) -> MutexGuard<'_, ByName> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: AnyCase> Outcomes<C> {
    /// Results of all: what has not ended was interrupted.
    pub(super) fn or_interrupted(self, settings: &Settings) -> Vec<(Selected<C>, TestResult)> {
        let cut_off = self.begun.into_iter().chain(self.waiting);
        let cut_off = cut_off.map(|selected| (selected, interrupted(selected, settings)));
        self.ended.into_iter().chain(cut_off).collect()
    }
}
