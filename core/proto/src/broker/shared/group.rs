use core::num::NonZeroU32;

use foldhash::quality::FixedState;
use indexmap::IndexMap;

use super::super::{SharedDistribution, publish::Subscription, session::SessionKey};
use crate::{Qos, TopicFilter};

/// The sessions that share one subscription.
///
/// ```text
/// members: [ connected .. | not connected .. ]
///            0 .. online    online ..
/// ```
#[derive(Debug)]
pub(super) struct Group {
    number: NonZeroU32,
    filter: TopicFilter,
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
    pub(super) fn new(number: NonZeroU32, filter: TopicFilter, hasher: &FixedState) -> Self {
        Self {
            number,
            filter,
            members: IndexMap::with_hasher(hasher.clone()),
            online: 0,
            next: 0,
            last: None,
        }
    }

    pub(super) const fn number(&self) -> NonZeroU32 {
        self.number
    }

    /// What its members share.
    pub(super) const fn filter(&self) -> &TopicFilter {
        &self.filter
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

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn group() -> Group {
        let filter = TopicFilter::new("$share/g/t").unwrap();
        Group::new(NonZeroU32::MIN, filter, &FixedState::with_seed(1))
    }

    const SUBSCRIPTION: Subscription = Subscription {
        qos: Qos::AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        id: None,
    };

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Join(u32),
        Leave(u32),
        ShowPresence(u32, bool),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            (0..6_u32).prop_map(Op::Join),
            (0..6_u32).prop_map(Op::Leave),
            (0..6_u32, any::<bool>()).prop_map(|(member, is_online)| Op::ShowPresence(member, is_online)),
        ]
    }

    /// Does the same to a group and to a map of who is there and whether connected.
    fn carry_out(op: Op, group: &mut Group, members: &mut BTreeMap<u32, bool>) {
        match op {
            Op::Join(member) => {
                let is_new = group.join(SessionKey(member), SUBSCRIPTION);
                assert_eq!(is_new, !members.contains_key(&member));
                members.entry(member).or_insert(false);
            }
            Op::Leave(member) => {
                group.leave(SessionKey(member));
                members.remove(&member);
            }
            Op::ShowPresence(member, is_online) => {
                group.show_presence(SessionKey(member), is_online);
                members.entry(member).and_modify(|now| *now = is_online);
            }
        }
    }

    fn chosen(group: &mut Group, distribution: SharedDistribution, hash: u64) -> Option<u32> {
        let chosen = group.choose(distribution, hash, |_, _| Some(0));
        chosen.map(|(member, _)| member.0)
    }

    proptest! {
        #[test]
        fn who_is_chosen_is_connected_if_anybody_is_and_everybody_has_a_turn(
            ops in prop::collection::vec(op(), 0..40),
            hash: u64,
        ) {
            let mut group = group();
            let mut members = BTreeMap::new();
            for op in ops {
                carry_out(op, &mut group, &mut members);
                let online: BTreeSet<u32> =
                    members.iter().filter(|(_, online)| **online).map(|(member, _)| *member).collect();
                let candidates = if online.is_empty() {
                    members.keys().copied().collect()
                } else {
                    online
                };
                let turns: BTreeSet<u32> = (0..candidates.len())
                    .filter_map(|_| chosen(&mut group, SharedDistribution::RoundRobin, hash))
                    .collect();
                prop_assert_eq!(&turns, &candidates);
                for distribution in [
                    SharedDistribution::Random,
                    SharedDistribution::Sticky,
                    SharedDistribution::HashClient,
                    SharedDistribution::HashTopic,
                ] {
                    let chosen = chosen(&mut group, distribution, hash);
                    prop_assert_eq!(chosen.is_none(), candidates.is_empty());
                    prop_assert!(chosen.is_none_or(|member| candidates.contains(&member)));
                }
                prop_assert_eq!(group.is_empty(), members.is_empty());
            }
        }
    }

    /// What stands before a message at each member, who is first in turn, and who gets it.
    #[test]
    fn the_first_who_is_free_gets_the_message_or_else_who_is_least_behind() {
        for (loads, first, wanted) in [
            ([Some(0), Some(0), Some(0)], 1, 1),
            ([Some(0), Some(5), Some(9)], 1, 0),
            ([Some(7), Some(5), Some(9)], 2, 1),
            ([Some(7), None, None], 1, 0),
            ([None, None, None], 2, 2),
        ] {
            let mut group = group();
            for member in 0..3 {
                group.join(SessionKey(member), SUBSCRIPTION);
            }
            group.next = first;
            let load = |member: SessionKey, _| loads.get(member.0 as usize).copied().flatten();
            let (member, _) = group.choose(SharedDistribution::RoundRobin, 0, load).unwrap();
            assert_eq!(member.0, wanted, "{loads:?} from {first}");
        }
    }
}
