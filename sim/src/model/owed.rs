use std::{cmp::Reverse, collections::BTreeSet};

use squall_proto::{Instant, Qos, broker::Limits};

use super::{FilterId, Message, MessageId, Model, Owed, SessionId};

/// Who must get what.
impl Model<'_> {
    /// A message is acknowledged: those that were subscribed when it came are owed it.
    pub(super) fn owe(&mut self, (at, index): (Instant, usize), id: MessageId, published: usize) {
        let message = self.messages.get(id);
        // At QoS 2 it was queued before it was acknowledged, when there was perhaps less room.
        let is_queued_now = message.qos_min < Qos::ExactlyOnce || self.has_long_queues();
        for (session, surely) in self.subscribed(at, published, message) {
            if let Some(qos) = surely.filter(|_| is_queued_now && self.has_room(session, (id, message))) {
                self.deliveries.owe(session, id, qos, (published, at, index));
            }
        }
        for filter in self.topics.matching(message.topic) {
            if self.topics.filter(*filter).share_name().is_none() {
                continue;
            }
            if let Some(members) = self
                .members(*filter, (published, message), at)
                .filter(|members| !members.is_empty() && self.has_long_queues())
            {
                let owed = Owed {
                    members,
                    published,
                    acknowledged: (at, index),
                };
                self.groups.owe(*filter, id, owed);
            }
        }
    }

    /// A message may be queued from now on for whoever may be subscribed.
    pub(super) fn may_wait(&mut self, at: Instant, id: MessageId) {
        let message = self.messages.get(id);
        let size = message.payload.len() + PROPERTIES_BYTES;
        let filters = self.topics.matching(message.topic).iter();
        let own = filters.filter(|filter| self.topics.filter(**filter).share_name().is_none());
        let may_be = own.flat_map(|filter| self.topics.subscribers(*filter));
        let alive: BTreeSet<SessionId> = may_be
            .filter(|id| self.sessions.get(*id).may_be_alive(at))
            .collect();
        for session in alive {
            self.deliveries.wait(session, id, size);
        }
    }

    /// Of those that are surely [`subscribed`](Self::subscribed), who cannot have had its queue full.
    pub(super) fn owed_to(
        &self,
        at: Instant,
        published: usize,
        (id, message): (MessageId, &Message),
    ) -> Vec<SessionId> {
        let subscribed = self.subscribed(at, published, message).into_iter();
        let surely = subscribed.filter_map(|(session, surely)| surely.map(|_| session));
        surely
            .filter(|session| self.has_room(*session, (id, message)))
            .collect()
    }

    /// Who has a subscription of its own at QoS 1 or 2, and the highest QoS of those that were surely there before this place.
    fn subscribed(&self, at: Instant, published: usize, message: &Message) -> Vec<(SessionId, Option<Qos>)> {
        let mut to: Vec<(SessionId, Option<Qos>)> = Vec::new();
        for filter in self.topics.matching(message.topic) {
            if self.topics.filter(*filter).share_name().is_some() {
                continue;
            }
            to.extend(self.topics.subscribers(*filter).filter_map(|id| {
                let session = self.sessions.get(id);
                let qos = session.owed_qos(*filter, usize::MAX, message)?;
                let surely = session.owed_qos(*filter, published, message);
                (qos > Qos::AtMostOnce && session.is_alive(at)).then_some((id, surely))
            }));
        }
        // The highest first. [MQTT-3.3.4-2] [v3 MQTT-3.3.5-1]
        to.sort_unstable_by_key(|(id, qos)| (*id, Reverse(*qos)));
        to.dedup_by_key(|(id, _)| *id);
        to
    }

    /// Whether queues are as long as they are unless somebody shortens them: what waits there for groups is not counted.
    pub(super) fn has_long_queues(&self) -> bool {
        let usual = Limits::default();
        self.limits.queued_messages >= usual.queued_messages && self.limits.queued_bytes >= usual.queued_bytes
    }

    /// Whether the queue of a session is sure to have room, for as many copies of each message as it may be sent of this one. It may wait
    /// there itself by now.
    fn has_room(&self, id: SessionId, (message_id, message): (MessageId, &Message)) -> bool {
        let mut filters = self.sessions.get(id).subscriptions.keys();
        // What waits there for groups is not counted, nor what was asked for of the retained.
        let shares = filters.any(|filter| self.topics.filter(*filter).share_name().is_some());
        if (shares || self.retained.count_max() > 0) && !self.has_long_queues() {
            return false;
        }
        let (waiting, bytes) = self.deliveries.waiting_beside(id, message_id);
        let size = message.payload.len() + PROPERTIES_BYTES;
        let copies = self.sessions.get(id).copies_max(&self.topics, message.topic);
        let times = 2 * copies.max(1);
        let fits = |waiting: usize, bytes: usize| {
            times * waiting < self.limits.queued_messages && times * (bytes + size) < self.limits.queued_bytes
        };
        if fits(waiting, bytes) {
            return true;
        }
        // Which copy of what is published more often is meant does not show.
        let (waiting, bytes) = self.waiting_before(id, (message_id, message));
        message.published == 1 && fits(waiting, bytes)
    }

    /// How many messages may have been queued before this one and wait still, and their bytes: those that came before it, and of others
    /// those that came in its moment.
    fn waiting_before(&self, id: SessionId, (message_id, message): (MessageId, &Message)) -> (usize, usize) {
        let (mut waiting, mut bytes, mut is_past) = (0, 0, false);
        for (other, size) in self.deliveries.waiting(id) {
            is_past |= other == message_id;
            let other_message = self.messages.get(other);
            let is_of_moment = other_message.publisher != message.publisher
                && (other_message.last.0 == message.last.0 || message.is_read_late);
            if other != message_id && (!is_past || is_of_moment) {
                waiting += 1;
                bytes += size;
            }
        }
        (waiting, bytes)
    }

    /// The retained messages of these filters are owed to a session that has subscribed.
    pub(super) fn owe_retained(
        &mut self,
        (at, index): (Instant, usize),
        session: SessionId,
        asked: usize,
        wanted: &[(FilterId, Qos)],
    ) {
        let are_kept = self.limits.retained_messages >= Limits::default().retained_messages;
        if wanted.is_empty() || !are_kept || !self.has_long_queues() {
            return;
        }
        let topics = &self.topics;
        let mut owed = Vec::new();
        for (topic, message) in self.retained.certain(asked, at) {
            let is_wanted =
                |(filter, qos): &(FilterId, Qos)| *qos > Qos::AtMostOnce && topics.matches(*filter, topic);
            let published = self.messages.get(message);
            if published.qos_min > Qos::AtMostOnce && wanted.iter().any(is_wanted) {
                owed.push(message);
            }
        }
        for message in owed {
            // What else may be asked for has not been looked at.
            self.deliveries
                .owe(session, message, Qos::AtLeastOnce, (asked, at, index));
        }
    }
}

/// What the properties of a message may come to, for all we reckon.
const PROPERTIES_BYTES: usize = 1000;
