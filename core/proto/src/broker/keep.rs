//! What of sessions and messages is on record, and the records of its changes.

use alloc::sync::Arc;
use core::{
    num::NonZeroU64,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use super::{
    Content, Output, Owed, Record, SharedBy, Subscription,
    message::{Message, Outgoing},
    session::{Link, Session},
    stowed::{Outline, Room, Waiting},
    will::WillState,
};
use crate::{Instant, PacketId, TopicFilter};

/// The last number of each kind that was given.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) sessions: u64,
    pub(super) messages: u64,
    pub(super) deliveries: u64,
}

/// By what the records of a message name it, and how many places on record hold it.
///
/// The broker alone counts, and nobody else at the same time: it is an atomic only because messages are shared.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) number: u64,
    pub(super) outline: Outline,
    holders: AtomicU32,
    /// In how many places it waits in memory.
    waiting: AtomicU32,
    room: Arc<Room>,
}

/// How much of a session is on record.
// [MQTT-3.1.2-23] [v3 MQTT-4.1.0-1] What ends with the connection need not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OnRecord {
    Nothing,
    /// It ends with its connection, but its Will is published then.
    Will,
    /// It outlives its connection.
    Whole,
}

/// By what its records name a delivery, where it has any.
pub(super) type Order = Option<NonZeroU64>;

impl Numbers {
    pub(super) const fn next_session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    pub(super) const fn next_message(&mut self) -> u64 {
        self.messages += 1;
        self.messages
    }

    pub(super) const fn next_delivery(&mut self) -> Order {
        self.deliveries += 1;
        NonZeroU64::new(self.deliveries)
    }
}

impl Mark {
    /// Of a message that records name by this number.
    pub(super) fn new(number: u64, outline: Outline, room: &Arc<Room>) -> Arc<Self> {
        Arc::new(Self {
            number,
            outline,
            holders: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            room: Arc::clone(room),
        })
    }

    /// Whether it may wait in memory.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.load(Relaxed) > 0 || self.room.has(self.outline.size)
    }

    /// It waits in memory, in one place more.
    pub(super) fn enter(&self) {
        if one_more(&self.waiting) == 0 {
            self.room.take(self.outline.size);
        }
    }

    /// It does in one place less.
    pub(super) fn leave(&self) {
        if one_less(&self.waiting) == 1 {
            self.room.give_back(self.outline.size);
        }
    }

    /// One more holds it; whether it is the first.
    pub(super) fn hold(&self) -> bool {
        one_more(&self.holders) == 0
    }

    /// A place on record names it no more.
    pub(super) fn let_go(&self, out: &mut impl Output) {
        if one_less(&self.holders) == 1 {
            let message = self.number;
            out.persist(Record::Forgotten { message });
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.holders.load(Relaxed) > 0
    }
}

/// What there was before. Nobody else counts at the same time, so this need not be one step.
fn one_more(count: &AtomicU32) -> u32 {
    let before = count.load(Relaxed);
    count.store(before + 1, Relaxed);
    before
}

/// The same.
fn one_less(count: &AtomicU32) -> u32 {
    let before = count.load(Relaxed);
    count.store(before - 1, Relaxed);
    before
}

/// Who holds a message is no part of what it says.
impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Mark {}

impl Message {
    /// One more place on record names the message.
    pub(super) fn hold(&self, out: &mut impl Output) {
        if let Some(mark) = &self.mark
            && mark.hold()
        {
            out.persist(Record::Message {
                message: mark.number,
                content: Content {
                    topic: &self.topic,
                    payload: &self.payload,
                    qos: self.qos,
                    properties: &self.properties,
                    expires_at: self.expires_at,
                },
            });
        }
    }

    /// A place on record names it no more.
    pub(super) fn let_go(&self, out: &mut impl Output) {
        if let Some(mark) = &self.mark {
            mark.let_go(out);
        }
    }

    /// It is the retained one of its topic, and `replaced` was.
    pub(super) fn retained(&self, replaced: Option<&Self>, out: &mut impl Output) {
        self.hold(out);
        if let Some(mark) = &self.mark {
            out.persist(Record::Retained {
                topic: &self.topic,
                message: mark.number,
            });
        }
        if let Some(replaced) = replaced {
            replaced.let_go(out);
        }
    }

    /// It is the retained one of its topic no more, and none is.
    pub(super) fn not_retained(&self, out: &mut impl Output) {
        out.persist(Record::RetainedRemoved { topic: &self.topic });
        self.let_go(out);
    }
}

impl Outgoing<Waiting> {
    /// The delivery waits for a session.
    pub(super) fn queued(&self, session: u64, share: Option<SharedBy<'_>>, out: &mut impl Output) {
        if let (Some(order), Some(mark)) = (self.order, self.message.mark()) {
            self.message.hold(out);
            out.persist(Record::Queued {
                order: order.get(),
                delivery: Owed {
                    session,
                    message: mark.number,
                    qos: self.qos,
                    retain: self.retain,
                    subscription_ids: &self.subscription_ids,
                    share,
                },
            });
        }
    }

    /// The delivery is over.
    pub(super) fn finished(&self, out: &mut impl Output) {
        let mark = self.message.mark().map(|mark| &**mark);
        finished(self.order, mark, out);
        // What is in the store alone is held also for a session that is not on record.
        if let (None, Waiting::Stored(mark)) = (self.order, &self.message) {
            mark.let_go(out);
        }
    }
}

/// A delivery is over, and needs its message no more, if it still did.
pub(super) fn finished(order: Order, mark: Option<&Mark>, out: &mut impl Output) {
    if let Some(order) = order {
        let order = order.get();
        out.persist(Record::Finished { order });
        if let Some(mark) = mark {
            mark.let_go(out);
        }
    }
}

/// The PUBLISH of a delivery is about to be sent for the first time.
pub(super) fn sent(order: Order, packet_id: PacketId, out: &mut impl Output) {
    if let Some(order) = order {
        let order = order.get();
        out.persist(Record::Sent { order, packet_id });
    }
}

/// The receiver of a QoS 2 delivery has its message.
pub(super) fn released(order: Order, mark: Option<&Mark>, out: &mut impl Output) {
    if let Some(order) = order {
        let order = order.get();
        out.persist(Record::Released { order });
        if let Some(mark) = mark {
            mark.let_go(out);
        }
    }
}

impl Session {
    /// Whether what it is subscribed to, was sent and is owed is on record.
    pub(super) fn is_on_record(&self) -> bool {
        self.on_record == OnRecord::Whole
    }

    /// It is online: there is to be as much of it on record as this connection makes needful.
    pub(super) fn put_on_record(&mut self) {
        let needful = if self.expiry != Some(Duration::ZERO) {
            OnRecord::Whole
        } else if self.will.is_some() {
            OnRecord::Will
        } else {
            OnRecord::Nothing
        };
        self.on_record = self.on_record.max(needful);
    }

    /// What its connection, or the end of it, has made of the session.
    pub(super) fn record(&self, disconnected_at: Option<Instant>, out: &mut impl Output) {
        if self.on_record > OnRecord::Nothing {
            out.persist(Record::Session {
                session: self.number,
                client_id: &self.client_id,
                expiry: self.expiry,
                disconnected_at,
            });
        }
    }

    /// A QoS 2 message of its client is taken.
    pub(super) fn record_received(&self, packet_id: PacketId, out: &mut impl Output) {
        if self.is_on_record() {
            let session = self.number;
            out.persist(Record::Received { session, packet_id });
        }
    }

    /// The exchange of that message is over.
    pub(super) fn record_completed(&self, packet_id: PacketId, out: &mut impl Output) {
        if self.is_on_record() {
            let session = self.number;
            out.persist(Record::Completed { session, packet_id });
        }
    }

    /// It has a subscription, or another in the place of the one it had.
    pub(super) fn record_subscribed(
        &self,
        filter: &TopicFilter,
        subscription: Subscription,
        out: &mut impl Output,
    ) {
        if self.is_on_record() {
            out.persist(Record::Subscribed {
                session: self.number,
                filter,
                subscription,
            });
        }
    }

    /// It has it no more.
    pub(super) fn record_unsubscribed(&self, filter: &TopicFilter, out: &mut impl Output) {
        if self.is_on_record() {
            let session = self.number;
            out.persist(Record::Unsubscribed { session, filter });
        }
    }

    /// The session is over.
    pub(super) fn record_end(&self, out: &mut impl Output) {
        if self.on_record > OnRecord::Nothing {
            let session = self.number;
            out.persist(Record::SessionEnded { session });
        }
    }

    /// What has become of its Will; `had_will`: whether there was one before. One whose moment is now is published in the same input.
    pub(super) fn record_will(&self, now: Instant, had_will: bool, out: &mut impl Output) {
        let session = self.number;
        if self.on_record == OnRecord::Nothing {
            return;
        }
        match &self.will {
            WillState::None if had_will => out.persist(Record::WillEnded { session }),
            WillState::None => {}
            WillState::Armed(will) => {
                let due_at = None;
                out.persist(Record::Will {
                    session,
                    will,
                    due_at,
                });
            }
            WillState::Delayed { at, .. } if *at <= now => {}
            WillState::Delayed { will, at } => {
                let due_at = Some(*at);
                out.persist(Record::Will {
                    session,
                    will,
                    due_at,
                });
            }
        }
    }

    /// When the session ends, if nobody comes back to it.
    pub(super) fn set_offline(&mut self, disconnected_at: Instant) {
        self.link = Link::Offline {
            expires_at: self.expiry.map(|expiry| disconnected_at + expiry),
        };
    }
}
