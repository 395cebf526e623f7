use bytes::Bytes;

use crate::{Delivery, Packet, Properties, Publish, SubscriptionId, TopicAlias, TopicName};

/// A packet to encode, borrowed: either a whole [`Packet`], or a PUBLISH put together from parts that many receivers share.
#[derive(Clone, Copy, Debug)]
pub enum PacketRef<'a> {
    /// Any packet.
    Packet(&'a Packet),
    /// A PUBLISH from its parts.
    Publish(PublishRef<'a>),
}

/// The parts of an outgoing PUBLISH. On the wire the properties are `topic_alias`, `message_expiry_interval`, then
/// `properties`, then `subscription_identifiers`, each only where given; none at all in 3.1.1.
#[derive(Clone, Copy, Debug)]
pub struct PublishRef<'a> {
    /// See [`Publish::dup`].
    pub dup: bool,
    /// See [`Publish::retain`].
    pub retain: bool,
    /// See [`Publish::delivery`].
    pub delivery: Delivery,
    /// `None` where the Topic Alias stands in its place.
    pub topic: Option<&'a TopicName>,
    /// Topic Alias.
    pub topic_alias: Option<TopicAlias>,
    /// Seconds that remain. It replaces any in `properties`, where there must be none.
    pub message_expiry_interval: Option<u32>,
    /// The properties the Application Message came with, without the other three kinds.
    pub properties: &'a Properties,
    /// The identifiers of the subscriptions it is sent for.
    pub subscription_identifiers: &'a [SubscriptionId],
    /// The Application Message.
    pub payload: &'a Bytes,
}

impl<'a> From<&'a Packet> for PacketRef<'a> {
    fn from(packet: &'a Packet) -> Self {
        Self::Packet(packet)
    }
}

impl<'a> From<&'a Publish> for PublishRef<'a> {
    /// All properties are left where they stand.
    fn from(publish: &'a Publish) -> Self {
        Self {
            dup: publish.dup,
            retain: publish.retain,
            delivery: publish.delivery,
            topic: publish.topic.as_ref(),
            topic_alias: None,
            message_expiry_interval: None,
            properties: &publish.properties,
            subscription_identifiers: &[],
            payload: &publish.payload,
        }
    }
}
