//! Arbitrary packets of a version, each as the standard allows it: what is encoded and decoded again must be equal.

use proptest::{collection::vec, option, prelude::*};
use squall_proto::{
    Ack, Auth, Connack, Connect, Delivery, Disconnect, Packet, Properties, Property, Publish, ReasonCode,
    RetainHandling, Suback, Subscribe, SubscriptionOptions, TopicName, Unsuback, Unsubscribe, Version, Will,
};

use crate::fields::{
    AUTH, CONNACK, CONNECT, DISCONNECT, PUBLISH, REASON, SUBSCRIBE, USER, WILL, binary, codes_of, delivery,
    packet_id, payload, properties, qos, reason_code, text, topic_filter, topic_name, with_authentication,
};

pub(crate) fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V3_1_1), Just(Version::V5)]
}

/// A version and packets of it.
pub(crate) fn packets(max: usize) -> impl Strategy<Value = (Version, Vec<Packet>)> {
    version().prop_flat_map(move |version| (Just(version), vec(packet(version), 1..=max)))
}

/// Any packet of this version.
pub(crate) fn packet(version: Version) -> BoxedStrategy<Packet> {
    let packet = prop_oneof![
        connect(version).prop_map(|packet| Packet::Connect(Box::new(packet))),
        connack(version).prop_map(Packet::Connack),
        publish(version).prop_map(Packet::Publish),
        acknowledge(version),
        subscribe(version).prop_map(Packet::Subscribe),
        suback(version).prop_map(Packet::Suback),
        unsubscribe(version).prop_map(Packet::Unsubscribe),
        unsuback(version).prop_map(Packet::Unsuback),
        Just(Packet::Pingreq),
        Just(Packet::Pingresp),
        disconnect(version).prop_map(Packet::Disconnect),
    ];
    match version {
        Version::V3_1_1 => packet.boxed(),
        Version::V5 => prop_oneof![14 => packet, 1 => auth().prop_map(Packet::Auth)].boxed(),
    }
}

fn connect(version: Version) -> impl Strategy<Value = Connect> {
    let properties = properties(version, CONNECT).prop_map(with_authentication);
    let names = (
        text(),
        option::of(will(version)),
        option::of(text()),
        option::of(binary()),
    );
    (any::<bool>(), any::<u16>(), names, properties).prop_map(
        move |(clean_start, keep_alive, (client_id, will, user_name, password), properties)| Connect {
            version,
            clean_start,
            keep_alive,
            client_id,
            will,
            password: password.filter(|_| version == Version::V5 || user_name.is_some()),
            user_name,
            properties,
        },
    )
}

fn will(version: Version) -> impl Strategy<Value = Will> {
    (
        topic_name(),
        binary(),
        qos(),
        any::<bool>(),
        properties(version, WILL),
    )
        .prop_map(|(topic, payload, qos, retain, properties)| Will {
            topic,
            payload,
            qos,
            retain,
            properties,
        })
}

fn connack(version: Version) -> impl Strategy<Value = Connack> {
    let codes = match version {
        Version::V3_1_1 => vec![0, 0x84, 0x85, 0x88, 0x86, 0x87],
        Version::V5 => vec![
            0, 0, 0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95,
            0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
        ],
    };
    let properties = properties(version, CONNACK).prop_map(with_authentication);
    (any::<bool>(), reason_code(codes), properties).prop_map(|(session_present, reason_code, properties)| {
        Connack {
            session_present: session_present && reason_code == ReasonCode::Success,
            reason_code,
            properties,
        }
    })
}

pub(crate) fn publish(version: Version) -> impl Strategy<Value = Publish> {
    (
        any::<bool>(),
        any::<bool>(),
        delivery(),
        option::of(topic_name()),
        payload(),
        properties(version, PUBLISH),
    )
        .prop_map(|(dup, retain, delivery, topic, payload, properties)| Publish {
            dup: dup && delivery != Delivery::AtMostOnce,
            retain,
            delivery,
            topic: topic.or_else(|| match properties.topic_alias() {
                Some(_) => None,
                None => Some(TopicName::new("t").unwrap()),
            }),
            payload,
            properties,
        })
}

fn acknowledge(version: Version) -> impl Strategy<Value = Packet> {
    let received = vec![0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    let released = vec![0, 0x92];
    prop_oneof![
        ack(version, received.clone()).prop_map(Packet::Puback),
        ack(version, received).prop_map(Packet::Pubrec),
        ack(version, released.clone()).prop_map(Packet::Pubrel),
        ack(version, released).prop_map(Packet::Pubcomp),
    ]
}

fn ack(version: Version, codes: Vec<u8>) -> impl Strategy<Value = Ack> {
    (
        packet_id(),
        reason_code(codes_of(version, codes)),
        properties(version, REASON),
    )
        .prop_map(|(packet_id, reason_code, properties)| Ack {
            packet_id,
            reason_code,
            properties,
        })
}

fn subscribe(version: Version) -> impl Strategy<Value = Subscribe> {
    let subscription = (topic_filter(version), options(version)).prop_map(|(filter, options)| {
        let no_local = options.no_local && filter.share_name().is_none();
        (filter, SubscriptionOptions { no_local, ..options })
    });
    (
        packet_id(),
        vec(subscription, 1..4),
        properties(version, SUBSCRIBE),
    )
        .prop_map(|(packet_id, filters, properties)| Subscribe {
            packet_id,
            filters,
            properties,
        })
}

fn options(version: Version) -> impl Strategy<Value = SubscriptionOptions> {
    let retain_handling = prop_oneof![
        Just(RetainHandling::Send),
        Just(RetainHandling::SendIfNew),
        Just(RetainHandling::DoNotSend)
    ];
    (qos(), any::<bool>(), any::<bool>(), retain_handling).prop_map(
        move |(qos, no_local, retain_as_published, retain_handling)| match version {
            Version::V3_1_1 => SubscriptionOptions {
                qos,
                ..SubscriptionOptions::default()
            },
            Version::V5 => SubscriptionOptions {
                qos,
                no_local,
                retain_as_published,
                retain_handling,
            },
        },
    )
}

fn suback(version: Version) -> impl Strategy<Value = Suback> {
    let codes = match version {
        Version::V3_1_1 => vec![0, 1, 2, 0x80],
        Version::V5 => vec![0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2],
    };
    (
        packet_id(),
        vec(reason_code(codes), 1..4),
        properties(version, REASON),
    )
        .prop_map(|(packet_id, reason_codes, properties)| Suback {
            packet_id,
            reason_codes,
            properties,
        })
}

fn unsubscribe(version: Version) -> impl Strategy<Value = Unsubscribe> {
    (
        packet_id(),
        vec(topic_filter(version), 1..4),
        properties(version, USER),
    )
        .prop_map(|(packet_id, filters, properties)| Unsubscribe {
            packet_id,
            filters,
            properties,
        })
}

fn unsuback(version: Version) -> impl Strategy<Value = Unsuback> {
    let codes = vec(reason_code(vec![0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]), 1..4);
    (packet_id(), codes, properties(version, REASON)).prop_map(
        move |(packet_id, reason_codes, properties)| Unsuback {
            packet_id,
            reason_codes: if version == Version::V5 {
                reason_codes
            } else {
                Vec::new()
            },
            properties,
        },
    )
}

fn disconnect(version: Version) -> impl Strategy<Value = Disconnect> {
    let codes = vec![
        0, 4, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ];
    (
        reason_code(codes_of(version, codes)),
        properties(version, DISCONNECT),
    )
        .prop_map(|(reason_code, properties)| Disconnect {
            reason_code,
            properties,
        })
}

fn auth() -> impl Strategy<Value = Auth> {
    let short = Just(Auth {
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    });
    let long = (
        reason_code(vec![0, 0x18, 0x19]),
        text(),
        properties(Version::V5, AUTH),
    )
        .prop_map(|(reason_code, method, properties)| {
            let mut properties = properties;
            if properties.authentication_method().is_none() {
                properties.push(Property::AuthenticationMethod(method));
            }
            Auth {
                reason_code,
                properties,
            }
        });
    prop_oneof![1 => short, 4 => long]
}
