use alloc::{
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};

use super::{Options, pending::Pending, request::Request};
use crate::{Instant, Qos};

/// What the application asked for and was not sent yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) requests: VecDeque<Request>,
    /// QoS 1 and 2, in order.
    messages: VecDeque<Pending>,
    /// QoS 0, which wait for a connection but not for the send quota, in order.
    at_most_once: VecDeque<Pending>,
    /// Topic Names and payloads of all messages.
    bytes: usize,
    /// When messages that expire do so, with their order.
    expiries: BTreeSet<(Instant, u64)>,
}

/// What becomes of a message for which the queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// Whoever asks waits until there is room: see [`Client::takes_messages`](super::Client::takes_messages). One who does not wait is
    /// refused with [`Misuse::QueueFull`](super::Misuse::QueueFull).
    #[default]
    Wait,
    /// It is refused with [`Misuse::QueueFull`](super::Misuse::QueueFull).
    Refuse,
    /// The oldest that wait, those of a lost session included, end with [`Failure::Dropped`](super::Failure::Dropped), to make room.
    DropOldest,
    /// It ends with [`Failure::Dropped`](super::Failure::Dropped).
    DropNewest,
}

/// What becomes of a QoS 0 message while there is no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtMostOnceOffline {
    /// It waits in the queue for the next one.
    #[default]
    Queue,
    /// It ends with [`Failure::Offline`](super::Failure::Offline).
    Drop,
}

impl Queue {
    pub(super) fn message_count(&self) -> usize {
        self.messages.len() + self.at_most_once.len()
    }

    /// Whether another message is taken.
    pub(super) fn has_room(&self, options: &Options) -> bool {
        self.message_count() < options.queued && self.bytes < options.queued_bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.message_count() == 0
    }

    pub(super) fn ask_again(&mut self, requests: Vec<Request>) {
        for request in requests.into_iter().rev() {
            self.requests.push_front(request);
        }
    }

    pub(super) fn push(&mut self, pending: Pending) {
        self.count(&pending);
        match pending.message.qos {
            Qos::AtMostOnce => self.at_most_once.push_back(pending),
            Qos::AtLeastOnce | Qos::ExactlyOnce => self.messages.push_back(pending),
        }
    }

    /// Messages that were sent in a session that is lost, in order, come before all others.
    pub(super) fn publish_again(&mut self, again: Vec<Pending>) {
        for pending in again.into_iter().rev() {
            self.count(&pending);
            self.messages.push_front(pending);
        }
    }

    pub(super) fn next_at_most_once(&mut self) -> Option<Pending> {
        let pending = self.at_most_once.pop_front()?;
        Some(self.discount(pending))
    }

    /// The next QoS 1 or 2 message.
    pub(super) fn next_message(&mut self) -> Option<Pending> {
        let pending = self.messages.pop_front()?;
        Some(self.discount(pending))
    }

    pub(super) fn has_messages(&self) -> bool {
        !self.messages.is_empty()
    }

    /// The message that waits longest.
    pub(super) fn oldest(&mut self) -> Option<Pending> {
        let order = |queue: &VecDeque<Pending>| queue.front().map(|pending| pending.order);
        match (order(&self.messages), order(&self.at_most_once)) {
            (Some(message), Some(at_most_once)) if at_most_once < message => self.next_at_most_once(),
            (None, Some(_)) => self.next_at_most_once(),
            (Some(_), _) | (None, None) => self.next_message(),
        }
    }

    /// When the next message expires.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// A message that has expired by now.
    pub(super) fn expired(&mut self, now: Instant) -> Option<Pending> {
        let (at, order) = *self.expiries.first()?;
        if at > now {
            return None;
        }
        let pending = take(&mut self.messages, order).or_else(|| take(&mut self.at_most_once, order))?;
        Some(self.discount(pending))
    }

    fn count(&mut self, pending: &Pending) {
        self.bytes += pending.size();
        self.expiries
            .extend(pending.expires().map(|at| (at, pending.order)));
    }

    fn discount(&mut self, pending: Pending) -> Pending {
        self.bytes -= pending.size();
        if let Some(at) = pending.expires() {
            self.expiries.remove(&(at, pending.order));
        }
        pending
    }
}

fn take(queue: &mut VecDeque<Pending>, order: u64) -> Option<Pending> {
    let at = queue.binary_search_by_key(&order, |pending| pending.order).ok()?;
    queue.remove(at)
}
