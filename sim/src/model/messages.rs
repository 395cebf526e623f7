use std::time::Duration;

use bytes::Bytes;
use hashbrown::Equivalent;
use squall_proto::{Instant, Packet, Properties, Qos};

use super::numbered::{ClientNumber, Lookup, MessageId, Numbered, TopicId};
use crate::trace::{Event, What};

/// Every Application Message that reached the broker, known by its topic and payload.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    all: Numbered<MessageId, Message>,
    by_content: Lookup<Content, MessageId>,
}

/// An Application Message. What is published again, after a session was lost or because a client says the same twice, is the same one,
/// published twice.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: TopicId,
    pub(crate) payload: Bytes,
    /// Who published it first.
    pub(crate) publisher: ClientNumber,
    /// Somebody else published it too.
    pub(crate) has_more_publishers: bool,
    /// The highest at which it was published.
    pub(crate) qos: Qos,
    /// The lowest.
    pub(crate) qos_min: Qos,
    /// It was published with RETAIN at least once.
    pub(crate) retain: bool,
    /// When it first reached the broker, and the place of that in the trace.
    pub(crate) first: (Instant, usize),
    /// When it last did.
    pub(crate) last: (Instant, usize),
    /// The places of the packets that published it, if their properties may differ.
    pub(crate) sources: Vec<usize>,
    /// One of them has properties that are passed on.
    pub(crate) has_properties: bool,
    /// How often it was published, a redelivery that the receiver must recognise not counted.
    pub(crate) published: usize,
    /// How many of those the broker is not sure to have handled.
    unsettled: usize,
    /// The place of the last that the broker has acknowledged.
    acknowledged: Option<usize>,
    /// Where it was sure to have handled them all.
    pub(crate) settled: Option<usize>,
    /// When the first of those expires that do.
    pub(crate) expires: Option<Instant>,
    /// It reached a broker that did not read what came at once: when it did is not on the wires.
    pub(crate) is_read_late: bool,
    /// It is a Will: when it is published is not on its client's wire.
    pub(crate) is_will: bool,
}

/// A PUBLISH or a Will, as far as it makes a message.
#[derive(Clone, Copy)]
pub(super) struct Published<'a> {
    pub(super) topic: TopicId,
    pub(super) payload: &'a Bytes,
    pub(super) publisher: ClientNumber,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// When and where it reached the broker.
    pub(super) at: (Instant, usize),
    /// Of the PUBLISH, or of the Will.
    pub(super) properties: &'a Properties,
    /// The broker reads at once.
    pub(super) is_read: bool,
}

impl Published<'_> {
    /// When it does, if it does.
    pub(super) fn expires(&self) -> Option<Instant> {
        let interval = self.properties.message_expiry_interval();
        interval.map(|seconds| self.at.0 + Duration::from_secs(u64::from(seconds)))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Content(TopicId, Bytes);

#[derive(Hash)]
struct Like<'a>(TopicId, &'a Bytes);

impl Equivalent<Content> for Like<'_> {
    fn equivalent(&self, content: &Content) -> bool {
        self.0 == content.0 && self.1 == &content.1
    }
}

impl Messages {
    pub(crate) fn get(&self, id: MessageId) -> &Message {
        self.all.of(id)
    }

    /// The message of this topic with this payload.
    pub(crate) fn find(&self, topic: TopicId, payload: &Bytes) -> Option<MessageId> {
        self.by_content.get(&Like(topic, payload)).copied()
    }

    /// The message that a PUBLISH or a Will is about, of which nothing is known yet if it is a new one.
    pub(super) fn learn(&mut self, published: &Published<'_>) -> MessageId {
        let known = self.find(published.topic, published.payload);
        known.unwrap_or_else(|| {
            let id = self.all.push(Message::new(published));
            let content = Content(published.topic, published.payload.clone());
            self.by_content.insert(content, id);
            id
        })
    }

    /// A PUBLISH has reached the broker that is not a redelivery of one it has.
    pub(super) fn published(&mut self, id: MessageId, published: &Published<'_>) {
        let message = self.all.of_mut(id);
        message.add(published);
        message.published += 1;
        message.unsettled += 1;
        message.settled = None;
    }

    /// A CONNECT with this Will has reached the broker.
    pub(super) fn promised(&mut self, id: MessageId, will: &Published<'_>) {
        self.all.of_mut(id).add(will);
        self.all.of_mut(id).is_will = true;
    }

    /// The broker has acknowledged the publication of this place. Whether it does so for the first time: an acknowledgement that was
    /// lost with its connection is said again.
    pub(super) fn acknowledged(&mut self, id: MessageId, published: usize) -> bool {
        let message = self.all.of_mut(id);
        let is_first = message.acknowledged < Some(published);
        message.acknowledged = message.acknowledged.max(Some(published));
        is_first
    }

    /// The broker is sure to have handled one more of its publications.
    pub(super) fn settled(&mut self, index: usize, id: MessageId) {
        let message = self.all.of_mut(id);
        message.unsettled = message.unsettled.saturating_sub(1);
        if message.unsettled == 0 {
            message.settled = Some(index);
        }
    }
}

/// What was published more often has properties that nothing is said about.
const SOURCES_MAX: usize = 16;

impl Message {
    fn new(published: &Published<'_>) -> Self {
        Self {
            topic: published.topic,
            payload: published.payload.clone(),
            publisher: published.publisher,
            has_more_publishers: false,
            qos: published.qos,
            qos_min: published.qos,
            retain: false,
            first: published.at,
            last: published.at,
            sources: Vec::new(),
            has_properties: false,
            published: 0,
            unsettled: 0,
            acknowledged: None,
            settled: None,
            expires: None,
            is_read_late: false,
            is_will: false,
        }
    }

    fn add(&mut self, published: &Published<'_>) {
        self.has_more_publishers |= self.publisher != published.publisher;
        self.qos = self.qos.max(published.qos);
        self.qos_min = self.qos_min.min(published.qos);
        self.retain |= published.retain;
        self.has_properties |= !published.properties.is_empty();
        self.last = published.at;
        self.is_read_late |= !published.is_read;
        if let Some(expires) = published.expires() {
            self.expires = Some(self.expires.map_or(expires, |before| before.min(expires)));
        }
        if self.sources.len() < SOURCES_MAX {
            self.sources.push(published.at.1);
        }
    }

    /// The properties it was published with, each time; `None`: too often to say.
    pub(crate) fn properties<'a>(
        &'a self,
        events: &'a [Event],
    ) -> Option<impl Iterator<Item = &'a Properties>> {
        let of = |index: &usize| match &events.get(*index)?.what {
            What::Arrived { packet, .. } => match packet {
                Packet::Publish(publish) => Some(&publish.properties),
                Packet::Connect(connect) => connect.will.as_ref().map(|will| &will.properties),
                _other_packets => None,
            },
            _other_events => None,
        };
        (self.sources.len() < SOURCES_MAX).then(|| self.sources.iter().filter_map(of))
    }
}
