use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
};
use core::time::Duration;

use super::{
    Content, Owed, Record, Subscription,
    message::{Message, SubscriptionIds},
    stowed::Outline,
};
use crate::{Instant, PacketId, Qos, Text, TopicFilter, TopicName, Will};

/// What the records of a broker come to: what its next process begins with. Give records to [`Saved::apply`] in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// By number, as are the others.
    pub(super) sessions: BTreeMap<u64, SavedSession>,
    pub(super) messages: BTreeMap<u64, SavedMessage>,
    /// By topic, the number of its message.
    pub(super) retained: BTreeMap<TopicName, u64>,
    /// By order.
    pub(super) deliveries: BTreeMap<u64, SavedDelivery>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SavedSession {
    pub(super) client_id: Text,
    pub(super) expiry: Option<Duration>,
    pub(super) disconnected_at: Option<Instant>,
    pub(super) will: Option<SavedWill>,
    pub(super) subscriptions: BTreeMap<TopicFilter, Subscription>,
    pub(super) received: BTreeSet<PacketId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SavedWill {
    pub(super) will: Will,
    pub(super) due_at: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SavedDelivery {
    pub(super) session: u64,
    pub(super) message: u64,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) subscription_ids: SubscriptionIds,
    /// The shared subscription it came by, and RETAIN as it was published.
    pub(super) share: Option<(TopicFilter, bool)>,
    pub(super) stage: Stage,
}

/// A message, or what has to be known of one that stays in the store until its turn comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SavedMessage {
    Whole(Box<Message>),
    Stored(Outline),
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Queued,
    Sent(PacketId),
    Released(PacketId),
}

impl Saved {
    /// Nothing.
    pub const fn new() -> Self {
        Self {
            sessions: BTreeMap::new(),
            messages: BTreeMap::new(),
            retained: BTreeMap::new(),
            deliveries: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to take up.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
            && self.messages.is_empty()
            && self.retained.is_empty()
            && self.deliveries.is_empty()
    }

    /// How many sessions there are, those that only have a Will included.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// How many deliveries are not finished.
    pub fn delivery_count(&self) -> usize {
        self.deliveries.len()
    }

    /// How many messages they and the retained ones are.
    pub fn message_count(&self) -> usize {
        self.messages.len()
    }

    /// How many topics have a retained message.
    pub fn retained_count(&self) -> usize {
        self.retained.len()
    }

    /// Takes in the next record. One about a session or a delivery that there is not changes nothing.
    pub fn apply(&mut self, record: &Record<'_>) {
        match *record {
            Record::Session {
                session,
                client_id,
                expiry,
                disconnected_at,
            } => {
                let known = self.sessions.entry(session);
                let it = known.or_insert_with(|| SavedSession::new(client_id.detached()));
                (it.expiry, it.disconnected_at) = (expiry, disconnected_at);
            }
            Record::SessionEnded { session } => _ = self.sessions.remove(&session),
            Record::Will {
                session,
                will,
                due_at,
            } => {
                let will = will.clone();
                self.change(session, |it| it.will = Some(SavedWill { will, due_at }));
            }
            Record::WillEnded { session } => self.change(session, |it| it.will = None),
            Record::Subscribed {
                session,
                filter,
                subscription,
            } => self.change(session, |it| {
                it.subscriptions.insert(filter.detached(), subscription);
            }),
            Record::Unsubscribed { session, filter } => {
                self.change(session, |it| _ = it.subscriptions.remove(filter));
            }
            Record::Received { session, packet_id } => {
                self.change(session, |it| _ = it.received.insert(packet_id));
            }
            Record::Completed { session, packet_id } => {
                self.change(session, |it| _ = it.received.remove(&packet_id));
            }
            Record::Message { message, content } => {
                let content = Message::on_record(content);
                self.messages
                    .insert(message, SavedMessage::Whole(Box::new(content)));
            }
            Record::Forgotten { message } => _ = self.messages.remove(&message),
            Record::Retained { topic, message } => _ = self.retained.insert(topic.detached(), message),
            Record::RetainedRemoved { topic } => _ = self.retained.remove(topic),
            Record::Queued { order, delivery } => {
                self.deliveries.insert(order, SavedDelivery::from(delivery));
            }
            Record::Sent { order, packet_id } => self.goes_on(order, |_| Some(Stage::Sent(packet_id))),
            Record::Released { order } => self.goes_on(order, Stage::released),
            Record::Finished { order } => _ = self.deliveries.remove(&order),
        }
    }

    /// Takes in a message as [`Record::Message`] does, but none of what it says: that stays in the store until it is
    /// [fetched](super::Output::fetch). Of those that are [needed at once](Saved::needed) it takes more.
    pub fn outline(&mut self, message: u64, content: &Content<'_>) {
        let outline = Outline::of_content(content);
        self.messages.insert(message, SavedMessage::Stored(outline));
    }

    /// The messages that a broker begins with whole, by number: those that are retained, and those whose exchange is under way.
    pub fn needed(&self) -> BTreeSet<u64> {
        let deliveries = self.deliveries.values();
        let sent = deliveries.filter(|delivery| matches!(delivery.stage, Stage::Sent(_)));
        let sent = sent.map(|delivery| delivery.message);
        self.retained.values().copied().chain(sent).collect()
    }

    /// The same, with no more of each message than [needed](Saved::needed): what a store that is fetched from begins with.
    #[must_use]
    pub fn outlined(mut self) -> Self {
        let needed = self.needed();
        for (number, message) in &mut self.messages {
            if let SavedMessage::Whole(whole) = message
                && !needed.contains(number)
            {
                *message = SavedMessage::Stored(Outline::of(whole));
            }
        }
        self
    }

    fn change(&mut self, session: u64, change: impl FnOnce(&mut SavedSession)) {
        if let Some(it) = self.sessions.get_mut(&session) {
            change(it);
        }
    }

    fn goes_on(&mut self, order: u64, next: impl FnOnce(Stage) -> Option<Stage>) {
        if let Some(delivery) = self.deliveries.get_mut(&order)
            && let Some(stage) = next(delivery.stage)
        {
            delivery.stage = stage;
        }
    }
}

impl SavedSession {
    const fn new(client_id: Text) -> Self {
        Self {
            client_id,
            expiry: Some(Duration::ZERO),
            disconnected_at: None,
            will: None,
            subscriptions: BTreeMap::new(),
            received: BTreeSet::new(),
        }
    }
}

impl Stage {
    /// PUBREC came; `None` where nothing was sent that it could answer.
    const fn released(self) -> Option<Self> {
        match self {
            Self::Sent(packet_id) | Self::Released(packet_id) => Some(Self::Released(packet_id)),
            Self::Queued => None,
        }
    }
}

impl Message {
    /// A message that is on record.
    fn on_record(content: Content<'_>) -> Self {
        let Content {
            topic,
            payload,
            qos,
            properties,
            expires_at,
        } = content;
        let message = Self {
            topic: topic.clone(),
            payload: payload.clone(),
            qos,
            properties: properties.clone(),
            expires_at,
            mark: None,
        };
        message.detached()
    }
}

impl From<Owed<'_>> for SavedDelivery {
    fn from(owed: Owed<'_>) -> Self {
        Self {
            session: owed.session,
            message: owed.message,
            qos: owed.qos,
            retain: owed.retain,
            subscription_ids: owed.subscription_ids.into(),
            share: owed.share.map(|share| (share.filter.detached(), share.retain)),
            stage: Stage::Queued,
        }
    }
}
