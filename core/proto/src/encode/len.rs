use super::{password, properties, will_payload};
use crate::{
    Ack, Connect, Packet, Properties, Property, Publish, PublishRef, ReasonCode, SubscriptionId, Version,
};

/// How many bytes a Variable Byte Integer takes.
pub(super) const fn variable_byte_integer_len(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

/// The Remaining Length of a packet.
pub(super) fn body_len(version: Version, packet: &Packet) -> usize {
    match packet {
        Packet::Connect(connect) => connect_len(connect),
        Packet::Connack(connack) => 2 + property_list_len(version, &connack.properties),
        Packet::Publish(publish) => owned_publish_len(version, publish),
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack_len(version, ack)
        }
        Packet::Subscribe(subscribe) => {
            let filters: usize = subscribe
                .filters
                .iter()
                .map(|(filter, _)| 2 + filter.len() + 1)
                .sum();
            2 + property_list_len(version, &subscribe.properties) + filters
        }
        Packet::Suback(suback) => {
            2 + property_list_len(version, &suback.properties) + suback.reason_codes.len()
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters: usize = unsubscribe.filters.iter().map(|filter| 2 + filter.len()).sum();
            2 + property_list_len(version, &unsubscribe.properties) + filters
        }
        Packet::Unsuback(unsuback) => match version {
            Version::V3_1_1 => 2,
            Version::V5 => 2 + property_list_len(version, &unsuback.properties) + unsuback.reason_codes.len(),
        },
        Packet::Pingreq | Packet::Pingresp => 0,
        Packet::Disconnect(disconnect) => reason_len(version, disconnect.reason_code, &disconnect.properties),
        Packet::Auth(auth) => reason_len(version, auth.reason_code, &auth.properties),
    }
}

fn connect_len(connect: &Connect) -> usize {
    let version = connect.version;
    let will = connect.will.as_ref().map_or(0, |will| {
        property_list_len(version, &will.properties) + 2 + will.topic.len() + 2 + will_payload(will).len()
    });
    let user_name = connect
        .user_name
        .as_ref()
        .map_or(0, |user_name| 2 + user_name.len());
    let password = password(connect).map_or(0, |password| 2 + password.len().min(usize::from(u16::MAX)));
    10 + property_list_len(version, &connect.properties)
        + 2
        + connect.client_id.len()
        + will
        + user_name
        + password
}

fn ack_len(version: Version, ack: &Ack) -> usize {
    2 + reason_len(version, ack.reason_code, &ack.properties)
}

/// The bytes of a Reason Code and properties: none when they say Success and nothing more, or in 3.1.1.
pub(super) fn reason_len(version: Version, reason_code: ReasonCode, properties: &Properties) -> usize {
    match version {
        Version::V3_1_1 => 0,
        Version::V5 if !properties.is_empty() => 1 + property_list_len(version, properties),
        Version::V5 => usize::from(reason_code != ReasonCode::Success),
    }
}

pub(super) fn owned_publish_len(version: Version, publish: &Publish) -> usize {
    let topic = publish.topic.as_ref().map_or(0, |topic| topic.len());
    let packet_id = if publish.delivery.packet_id().is_some() {
        2
    } else {
        0
    };
    2 + topic + packet_id + property_list_len(version, &publish.properties) + publish.payload.len()
}

/// The Remaining Length of a PUBLISH from its parts.
pub(super) fn publish_len(version: Version, publish: &PublishRef<'_>) -> usize {
    let topic = publish.topic.map_or(0, |topic| topic.len());
    let packet_id = if publish.delivery.packet_id().is_some() {
        2
    } else {
        0
    };
    let properties = match version {
        Version::V3_1_1 => 0,
        Version::V5 => with_its_len(publish_property_len(publish)),
    };
    2 + topic + packet_id + properties + publish.payload.len()
}

/// The bytes of the properties of a PUBLISH from its parts, without their length.
pub(super) fn publish_property_len(publish: &PublishRef<'_>) -> usize {
    let alias = if publish.topic_alias.is_some() { 3 } else { 0 };
    let expiry = if publish.message_expiry_interval.is_some() {
        5
    } else {
        0
    };
    let id_len = |id: &SubscriptionId| properties::len(&Property::SubscriptionIdentifier(*id));
    let ids: usize = publish.subscription_identifiers.iter().map(id_len).sum();
    alias + expiry + publish.properties.iter().map(properties::len).sum::<usize>() + ids
}

/// The bytes of a property list and of its length.
fn property_list_len(version: Version, properties: &Properties) -> usize {
    match version {
        Version::V3_1_1 => 0,
        Version::V5 => with_its_len(properties.iter().map(properties::len).sum()),
    }
}

const fn with_its_len(len: usize) -> usize {
    variable_byte_integer_len(len) + len
}
