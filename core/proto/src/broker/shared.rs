//! Shared subscriptions (section 4.8.2): of the sessions that share one, each message goes to one.
//!
//! `group` is the sessions that share one subscription, and which of them is next.

mod group;

use alloc::vec::Vec;
use core::{hash::BuildHasher as _, mem, num::NonZeroU32};

use foldhash::quality::FixedState;
use hashbrown::HashMap;
use slab::Slab;

use self::group::Group;
use super::{
    Broker, Drop, Output, SharedBy, SharedDistribution, keep,
    message::{Message, Outgoing, ids_of},
    outbound::Outbound,
    publish::{Match, Subscription},
    session::{Link, Session, SessionKey},
    stowed::{Waiting, topic_hash},
};
use crate::{Instant, Qos, SubscriptionTree, TopicFilter};

/// Every shared subscription there is.
#[derive(Debug)]
pub(super) struct SharedSubscriptions {
    /// By what follows the ShareName; the subscribers are places in `groups`.
    tree: SubscriptionTree<()>,
    groups: Slab<Group>,
    by_filter: HashMap<TopicFilter, u32, FixedState>,
    /// The number of the next group.
    next_number: NonZeroU32,
    /// What messages and members are hashed with.
    chance: FixedState,
    /// Kept for its memory alone; empty between inputs.
    found: Vec<u32>,
}

/// Names a group, and no other that takes its place later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupKey {
    place: u32,
    number: NonZeroU32,
}

/// Which group a message was sent to one member of, and what another member has to know of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) group: GroupKey,
    /// RETAIN as it was published.
    pub(super) retain: bool,
}

/// The member of a group that a message goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) group: GroupKey,
    pub(super) member: SessionKey,
    pub(super) subscription: Subscription,
}

impl SharedSubscriptions {
    pub(super) fn new(seed: u64) -> Self {
        let chance = FixedState::with_seed(seed);
        Self {
            tree: SubscriptionTree::new(seed),
            groups: Slab::new(),
            by_filter: HashMap::with_hasher(chance.clone()),
            next_number: NonZeroU32::MIN,
            chance,
            found: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// The group of this filter, `$share/{ShareName}/` included.
    fn group(&mut self, filter: &TopicFilter) -> Option<&mut Group> {
        let place = *self.by_filter.get(filter)?;
        self.groups.get_mut(place as usize)
    }

    /// What the records of a delivery say of its group.
    pub(super) fn on_record(&self, share: Share) -> Option<SharedBy<'_>> {
        let group = self.groups.get(share.group.place as usize)?;
        (group.number() == share.group.number).then_some(SharedBy {
            filter: group.filter(),
            retain: share.retain,
        })
    }

    /// The group of a delivery whose records say this.
    pub(super) fn restored(&self, shared: SharedBy<'_>) -> Option<Share> {
        let place = *self.by_filter.get(shared.filter)?;
        let number = self.groups.get(place as usize)?.number();
        Some(Share {
            group: GroupKey { place, number },
            retain: shared.retain,
        })
    }

    fn form(&mut self, filter: &TopicFilter) -> u32 {
        let place = self
            .groups
            .insert(Group::new(self.next_number, filter.detached(), &self.chance));
        self.next_number = self.next_number.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let place = u32::try_from(place).expect("fewer groups than 4,294,967,296");
        self.tree.insert(filter.levels(), place, ());
        self.by_filter.insert(filter.detached(), place);
        place
    }

    /// A session is no member any more. A group without members is none.
    pub(super) fn leave(&mut self, key: SessionKey, filter: &TopicFilter) {
        let Some(place) = self.by_filter.get(filter).copied() else {
            return;
        };
        let Some(group) = self.groups.get_mut(place as usize) else {
            return;
        };
        group.leave(key);
        if group.is_empty() {
            self.groups.remove(place as usize);
            self.tree.remove(filter.levels(), place);
            self.by_filter.remove(filter);
        }
    }
}

impl Broker {
    /// Makes a session a member of a group, or changes what it is a member with; whether it was none before.
    pub(super) fn join(&mut self, key: SessionKey, filter: &TopicFilter, subscription: Subscription) -> bool {
        let is_online = self.session(key).online().is_some();
        if self.shared.group(filter).is_none() {
            self.shared.form(filter);
        }
        self.shared.group(filter).is_some_and(|group| {
            let is_new = group.join(key, subscription);
            group.show_presence(key, is_online);
            is_new
        })
    }

    /// Tells the groups of a session whether it has a connection now.
    pub(super) fn show_presence(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get(key.0 as usize) else {
            return;
        };
        let is_online = session.online().is_some();
        let shared = session
            .subscriptions
            .iter()
            .filter(|filter| filter.share_name().is_some());
        for filter in shared {
            if let Some(group) = self.shared.group(filter) {
                group.show_presence(key, is_online);
            }
        }
    }

    /// Adds the member that each matching group chooses. It gets the message beside what its own subscriptions bring it.
    pub(super) fn find_chosen(
        &mut self,
        publisher: Option<SessionKey>,
        message: &Message,
        matches: &mut Vec<Match>,
        out: &impl Output,
    ) {
        if self.shared.tree.is_empty() {
            return;
        }
        let about = (message.qos, topic_hash(&message.topic));
        let mut found = mem::take(&mut self.shared.found);
        self.shared
            .tree
            .for_each_match(&message.topic, |place, ()| found.push(place));
        let chosen = found
            .drain(..)
            .filter_map(|place| self.choose(place, publisher, about, out));
        matches.extend(chosen.map(Match::from));
        self.shared.found = found;
    }

    fn choose(
        &mut self,
        place: u32,
        publisher: Option<SessionKey>,
        (qos, topic_hash): (Qos, u64),
        out: &impl Output,
    ) -> Option<Chosen> {
        let distribution = self.limits.shared_distribution;
        let hash = self.hash(distribution, place, publisher, topic_hash);
        let (sessions, unsent_bytes_soft) = (&self.sessions, self.limits.unsent_bytes_soft);
        let group = self.shared.groups.get_mut(place as usize)?;
        let load = |member: SessionKey, granted: Qos| {
            let session = sessions.get(member.0 as usize)?;
            session.load(qos.min(granted), unsent_bytes_soft, out)
        };
        let (member, subscription) = group.choose(distribution, hash, load)?;
        let number = group.number();
        Some(Chosen {
            group: GroupKey { place, number },
            member,
            subscription,
        })
    }

    /// What the choice of a member follows from, where it does not follow from the one before.
    fn hash(
        &self,
        distribution: SharedDistribution,
        place: u32,
        publisher: Option<SessionKey>,
        topic_hash: u64,
    ) -> u64 {
        let chance = &self.shared.chance;
        match (distribution, publisher) {
            (SharedDistribution::RoundRobin | SharedDistribution::Sticky, _) => 0,
            (SharedDistribution::Random, _) => chance.hash_one((self.routings, place)),
            (SharedDistribution::HashClient, Some(publisher)) => {
                chance.hash_one(self.session(publisher).client_id.as_str())
            }
            // What is handed on has lost sight of its publisher.
            (SharedDistribution::HashClient, None) | (SharedDistribution::HashTopic, _) => {
                chance.hash_one(topic_hash)
            }
        }
    }

    /// A session has ended: others of its groups get what it did not.
    // Section 4.8.2: a SHOULD at QoS 1. [MQTT-4.8.2-4] Until then it waits for the session.
    pub(super) fn hand_on(&mut self, now: Instant, outbound: Outbound, out: &mut impl Output) {
        outbound.finish_begun(out);
        for mut outgoing in outbound.into_unfinished() {
            let (order, mark) = (outgoing.order.take(), outgoing.message.mark().cloned());
            let is_held = order.is_some() || outgoing.message.is_stored();
            if let Some(share) = outgoing.share {
                self.hand_on_one(now, share, outgoing, out);
            }
            let mark = mark.filter(|_| is_held);
            match (order, mark) {
                (Some(_), mark) => keep::finished(order, mark.as_deref(), out),
                (None, Some(mark)) => mark.let_go(out),
                (None, None) => {}
            }
        }
    }

    fn hand_on_one(
        &mut self,
        now: Instant,
        share: Share,
        outgoing: Outgoing<Waiting>,
        out: &mut impl Output,
    ) {
        let GroupKey { place, number } = share.group;
        let group = self.shared.groups.get(place as usize);
        // [MQTT-3.3.2-5]
        if group.is_none_or(|group| group.number() != number) || outgoing.message.is_expired(now) {
            return;
        }
        self.routings += 1;
        let about = (outgoing.message.qos(), outgoing.message.topic_hash());
        let Some(chosen) = self.choose(place, None, about, out) else {
            return;
        };
        let outgoing = Outgoing {
            qos: outgoing.message.qos().min(chosen.subscription.qos),
            retain: share.retain && chosen.subscription.retain_as_published,
            subscription_ids: ids_of(chosen.subscription.id),
            ..outgoing
        };
        if outgoing.qos > Qos::AtMostOnce {
            return self.deliver(now, chosen.member, outgoing, out);
        }
        let Outgoing {
            message,
            retain,
            subscription_ids,
            ..
        } = outgoing;
        let Waiting::Here(message, _) = message else {
            return self.session(chosen.member).dropped(Drop::NotRead, out);
        };
        self.deliver_at_most_once(now, chosen.member, &message, retain, &subscription_ids, out);
    }
}

impl Session {
    /// How much stands before a message of this QoS: 0 if it is sent, or kept, at once; `None` if it would be dropped.
    fn load(&self, qos: Qos, unsent_bytes_soft: usize, out: &impl Output) -> Option<usize> {
        let waiting = self.outbound.waiting_messages();
        match &self.link {
            Link::Online(online) => {
                let acknowledged = qos > Qos::AtMostOnce;
                let is_behind = out.unsent_bytes(online.conn) > unsent_bytes_soft
                    || (acknowledged && (online.send_quota == 0 || !self.outbound.can_begin()));
                Some(waiting + usize::from(is_behind))
            }
            Link::Offline { .. } if qos == Qos::AtMostOnce => None,
            Link::Offline { .. } => Some(waiting),
        }
    }
}
