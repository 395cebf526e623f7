use std::time::Duration;

use squall_proto::Instant;

use crate::{
    faults::Fault,
    model::BROKER,
    trace::{Event, What},
};

/// What keeps the broker's process from its connections.
#[derive(Debug)]
pub(super) struct Process {
    /// It was asked to end, and closes its connections.
    is_stopping: bool,
    /// It has ended, and the next has not begun.
    is_down: bool,
    /// It stands still.
    is_paused: bool,
    /// How many faults have it read slowly.
    slow_reads: u32,
    /// Since when nothing keeps it from reading, or will not: who read slowly waits for its turn once more.
    hears_since: Option<Instant>,
    /// Since when it has not read all that comes, or had not when it last did so; and when it did so again.
    was_deaf: (Instant, Instant),
}

impl Default for Process {
    fn default() -> Self {
        Self {
            is_stopping: false,
            is_down: false,
            is_paused: false,
            slow_reads: 0,
            hears_since: Some(Instant::ZERO),
            was_deaf: (Instant::ZERO, Instant::ZERO),
        }
    }
}

impl Process {
    pub(super) const fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    pub(super) const fn runs(&self) -> bool {
        !self.is_down
    }

    /// Whether it read nothing from `came` to `left`: both lie in the last time in which it did not.
    pub(super) fn was_deaf(&self, came: Instant, left: Instant) -> bool {
        let (since, until) = self.was_deaf;
        let then = |at: Instant| since <= at && (self.hears_since.is_none() || at <= until);
        then(came) && then(left)
    }

    pub(super) const fn hears_since(&self) -> Option<Instant> {
        self.hears_since
    }

    /// Takes in what happens to it; `fault` is the one that begins or ends. Whether it reads again now, what waited among it.
    pub(super) fn observe(&mut self, event: &Event, fault: Option<&Fault>) -> bool {
        match (&event.what, fault) {
            (What::FaultBegan { .. }, Some(Fault::Stop(stop))) if stop.host == BROKER => {
                self.is_stopping = true;
            }
            (What::FaultBegan { .. }, Some(Fault::SlowRead(slow))) if slow.host == BROKER => {
                self.slow_reads += 1;
            }
            (What::FaultEnded { .. }, Some(Fault::SlowRead(slow))) if slow.host == BROKER => {
                self.slow_reads = self.slow_reads.saturating_sub(1);
            }
            (What::HostPaused { host }, _) if host == BROKER => self.is_paused = true,
            (What::HostResumed { host }, _) if host == BROKER => self.is_paused = false,
            (What::HostDown { host, .. }, _) if host == BROKER => {
                (self.is_down, self.is_paused) = (true, false);
            }
            (What::HostUp { host, .. }, _) if host == BROKER => {
                (self.is_down, self.is_stopping) = (false, false);
            }
            _other_events => return false,
        }
        let heard = self.hears_since;
        let hears = !self.is_paused && self.slow_reads == 0;
        let turn = match fault {
            Some(Fault::SlowRead(slow)) => slow.turn(),
            _other_faults => Duration::ZERO,
        };
        self.hears_since = hears.then(|| heard.unwrap_or(event.at + turn));
        match (heard, self.hears_since) {
            // Who falls deaf in the moment in which it could hear again has heard nothing.
            (Some(_), None) if event.at > self.was_deaf.1 => self.was_deaf.0 = event.at,
            (None, Some(since)) => self.was_deaf.1 = since,
            (None, None) | (Some(_), _) => {}
        }
        hears && heard.is_none()
    }
}
