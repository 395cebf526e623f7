//! Messages, and their way to one session.

use std::{rc::Rc, time::Duration};

use super::share::Share;
use bytes::Bytes;
use squall_proto::{
    Delivery, Instant, Packet, Properties, Property, Publish, Qos, SubscriptionId, TopicName, Version,
    Will as WillOfConnect, encoded_len,
};

/// An Application Message.
#[derive(Clone)]
pub(super) struct Message {
    /// The Client Identifier of who published it.
    pub(super) publisher: String,
    pub(super) topic: TopicName,
    pub(super) payload: Bytes,
    pub(super) qos: Qos,
    pub(super) retain: bool,
    /// Those that are forwarded as they are.
    pub(super) properties: Properties,
    pub(super) expires_at: Option<Instant>,
}

pub(super) struct Retained {
    pub(super) message: Rc<Message>,
    /// Whether the broker need not have it.
    pub(super) optional: bool,
}

pub(super) struct Will {
    pub(super) delay: Duration,
    will: WillOfConnect,
}

/// A message that a session is to get.
#[derive(Clone)]
pub(super) struct Owed {
    pub(super) message: Rc<Message>,
    pub(super) qos: Qos,
    /// `None` where either value is right.
    pub(super) retain: Option<bool>,
    /// Sorted.
    pub(super) ids: Vec<u32>,
    /// Whether its order among others is free: it was retained, or handed on.
    pub(super) unordered: bool,
    /// Whether the broker may leave it out.
    pub(super) optional: bool,
    /// The other members that may get it in place of this one.
    pub(super) share: Option<Rc<Share>>,
}

/// A QoS 1 or 2 message whose exchange is not over.
pub(super) struct InFlight {
    pub(super) packet_id: u16,
    pub(super) owed: Owed,
    pub(super) awaits: Awaits,
    /// Whether its PUBLISH, or its PUBREL, was sent on this connection.
    pub(super) sent_here: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    Puback,
    Pubrec,
    Pubcomp,
}

impl Message {
    pub(super) fn new(publisher: &str, now: Instant, topic: TopicName, publish: &Publish) -> Self {
        let expiry = publish.properties.message_expiry_interval();
        let properties = forwarded(&publish.properties);
        Self {
            publisher: publisher.to_owned(),
            topic,
            payload: publish.payload.clone(),
            qos: publish.delivery.qos(),
            retain: publish.retain,
            properties,
            expires_at: expiry.map(|seconds| now + Duration::from_secs(seconds.into())),
        }
    }

    /// [MQTT-3.3.2-5] Whether it may not be sent any more. At the very moment of its expiry it may or may not.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at < now)
    }

    pub(super) fn expires_now(&self, now: Instant) -> bool {
        self.expires_at == Some(now)
    }
}

impl Will {
    pub(super) fn new(will: &WillOfConnect) -> Self {
        let delay = will.properties.will_delay_interval().unwrap_or(0);
        Self {
            delay: Duration::from_secs(delay.into()),
            will: will.clone(),
        }
    }

    pub(super) fn into_message(self, publisher: &str, now: Instant) -> Message {
        let will = self.will;
        let publish = Publish {
            dup: false,
            retain: will.retain,
            delivery: crate::values::delivery(will.qos, 1),
            topic: None,
            payload: will.payload.into(),
            properties: will.properties,
        };
        Message::new(publisher, now, will.topic, &publish)
    }
}

impl Owed {
    pub(super) fn is_acknowledged(&self) -> bool {
        self.qos > Qos::AtMostOnce
    }

    /// Whether a PUBLISH is this message. Its Topic Alias has been looked up.
    pub(super) fn is(&self, topic: &TopicName, publish: &Publish, version: Version, now: Instant) -> bool {
        let message = &self.message;
        *topic == message.topic
            && publish.payload == message.payload
            && publish.delivery.qos() == self.qos
            && self.retain.is_none_or(|retain| publish.retain == retain)
            && self.has_properties(&publish.properties, version, now)
    }

    fn has_properties(&self, properties: &Properties, version: Version, now: Instant) -> bool {
        if version == Version::V3_1_1 {
            return properties.is_empty();
        }
        let mut ids: Vec<u32> = properties
            .subscription_identifiers()
            .map(SubscriptionId::value)
            .collect();
        ids.sort_unstable();
        // [MQTT-3.3.2-6] What is left of it, in whole seconds.
        let expiry = match (self.message.expires_at, properties.message_expiry_interval()) {
            (None, None) => true,
            (Some(at), Some(seconds)) => {
                let left = at.saturating_since(now).as_micros();
                (left / 1_000_000..=left.div_ceil(1_000_000)).contains(&u128::from(seconds))
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        // [MQTT-3.3.2-4] [MQTT-3.3.2-17] [MQTT-3.3.4-3]
        ids == self.ids && expiry && forwarded(properties) == self.message.properties
    }

    /// Bytes of its PUBLISH without a Topic Alias.
    pub(super) fn size(&self, now: Instant) -> usize {
        let message = &self.message;
        let ids = self.ids.iter().filter_map(|id| SubscriptionId::new(*id));
        let expiry = message.expires_at.map(|at| {
            let left = at.saturating_since(now).as_micros().div_ceil(1_000_000);
            Property::MessageExpiryInterval(u32::try_from(left).unwrap())
        });
        let properties = message.properties.iter().cloned().chain(expiry);
        let publish = Packet::Publish(Publish {
            dup: false,
            retain: false,
            delivery: match self.qos {
                Qos::AtMostOnce => Delivery::AtMostOnce,
                qos => crate::values::delivery(qos, 1),
            },
            topic: Some(message.topic.clone()),
            payload: message.payload.clone(),
            properties: properties
                .chain(ids.map(Property::SubscriptionIdentifier))
                .collect(),
        });
        encoded_len(Version::V5, (&publish).into())
    }

    /// [MQTT-4.6.0-5] [v3 MQTT-4.6.0-6] Whether this one has to come before `later`: what one client published to one topic
    /// at one QoS stays in order.
    pub(super) fn precedes(&self, later: &Self) -> bool {
        self.message.publisher == later.message.publisher
            && self.message.topic == later.message.topic
            && self.message.qos == later.message.qos
            && self.qos == later.qos
            && !self.unordered
            && !later.unordered
    }
}

/// The properties that go from publisher to subscriber unaltered.
fn forwarded(properties: &Properties) -> Properties {
    let is_forwarded = |property: &&Property| {
        !matches!(
            property,
            Property::MessageExpiryInterval(_)
                | Property::TopicAlias(_)
                | Property::WillDelayInterval(_)
                | Property::SubscriptionIdentifier(_)
        )
    };
    properties.iter().filter(is_forwarded).cloned().collect()
}
