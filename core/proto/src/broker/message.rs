use alloc::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    keep::{Mark, Order},
    shared::Share,
    stowed::Waiting,
};
use crate::{
    Delivery, Instant, Properties, Property, PublishRef, Qos, SubscriptionId, TopicName, Will,
    encode::properties_len,
};

/// Up to this many bytes, what is kept is copied out of the read buffer it came in, so that a small message does not keep a
/// large buffer alive.
const COPIED_BYTES_MAX: usize = 4096;

/// An Application Message the broker has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: TopicName,
    pub(super) payload: Bytes,
    pub(super) qos: Qos,
    /// Those that are forwarded: without Topic Alias and Message Expiry Interval.
    // [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
    pub(super) properties: Properties,
    pub(super) expires_at: Option<Instant>,
    /// By what its records name it, if it is kept.
    pub(super) mark: Option<Arc<Mark>>,
}

/// A message on its way to one subscriber.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<M = Arc<Message>> {
    pub(super) message: M,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    pub(super) subscription_ids: SubscriptionIds,
    /// What hands it on when the session ends, if it came by a shared subscription.
    pub(super) share: Option<Share>,
    /// By what its records name it; `None` where there are none.
    pub(super) order: Order,
}

/// Most messages are sent for one subscription.
pub(super) type SubscriptionIds = SmallVec<[SubscriptionId; 1]>;

/// Those of one subscription.
pub(super) fn ids_of(id: Option<SubscriptionId>) -> SubscriptionIds {
    id.map_or_else(SubscriptionIds::new, |id| SubscriptionIds::from_buf([id]))
}

impl Message {
    /// A PUBLISH whose Topic Alias is resolved already.
    pub(super) fn new(
        now: Instant,
        topic: TopicName,
        payload: Bytes,
        qos: Qos,
        mut properties: Properties,
    ) -> Self {
        let expires_at = expiry(now, &properties);
        if !properties.is_empty() {
            properties.retain(|property| {
                !matches!(
                    property,
                    Property::MessageExpiryInterval(_) | Property::TopicAlias(_)
                )
            });
        }
        Self {
            topic,
            payload,
            qos,
            properties,
            expires_at,
            mark: None,
        }
    }

    pub(super) fn of_will(now: Instant, will: Will) -> Self {
        let mut properties = will.properties;
        // [MQTT-3.1.3-10]
        properties.retain(|property| !matches!(property, Property::WillDelayInterval(_)));
        Self::new(now, will.topic, will.payload.into(), will.qos, properties)
    }

    /// The message as something to keep.
    pub(super) fn into_kept(self) -> Arc<Self> {
        Arc::new(self.detached())
    }

    /// The same in bytes of its own, unless they are many.
    pub(super) fn detached(self) -> Self {
        Self {
            topic: self.topic.detached(),
            payload: kept(&self.payload),
            properties: self.properties.detached(),
            ..self
        }
    }

    /// Bytes of what it says.
    pub(super) fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + properties_len(&self.properties)
    }

    pub(super) fn to_publish<'a>(
        &'a self,
        now: Instant,
        delivery: Delivery,
        flags: Flags,
        subscription_identifiers: &'a [SubscriptionId],
    ) -> PublishRef<'a> {
        PublishRef {
            dup: flags.dup,
            retain: flags.retain,
            delivery,
            topic: Some(&self.topic),
            topic_alias: None,
            // [MQTT-3.3.2-6] What is left of it.
            message_expiry_interval: self.expires_at.map(|at| seconds_until(now, at)),
            properties: &self.properties,
            subscription_identifiers,
            payload: &self.payload,
        }
    }
}

impl<M> Outgoing<M> {
    /// The same delivery of a message that is had in another way.
    pub(super) fn with<N>(self, message: impl FnOnce(M) -> N) -> Outgoing<N> {
        Outgoing {
            message: message(self.message),
            qos: self.qos,
            retain: self.retain,
            subscription_ids: self.subscription_ids,
            share: self.share,
            order: self.order,
        }
    }
}

impl Outgoing<Waiting> {
    /// The delivery, its message in memory; `None` where that is in the store alone.
    pub(super) fn here(self) -> Option<Outgoing> {
        let message = match &self.message {
            Waiting::Here(message, _) => Arc::clone(message),
            Waiting::Stored(_) => return None,
        };
        Some(self.with(|_| message))
    }
}

impl Outgoing {
    pub(super) fn to_publish(&self, now: Instant, delivery: Delivery, dup: bool) -> PublishRef<'_> {
        let flags = Flags {
            dup,
            retain: self.retain,
        };
        self.message
            .to_publish(now, delivery, flags, &self.subscription_ids)
    }
}

/// The flags of an outgoing PUBLISH.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) dup: bool,
    pub(super) retain: bool,
}

/// The bytes for keeping: small ones on their own, large ones with the buffer they are most of.
fn kept(bytes: &Bytes) -> Bytes {
    if bytes.len() <= COPIED_BYTES_MAX {
        Bytes::copy_from_slice(bytes)
    } else {
        bytes.clone()
    }
}

fn expiry(now: Instant, properties: &Properties) -> Option<Instant> {
    if properties.is_empty() {
        return None;
    }
    let seconds = properties.message_expiry_interval()?;
    Some(now + core::time::Duration::from_secs(seconds.into()))
}

/// Whole seconds, rounded up, so that a message never outlives what its publisher asked by more than a second nor arrives with
/// an interval of 0 before it has expired.
fn seconds_until(now: Instant, at: Instant) -> u32 {
    let left = at.saturating_since(now);
    u32::try_from(left.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    #[test]
    fn a_kept_message_keeps_no_read_buffer_alive() {
        let buffer = Bytes::from(b"topic name value payload".to_vec());
        let text = |range| Text::from_bytes(buffer.slice(range)).unwrap();
        let message = Message::new(
            Instant::ZERO,
            TopicName::from_bytes(buffer.slice(0..5)).unwrap(),
            buffer.slice(17..),
            Qos::AtLeastOnce,
            [Property::UserProperty(text(6..10), text(11..16))]
                .into_iter()
                .collect(),
        );
        let kept = message.into_kept();
        assert_eq!((&*kept.topic, &*kept.payload), ("topic", b"payload".as_slice()));
        assert_eq!(kept.properties.user_properties().count(), 1);
        assert!(buffer.is_unique());
    }
}
