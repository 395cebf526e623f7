use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use squall_node::Watched;
use tokio::time::Instant;

use super::{Untouched, note_healed};
use crate::{
    faults::Fault,
    scenario::{Action, Scenario, Step},
};

/// How far the steps of a run have come.
pub(super) struct Progress {
    steps: Vec<Watched<Stand>>,
    /// What is known of the faults, by their steps.
    known: Mutex<Vec<Known>>,
    /// How many faults are not over.
    faults: Watched<usize>,
    planned: Arc<Watched<Planned>>,
}

/// What is known of a fault.
#[derive(Clone, Debug, Default)]
struct Known {
    /// What was drawn for it, in words, as soon as it has begun.
    drawn: Option<String>,
    /// What it has touched, as soon as it is over.
    touched: u64,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It waits for its moment.
    Waiting,
    /// It has begun.
    Begun,
    /// All that follows from it has happened.
    Over,
}

/// What happens in the run by itself, because a clock says so.
#[derive(Clone, Copy, Debug)]
struct Planned {
    /// How many things are still to happen.
    open: usize,
    /// When the last one did.
    last: Instant,
}

/// Something that is going to happen because a clock says so; until it is dropped, the run waits for it however long it takes.
pub(super) struct Plan(Arc<Watched<Planned>>);

impl Progress {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let faults = scenario.steps.iter().filter(|step| is_fault(step)).count();
        if faults == 0 {
            note_healed();
        }
        Self {
            steps: scenario
                .steps
                .iter()
                .map(|_| Watched::new(Stand::Waiting))
                .collect(),
            known: Mutex::new(vec![Known::default(); scenario.steps.len()]),
            faults: Watched::new(faults),
            planned: Arc::new(Watched::new(Planned {
                open: 0,
                last: Instant::now(),
            })),
        }
    }

    /// Something is going to happen because a clock says so.
    pub(super) fn planned(&self) -> Plan {
        self.planned.modify(|planned| planned.open += 1);
        Plan(Arc::clone(&self.planned))
    }

    /// Waits until everything planned has happened; says when the last of it did.
    pub(super) async fn all_planned_happened(&self) -> Instant {
        self.planned.wait_for(|planned| planned.open == 0).await.last
    }

    pub(super) fn set(&self, step: usize, stand: Stand) {
        if let Some(sender) = self.steps.get(step) {
            sender.set(stand);
        }
    }

    /// Waits until a step is over.
    pub(super) async fn over(&self, step: usize) {
        let Some(sender) = self.steps.get(step) else {
            return;
        };
        sender.wait_for(|stand| *stand == Stand::Over).await;
    }

    /// What was drawn for a fault that begins, in words.
    pub(super) fn fault_drawn(&self, step: usize, what: String) {
        if let Some(known) = self.known().get_mut(step) {
            known.drawn = Some(what);
        }
    }

    /// A fault is over and has touched so many things.
    pub(super) fn fault_over(&self, step: usize, touched: u64) {
        if let Some(known) = self.known().get_mut(step) {
            known.touched = touched;
        }
        let mut left = 0;
        self.faults.modify(|faults| {
            *faults = faults.saturating_sub(1);
            left = *faults;
        });
        // Who suffers from it has its time from here on, whether a clock or a packet ended it.
        self.planned.modify(|planned| planned.last = Instant::now());
        if left == 0 {
            note_healed();
        }
    }

    /// The faults that have touched nothing and should have.
    pub(super) fn untouched(&self, scenario: &Scenario, should: impl Fn(&Fault) -> bool) -> Vec<Untouched> {
        let known = self.known();
        let steps = scenario.steps.iter().enumerate().zip(known.iter());
        let nothing = steps.filter_map(|((step, what), known)| {
            let Action::Fault(fault) = &what.action else {
                return None;
            };
            (known.touched == 0 && should(fault)).then(|| Untouched {
                step,
                fault: known.drawn.clone().unwrap_or_else(|| fault.to_string()),
            })
        });
        nothing.collect()
    }

    /// The steps that are not over, in words. A fault that waits for its moment is not owed to anybody, nor is what comes after it, or
    /// what a client would have to say that has gone for good.
    pub(super) fn owed(&self, scenario: &Scenario, is_gone: impl Fn(&str) -> bool) -> Vec<String> {
        let stuck = self.stuck(scenario);
        let steps = scenario.steps.iter().enumerate().zip(&self.steps);
        let open = steps.filter_map(|((place, step), stand)| match stand.get() {
            Stand::Over => None,
            Stand::Waiting if step.after().iter().any(|id| stuck.contains(id.as_str())) => None,
            Stand::Waiting => Some(format!("step {place} has not begun")),
            Stand::Begun if is_fault(step) => None,
            Stand::Begun if speakers(step).into_iter().any(&is_gone) => None,
            Stand::Begun => Some(format!("step {place} is not over")),
        });
        open.collect()
    }

    /// The ids of the faults that wait for their moment, and of the steps that come after those.
    fn stuck<'a>(&self, scenario: &'a Scenario) -> BTreeSet<&'a str> {
        let mut stuck = BTreeSet::new();
        loop {
            let steps = scenario.steps.iter().zip(&self.steps);
            let more = steps.filter(|(step, stand)| match stand.get() {
                Stand::Over => false,
                Stand::Begun => is_fault(step),
                Stand::Waiting => step.after().iter().any(|id| stuck.contains(id.as_str())),
            });
            let ids: BTreeSet<&str> = more.filter_map(|(step, _)| step.id.as_deref()).collect();
            if ids.len() == stuck.len() {
                return stuck;
            }
            stuck = ids;
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn is_fault(step: &Step) -> bool {
    matches!(step.action, Action::Fault(_))
}

/// The clients that say something in a step which waits for the answer to it.
fn speakers(step: &Step) -> Vec<&str> {
    match &step.action {
        Action::Publish(publish) => vec![&publish.from],
        Action::Subscribe(subscribe) => vec![&subscribe.client],
        Action::Unsubscribe(unsubscribe) => vec![&unsubscribe.client],
        Action::Traffic(traffic) => {
            let subscribers = traffic.subscribers.iter().flat_map(|some| &some.clients);
            traffic
                .publishers
                .iter()
                .chain(subscribers)
                .map(String::as_str)
                .collect()
        }
        Action::Await(_)
        | Action::Connect(_)
        | Action::Disconnect(_)
        | Action::ExpectNone(_)
        | Action::Fault(_)
        | Action::Note(_)
        | Action::Open(_)
        | Action::Send(_)
        | Action::Shut(_) => Vec::new(),
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        self.0.modify(|planned| {
            planned.open -= 1;
            planned.last = Instant::now();
        });
    }
}
