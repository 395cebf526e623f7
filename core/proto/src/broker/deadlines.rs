//! When something has to happen without a packet, kept so that finding the next costs no scan.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use super::session::SessionKey;
use crate::{ConnId, Instant};

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    /// A connection that has not sent CONNECT.
    Connection(ConnId),
    /// A session: its Keep Alive while online; its expiry and its Will's delay while offline.
    Session(SessionKey),
}

/// A heap of moments to look at somebody's deadline. The deadline itself stands beside what it ends; a deadline that moved
/// later is found out when its moment comes, so that a packet that puts off a Keep Alive costs nothing here.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, Whose)>>,
    live: usize,
}

/// The moment at which somebody is looked at next, kept by that somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scheduled(Option<Instant>);

impl Deadlines {
    /// The next moment to look, or earlier.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Sees to it that `whose` is looked at no later than `at`.
    pub(super) fn schedule(&mut self, whose: Whose, at: Instant, scheduled: &mut Scheduled) {
        if scheduled.0.is_some_and(|earlier| earlier <= at) {
            return;
        }
        self.live += usize::from(scheduled.0.is_none());
        scheduled.0 = Some(at);
        self.heap.push(Reverse((at, whose)));
    }

    /// Takes the next whose moment has come. The caller checks with [`Self::came`] that it still means something.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, Whose)> {
        let Reverse((at, whose)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some((at, whose))
    }

    /// Whether the moment `at` is the one `scheduled` waited for; it then waits no more.
    pub(super) fn came(&mut self, at: Instant, scheduled: &mut Scheduled) -> bool {
        let came = scheduled.0 == Some(at);
        if came {
            self.forget(scheduled);
        }
        came
    }

    /// Nobody waits for it any more. What the heap still holds of it means nothing.
    pub(super) const fn forget(&mut self, scheduled: &mut Scheduled) {
        if scheduled.0.take().is_some() {
            self.live -= 1;
        }
    }

    /// Whether most of the heap means nothing any more.
    pub(super) fn is_stale(&self) -> bool {
        self.heap.len() > 2 * self.live + 64
    }

    /// Keeps what still means something.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Whose) -> Scheduled) {
        self.heap
            .retain(|Reverse((at, whose))| keep(*whose).0 == Some(*at));
    }
}
