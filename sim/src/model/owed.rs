use squall_proto::{Instant, Qos, broker::Limits};

use super::{FilterId, Message, MessageId, Model, Owed, SessionId};

/// Who must get what.
impl Model<'_> {
    /// A message is acknowledged: those that were subscribed when it came are owed it.
    pub(super) fn owe(&mut self, (at, index): (Instant, usize), id: MessageId, published: usize) {
        let message = self.messages.get(id);
        let size = message.payload.len() + PROPERTIES_BYTES;
        for session in self.owed_to(at, published, message) {
            self.deliveries.owe(session, id, (published, at, index));
            self.deliveries.wait(session, size);
        }
        for filter in self.topics.matching(message.topic) {
            if self.topics.filter(*filter).share_name().is_none() {
                continue;
            }
            if let Some(members) = self
                .members(*filter, published, at)
                .filter(|members| !members.is_empty())
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

    /// Who has a subscription of its own that was there before this place, at QoS 1 or 2. Who may have had its queue full is not among
    /// them.
    pub(super) fn owed_to(&self, at: Instant, published: usize, message: &Message) -> Vec<SessionId> {
        let mut to = Vec::new();
        for filter in self.topics.matching(message.topic) {
            if self.topics.filter(*filter).share_name().is_some() {
                continue;
            }
            to.extend(self.topics.subscribers(*filter).filter(|id| {
                let session = self.sessions.get(*id);
                let is_own = session.client == message.publisher || message.has_more_publishers;
                let qos = session.owed_qos(*filter, published, is_own);
                qos.is_some_and(|qos| qos > Qos::AtMostOnce) && session.is_alive(at)
            }));
        }
        to.sort_unstable();
        to.dedup();
        to.retain(|id| self.has_room(*id, message));
        to
    }

    /// Whether the queue of a session is sure to have room.
    fn has_room(&self, id: SessionId, message: &Message) -> bool {
        let (waiting, bytes) = self.deliveries.waiting(id);
        let size = message.payload.len() + PROPERTIES_BYTES;
        2 * waiting < self.limits.queued_messages && 2 * (bytes + size) < self.limits.queued_bytes
    }

    /// The retained messages of these filters are owed to a session that has subscribed.
    pub(super) fn owe_retained(
        &mut self,
        (at, index): (Instant, usize),
        session: SessionId,
        asked: usize,
        wanted: &[(FilterId, Qos)],
    ) {
        if wanted.is_empty() || self.limits.retained_messages < Limits::default().retained_messages {
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
            self.deliveries.owe(session, message, (asked, at, index));
        }
    }
}

/// What the properties of a message may come to, for all we reckon.
pub(super) const PROPERTIES_BYTES: usize = 1000;
