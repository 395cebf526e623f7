use foldhash::quality::FixedState;
use indexmap::IndexMap;

use super::super::{SharedDistribution, publish::Subscription, session::SessionKey};
use crate::Qos;

/// The sessions that share one subscription.
///
/// ```text
/// members: [ connected .. | not connected .. ]
///            0 .. online    online ..
/// ```
#[derive(Debug)]
pub(super) struct Group {
    number: u32,
    members: IndexMap<SessionKey, Subscription, FixedState>,
    /// How many of the members are connected.
    online: usize,
    /// Whose turn it is.
    next: usize,
    /// Who got the last message.
    last: Option<SessionKey>,
}

/// How many members are asked whether they are behind. With more, some stay unasked, so that the cost of a message has a bound.
const ASKED_MAX: usize = 16;

impl Group {
    /// A group without members. `number` tells it from others that have its place before or after it.
    pub(super) fn new(number: u32, hasher: &FixedState) -> Self {
        Self {
            number,
            members: IndexMap::with_hasher(hasher.clone()),
            online: 0,
            next: 0,
            last: None,
        }
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether it is a new member; it is not connected until it shows its presence.
    pub(super) fn join(&mut self, key: SessionKey, subscription: Subscription) -> bool {
        self.members.insert(key, subscription).is_none()
    }

    pub(super) fn leave(&mut self, key: SessionKey) {
        self.show_presence(key, false);
        self.members.swap_remove(&key);
        self.last = self.last.filter(|last| *last != key);
    }

    /// A member has a connection, or has none.
    pub(super) fn show_presence(&mut self, key: SessionKey, is_online: bool) {
        let Some(index) = self.members.get_index_of(&key) else {
            return;
        };
        match (index < self.online, is_online) {
            (true, true) | (false, false) => {}
            (false, true) => {
                self.members.swap_indices(index, self.online);
                self.online += 1;
            }
            (true, false) => {
                self.online -= 1;
                self.members.swap_indices(index, self.online);
            }
        }
    }

    /// Who gets a message. `load` says how much stands before it at a member, 0 for nothing, or that it would be dropped there.
    pub(super) fn choose(
        &mut self,
        distribution: SharedDistribution,
        hash: u64,
        load: impl Fn(SessionKey, Qos) -> Option<usize>,
    ) -> Option<(SessionKey, Subscription)> {
        let candidates = if self.online > 0 {
            self.online
        } else {
            self.members.len()
        };
        let index = match distribution {
            SharedDistribution::RoundRobin => self.least_loaded(self.next, candidates, load)?,
            SharedDistribution::Random => self.least_loaded(nth(hash, candidates)?, candidates, load)?,
            SharedDistribution::Sticky => match self.last_index() {
                Some(last) if last < candidates => last,
                Some(_) | None => self.next.checked_rem(candidates)?,
            },
            SharedDistribution::HashClient | SharedDistribution::HashTopic => nth(hash, candidates)?,
        };
        let (member, subscription) = self.members.get_index(index)?;
        self.next = index + 1;
        self.last = Some(*member);
        Some((*member, *subscription))
    }

    fn last_index(&self) -> Option<usize> {
        self.members.get_index_of(&self.last?)
    }

    /// The first from `start` on before which nothing stands, or else the one before which least does.
    fn least_loaded(
        &self,
        start: usize,
        candidates: usize,
        load: impl Fn(SessionKey, Qos) -> Option<usize>,
    ) -> Option<usize> {
        let mut least = (usize::MAX, start.checked_rem(candidates)?);
        for step in 0..candidates.min(ASKED_MAX) {
            let index = (start + step) % candidates;
            let (member, subscription) = self.members.get_index(index)?;
            match load(*member, subscription.qos) {
                Some(0) => return Some(index),
                Some(load) if load < least.0 => least = (load, index),
                Some(_) | None => {}
            }
        }
        Some(least.1)
    }
}

/// Which of `len` a hash stands for.
fn nth(hash: u64, len: usize) -> Option<usize> {
    let len = u64::try_from(len).ok()?;
    usize::try_from(hash.checked_rem(len)?).ok()
}
