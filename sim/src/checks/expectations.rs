//! What the scenario itself expects, judged at the end of the run.

mod application;
mod history;
mod judge;
mod shared;

use super::{Checker, Found, Now};
use crate::{model::Model, scenario::Expectation, trace::What};
use history::History;

/// What happened, as expectations ask for it.
pub(super) struct Expectations {
    history: History,
}

impl Expectations {
    pub(super) fn new(_: &Model<'_>) -> Self {
        Self {
            history: History::default(),
        }
    }
}

impl Checker for Expectations {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let What::Missed { expected, got, .. } = &now.event.what {
            found.push(now.found([], expected, got));
        }
        if !now.model.scenario.expect.is_empty() {
            self.history.observe(now);
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        for expectation in &now.model.scenario.expect {
            let is_asked = now.model.with_faults || !expectation.needs_faults();
            if is_asked {
                judge::judge(expectation, &self.history, now, found);
            }
        }
    }
}

impl Expectation {
    /// Whether it is only the faults that bring it about: it is not asked of the control arm.
    const fn needs_faults(&self) -> bool {
        match self {
            Self::Delivered(_) | Self::Ended(_) | Self::Handed(_) | Self::Received(_) | Self::Shared(_) => {
                false
            }
            Self::Closed(_)
            | Self::Connected(_)
            | Self::Packets(_)
            | Self::SessionPresent(_)
            | Self::StoreFailed(_)
            | Self::Told(_)
            | Self::WillPublished(_) => true,
        }
    }
}
