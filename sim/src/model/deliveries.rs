use std::collections::{BTreeMap, VecDeque};

use squall_proto::{Instant, Publish, Qos};

use super::numbered::{Lookup, MessageId, Number, Numbered, SessionId};

/// What each session is owed of each message, and what it was sent and got.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    all: Numbered<DeliveryId, Delivery>,
    of: Lookup<(SessionId, MessageId), DeliveryId>,
    waiting: BTreeMap<SessionId, Waiting>,
}

/// What may wait for a session: what came for it and has not come to it. Who is sent a message has been sent those that waited before
/// it, or they were dropped.
#[derive(Debug, Default)]
struct Waiting {
    /// In the order in which they came, with their sizes.
    queue: VecDeque<(DeliveryId, usize)>,
    bytes: usize,
}

super::numbered::numbers! {
    /// A message for a session.
    DeliveryId,
}

/// A message for a session.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) session: SessionId,
    pub(crate) message: MessageId,
    /// How many copies must come.
    pub(crate) owed: usize,
    /// How many may wait.
    waiting: usize,
    /// The highest QoS at which one must come, if it was published at no lower one.
    pub(crate) owed_qos: Qos,
    /// What makes it owed: the place of the PUBLISH (of the SUBSCRIBE, when it is retained), and when and where the broker acknowledged
    /// that.
    pub(crate) since: Option<(usize, Instant, usize)>,
    /// How often the broker sent it at QoS 0 as no retained message.
    pub(crate) sent_at_most_once: usize,
    /// How often it came, redeliveries that the receiver must recognise not counted.
    pub(crate) arrived: usize,
    /// The highest QoS at which it came.
    pub(crate) arrived_qos: Qos,
    /// Of those, at QoS 1 or 2: what is owed is owed so.
    pub(crate) arrived_acknowledged: usize,
    /// Of those, at QoS 2 and as no retained message.
    pub(crate) arrived_exactly_once: usize,
    /// Where it was first sent and where it last was.
    pub(crate) sent: Option<(usize, usize)>,
    /// Where it was last sent before that.
    pub(crate) sent_before: Option<usize>,
}

impl Deliveries {
    pub(crate) fn get(&self, id: DeliveryId) -> &Delivery {
        self.all.of(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Delivery> {
        self.all.iter().map(|(_, delivery)| delivery)
    }

    /// How many messages beside this one may wait for a session; and the bytes of all.
    pub(crate) fn waiting_beside(&self, session: SessionId, message: MessageId) -> (usize, usize) {
        let own = self
            .of
            .get(&(session, message))
            .map_or(0, |id| self.all.of(*id).waiting.min(1));
        let waiting = self.waiting.get(&session);
        waiting.map_or((0, 0), |waiting| {
            (waiting.queue.len().saturating_sub(own), waiting.bytes)
        })
    }

    /// What may wait for a session, in the order in which it came, with the sizes.
    pub(crate) fn waiting(&self, session: SessionId) -> impl Iterator<Item = (MessageId, usize)> {
        let waiting = self.waiting.get(&session).into_iter();
        let queue = waiting.flat_map(|waiting| &waiting.queue);
        queue.map(|(id, size)| (self.all.of(*id).message, *size))
    }

    /// A message of so many bytes waits for a session, if its queue had room.
    pub(super) fn wait(&mut self, session: SessionId, message: MessageId, size: usize) {
        let id = self.id(session, message);
        self.all.of_mut(id).waiting += 1;
        let waiting = self.waiting.entry(session).or_default();
        waiting.queue.push_back((id, size));
        waiting.bytes += size;
    }

    /// It waits no more, nor does what came before it.
    fn waits_no_more(&mut self, session: SessionId, id: DeliveryId) {
        let Some(waiting) = self.waiting.get_mut(&session) else {
            return;
        };
        while let Some((first, size)) = waiting.queue.pop_front() {
            waiting.bytes -= size;
            self.all.of_mut(first).waiting -= 1;
            if first == id {
                break;
            }
        }
    }

    /// One more copy is owed.
    pub(super) fn owe(
        &mut self,
        session: SessionId,
        message: MessageId,
        qos: Qos,
        since: (usize, Instant, usize),
    ) {
        let id = self.id(session, message);
        let delivery = self.all.of_mut(id);
        delivery.owed += 1;
        delivery.owed_qos = delivery.owed_qos.max(qos);
        if delivery.owed > delivery.arrived_acknowledged {
            delivery.since.get_or_insert(since);
        }
    }

    /// The broker has sent it.
    pub(super) fn sent(
        &mut self,
        index: usize,
        session: SessionId,
        message: MessageId,
        publish: &Publish,
    ) -> DeliveryId {
        let id = self.id(session, message);
        let delivery = self.all.of_mut(id);
        let is_live = !publish.retain && publish.delivery.qos() == Qos::AtMostOnce;
        delivery.sent_at_most_once += usize::from(is_live);
        delivery.sent_before = delivery.sent.map(|(_, last)| last);
        delivery.sent = Some((delivery.sent.map_or(index, |(first, _)| first), index));
        id
    }

    /// It has come, and is none that the receiver had.
    pub(super) fn arrived(
        &mut self,
        session: SessionId,
        message: MessageId,
        publish: &Publish,
    ) -> DeliveryId {
        let id = self.id(session, message);
        // At QoS 0 comes another copy than the one that waits.
        if publish.delivery.qos() > Qos::AtMostOnce && self.all.of(id).waiting > 0 {
            self.waits_no_more(session, id);
        }
        let delivery = self.all.of_mut(id);
        let is_live = !publish.retain && publish.delivery.qos() == Qos::ExactlyOnce;
        delivery.arrived += 1;
        delivery.arrived_qos = delivery.arrived_qos.max(publish.delivery.qos());
        delivery.arrived_acknowledged += usize::from(publish.delivery.qos() > Qos::AtMostOnce);
        delivery.arrived_exactly_once += usize::from(is_live);
        if delivery.arrived_acknowledged >= delivery.owed {
            delivery.since = None;
        }
        id
    }

    fn id(&mut self, session: SessionId, message: MessageId) -> DeliveryId {
        let all = &mut self.all;
        let id = self.of.entry((session, message)).or_insert_with(|| {
            all.push(Delivery {
                session,
                message,
                owed: 0,
                waiting: 0,
                owed_qos: Qos::AtMostOnce,
                since: None,
                sent_at_most_once: 0,
                arrived: 0,
                arrived_qos: Qos::AtMostOnce,
                arrived_acknowledged: 0,
                arrived_exactly_once: 0,
                sent: None,
                sent_before: None,
            })
        });
        *id
    }
}
