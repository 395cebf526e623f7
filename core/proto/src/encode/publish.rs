use bytes::BytesMut;

use super::{
    properties,
    sink::{Len, Sink, variable_byte_integer_len},
    with_fixed_header,
};
use crate::{PacketType, Property, PropertyId, PublishRef, Version};

/// The lengths a PUBLISH says of itself.
#[derive(Clone, Copy)]
pub(super) struct Lengths {
    remaining: usize,
    /// Of the properties, without their length.
    properties: usize,
}

impl Lengths {
    pub(super) fn of(version: Version, publish: &PublishRef<'_>) -> Self {
        let topic = 2 + publish.topic.map_or(0, |topic| topic.len());
        let packet_id = publish.delivery.packet_id().map_or(0, |_| 2);
        let fixed = topic + packet_id + publish.payload.len();
        match version {
            Version::V3_1_1 => Self {
                remaining: fixed,
                properties: 0,
            },
            Version::V5 => {
                let mut properties = Len(0);
                put_properties(publish, &mut properties);
                Self {
                    remaining: fixed + variable_byte_integer_len(properties.0) + properties.0,
                    properties: properties.0,
                }
            }
        }
    }

    /// Bytes of the whole packet.
    pub(super) const fn packet(self) -> usize {
        with_fixed_header(self.remaining)
    }
}

/// All but the payload.
pub(super) fn put(version: Version, publish: &PublishRef<'_>, lengths: Lengths, buffer: &mut BytesMut) {
    buffer.u8(PacketType::Publish.value() << 4 | flags(publish));
    buffer.variable_byte_integer(lengths.remaining);
    buffer.counted(publish.topic.map_or(&[], |topic| topic.as_bytes()));
    if let Some(packet_id) = publish.delivery.packet_id() {
        buffer.u16(packet_id.value());
    }
    if version == Version::V5 {
        buffer.variable_byte_integer(lengths.properties);
        put_properties(publish, buffer);
    }
}

const fn flags(publish: &PublishRef<'_>) -> u8 {
    (publish.dup as u8) << 3 | publish.delivery.qos().value() << 1 | publish.retain as u8
}

fn put_properties(publish: &PublishRef<'_>, sink: &mut impl Sink) {
    if let Some(alias) = publish.topic_alias {
        properties::put_id(PropertyId::TopicAlias, sink);
        sink.u16(alias.value());
    }
    if let Some(seconds) = publish.message_expiry_interval {
        properties::put_id(PropertyId::MessageExpiryInterval, sink);
        sink.u32(seconds);
    }
    properties::put_all(publish.properties, sink);
    for id in publish.subscription_identifiers {
        properties::put(&Property::SubscriptionIdentifier(*id), sink);
    }
}
