//! From packets to bytes. Every length is known before the first byte is written, so nothing is moved afterwards.

mod len;
mod properties;

use bytes::{BufMut, Bytes, BytesMut};

use self::len::{body_len, publish_property_len, variable_byte_integer_len};
use crate::{
    Ack, Connect, Delivery, Packet, PacketRef, PacketType, Properties, Property, Publish, PublishRef, Qos,
    ReasonCode, Suback, SubscriptionOptions, Text, TopicName, Version, Will, property::PropertyId,
};

/// Appends the packet, payload and all, to `buffer`. Never fails: what the standard forbids does not construct, or is not
/// said in the peer's version (Reason Codes and properties in 3.1.1).
pub fn encode(version: Version, packet: PacketRef<'_>, buffer: &mut BytesMut) {
    if let Some(payload) = encode_without_payload(version, packet, buffer) {
        buffer.put_slice(payload);
    }
}

/// As [`encode`], but the payload of a PUBLISH is returned, not appended, so that large ones are written without a copy.
pub fn encode_without_payload<'a>(
    version: Version,
    packet: PacketRef<'a>,
    buffer: &mut BytesMut,
) -> Option<&'a Bytes> {
    match packet {
        PacketRef::Publish(publish) => {
            put_publish(version, &publish, buffer);
            Some(publish.payload)
        }
        PacketRef::Packet(Packet::Publish(publish)) => {
            put_owned_publish(version, publish, buffer);
            Some(&publish.payload)
        }
        PacketRef::Packet(packet) => {
            put_packet(version, packet, buffer);
            None
        }
    }
}

/// How many bytes [`encode`] appends: the whole packet, fixed header included.
pub fn encoded_len(version: Version, packet: PacketRef<'_>) -> usize {
    let remaining = match packet {
        PacketRef::Publish(publish) => len::publish_len(version, &publish),
        PacketRef::Packet(packet) => body_len(version, packet),
    };
    1 + variable_byte_integer_len(remaining) + remaining
}

fn put_fixed_header(packet_type: PacketType, flags: u8, remaining: usize, buffer: &mut BytesMut) {
    buffer.reserve(1 + 4 + remaining);
    buffer.put_u8(packet_type.value() << 4 | flags);
    put_variable_byte_integer(remaining, buffer);
}

// [MQTT-1.5.5-1]
fn put_variable_byte_integer(mut value: usize, buffer: &mut BytesMut) {
    while value >= 0x80 {
        buffer.put_u8(low_bits(value) | 0x80);
        value >>= 7;
    }
    buffer.put_u8(low_bits(value));
}

/// The lowest seven.
#[expect(clippy::cast_possible_truncation, reason = "seven bits fit in a byte")]
const fn low_bits(value: usize) -> u8 {
    (value & 0x7F) as u8
}

/// The fixed header flags of a PUBLISH.
const fn publish_flags(dup: bool, qos: Qos, retain: bool) -> u8 {
    (dup as u8) << 3 | qos.value() << 1 | retain as u8
}

fn put_publish(version: Version, publish: &PublishRef<'_>, buffer: &mut BytesMut) {
    let remaining = len::publish_len(version, publish);
    let flags = publish_flags(publish.dup, publish.delivery.qos(), publish.retain);
    put_publish_start(
        flags,
        remaining,
        publish.payload.len(),
        publish.topic,
        publish.delivery,
        buffer,
    );
    if version == Version::V3_1_1 {
        return;
    }
    put_variable_byte_integer(publish_property_len(publish), buffer);
    if let Some(alias) = publish.topic_alias {
        properties::put_id(PropertyId::TopicAlias, buffer);
        buffer.put_u16(alias.value());
    }
    if let Some(seconds) = publish.message_expiry_interval {
        properties::put_id(PropertyId::MessageExpiryInterval, buffer);
        buffer.put_u32(seconds);
    }
    publish
        .properties
        .iter()
        .for_each(|property| properties::put(property, buffer));
    for id in publish.subscription_identifiers {
        properties::put(&Property::SubscriptionIdentifier(*id), buffer);
    }
}

fn put_owned_publish(version: Version, publish: &Publish, buffer: &mut BytesMut) {
    let remaining = len::owned_publish_len(version, publish);
    let flags = publish_flags(publish.dup, publish.delivery.qos(), publish.retain);
    let topic = publish.topic.as_ref();
    put_publish_start(
        flags,
        remaining,
        publish.payload.len(),
        topic,
        publish.delivery,
        buffer,
    );
    properties::put_all(version, &publish.properties, buffer);
}

/// The fixed header, Topic Name and Packet Identifier.
fn put_publish_start(
    flags: u8,
    remaining: usize,
    payload_len: usize,
    topic: Option<&TopicName>,
    delivery: Delivery,
    buffer: &mut BytesMut,
) {
    // The payload of a large message is not copied here, so no room is made for it.
    buffer.reserve(1 + 4 + remaining - payload_len);
    buffer.put_u8(PacketType::Publish.value() << 4 | flags);
    put_variable_byte_integer(remaining, buffer);
    put_binary(topic.map_or(&[], |topic| topic.as_bytes()), buffer);
    if let Some(packet_id) = delivery.packet_id() {
        buffer.put_u16(packet_id.value());
    }
}

fn put_packet(version: Version, packet: &Packet, buffer: &mut BytesMut) {
    let flags = match packet.packet_type() {
        PacketType::Pubrel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
        PacketType::Connect
        | PacketType::Connack
        | PacketType::Publish
        | PacketType::Puback
        | PacketType::Pubrec
        | PacketType::Pubcomp
        | PacketType::Suback
        | PacketType::Unsuback
        | PacketType::Pingreq
        | PacketType::Pingresp
        | PacketType::Disconnect
        | PacketType::Auth => 0,
    };
    put_fixed_header(packet.packet_type(), flags, body_len(version, packet), buffer);
    match packet {
        Packet::Connect(connect) => put_connect(connect, buffer),
        Packet::Connack(connack) => {
            buffer.put_u8(connack.session_present.into());
            buffer.put_u8(match version {
                Version::V3_1_1 => connack.reason_code.connect_return_code().unwrap_or(3),
                Version::V5 => connack.reason_code.value(),
            });
            properties::put_all(version, &connack.properties, buffer);
        }
        Packet::Publish(publish) => put_owned_publish(version, publish, buffer),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            put_ack(version, ack, buffer);
        }
        Packet::Subscribe(subscribe) => {
            buffer.put_u16(subscribe.packet_id.value());
            properties::put_all(version, &subscribe.properties, buffer);
            for (filter, options) in &subscribe.filters {
                put_binary(filter.as_bytes(), buffer);
                buffer.put_u8(subscription_options(version, *options));
            }
        }
        Packet::Suback(suback) => put_suback(version, suback, buffer),
        Packet::Unsubscribe(unsubscribe) => {
            buffer.put_u16(unsubscribe.packet_id.value());
            properties::put_all(version, &unsubscribe.properties, buffer);
            unsubscribe
                .filters
                .iter()
                .for_each(|filter| put_binary(filter.as_bytes(), buffer));
        }
        Packet::Unsuback(unsuback) => {
            buffer.put_u16(unsuback.packet_id.value());
            properties::put_all(version, &unsuback.properties, buffer);
            if version == Version::V5 {
                unsuback
                    .reason_codes
                    .iter()
                    .for_each(|code| buffer.put_u8(code.value()));
            }
        }
        Packet::Pingreq | Packet::Pingresp => {}
        Packet::Disconnect(disconnect) => {
            put_reason(version, disconnect.reason_code, &disconnect.properties, buffer);
        }
        Packet::Auth(auth) => put_reason(version, auth.reason_code, &auth.properties, buffer),
    }
}

// [MQTT-3.1.3-1] [v3 MQTT-3.1.3-1]
fn put_connect(connect: &Connect, buffer: &mut BytesMut) {
    // [MQTT-3.1.2-1]
    put_binary(b"MQTT", buffer);
    buffer.put_u8(connect.version.level());
    buffer.put_u8(connect_flags(connect));
    buffer.put_u16(connect.keep_alive);
    properties::put_all(connect.version, &connect.properties, buffer);
    put_binary(connect.client_id.as_bytes(), buffer);
    if let Some(will) = &connect.will {
        properties::put_all(connect.version, &will.properties, buffer);
        put_binary(will.topic.as_bytes(), buffer);
        put_binary(will_payload(will), buffer);
    }
    if let Some(user_name) = &connect.user_name {
        put_binary(user_name.as_bytes(), buffer);
    }
    if let Some(password) = password(connect) {
        put_binary(password, buffer);
    }
}

fn connect_flags(connect: &Connect) -> u8 {
    let will = connect.will.as_ref().map_or(0, |will| {
        1 << 2 | will.qos.value() << 3 | u8::from(will.retain) << 5
    });
    u8::from(connect.user_name.is_some()) << 7
        | u8::from(password(connect).is_some()) << 6
        | will
        | u8::from(connect.clean_start) << 1
}

// [v3 MQTT-3.1.2-22] 3.1.1 has no password without a user name.
fn password(connect: &Connect) -> Option<&Bytes> {
    connect
        .password
        .as_ref()
        .filter(|_| connect.version == Version::V5 || connect.user_name.is_some())
}

/// A Will's payload: Binary Data, so no more than 65,535 bytes.
fn will_payload(will: &Will) -> &[u8] {
    will.payload.get(..usize::from(u16::MAX)).unwrap_or(&will.payload)
}

fn put_ack(version: Version, ack: &Ack, buffer: &mut BytesMut) {
    buffer.put_u16(ack.packet_id.value());
    put_reason(version, ack.reason_code, &ack.properties, buffer);
}

/// The Reason Code and properties, as far as they say anything.
fn put_reason(version: Version, reason_code: ReasonCode, properties: &Properties, buffer: &mut BytesMut) {
    if len::reason_len(version, reason_code, properties) > 0 {
        buffer.put_u8(reason_code.value());
        if !properties.is_empty() {
            properties::put_all(version, properties, buffer);
        }
    }
}

fn put_suback(version: Version, suback: &Suback, buffer: &mut BytesMut) {
    buffer.put_u16(suback.packet_id.value());
    properties::put_all(version, &suback.properties, buffer);
    for code in &suback.reason_codes {
        // [v3 MQTT-3.9.3-2]
        let is_failure = version == Version::V3_1_1 && code.is_error();
        buffer.put_u8(if is_failure {
            ReasonCode::UnspecifiedError.value()
        } else {
            code.value()
        });
    }
}

const fn subscription_options(version: Version, options: SubscriptionOptions) -> u8 {
    match version {
        Version::V3_1_1 => options.qos.value(),
        Version::V5 => {
            options.qos.value()
                | (options.no_local as u8) << 2
                | (options.retain_as_published as u8) << 3
                | (options.retain_handling as u8) << 4
        }
    }
}

fn put_text(text: &Text, buffer: &mut BytesMut) {
    put_binary(text.as_bytes(), buffer);
}

/// Binary Data: its length in two bytes, then itself; at most 65,535 bytes.
fn put_binary(bytes: &[u8], buffer: &mut BytesMut) {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    buffer.put_u16(len);
    buffer.put_slice(bytes.get(..usize::from(len)).unwrap_or(bytes));
}
