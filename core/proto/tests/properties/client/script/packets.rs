//! What the application asks for, and the packets of the server.

use bytes::Bytes;
use proptest::{option, prelude::*, sample::select, strategy::BoxedStrategy};
use squall_proto::{
    Ack, Connack, Disconnect, Packet, Properties, Property, Publish, Qos, ReasonCode, RetainHandling, Suback,
    SubscriptionId, SubscriptionOptions, Text, TopicAlias, TopicFilter, TopicName, Version,
    client::{Message, Refusal, Subscription, Unsubscription},
};

use crate::values::{delivery, id};

const FILTERS: [&str; 4] = ["t", "u", "t/#", "$share/g/t"];

/// What is no packet in either version, one fault each.
pub(crate) const MALFORMED: [&str; 5] = [
    "00 00",                   // packet type 0
    "36 06 00 01 74 00 01 00", // PUBLISH at QoS 3
    "40 02 00 00",             // PUBACK of Packet Identifier 0
    "20 03 02 00 00",          // CONNACK with a reserved flag
    "D0 01 00",                // PINGRESP with a byte too many
];

pub(crate) fn message(version: Version) -> BoxedStrategy<Message> {
    let expiry = match version {
        Version::V3_1_1 => Just(None).boxed(),
        Version::V5 => select(vec![None, None, None, Some(1), Some(3)]).boxed(),
    };
    let padding = prop_oneof![8 => Just(0), 1 => Just(60)];
    (topic(), qos(), prop::bool::weighted(0.2), expiry, padding)
        .prop_map(|(topic, qos, retain, expiry, padding)| Message {
            retain,
            properties: expiry.map(Property::MessageExpiryInterval).into_iter().collect(),
            // The owner puts the number of the message in front.
            ..Message::new(topic, Bytes::from(vec![b'.'; padding]), qos)
        })
        .boxed()
}

pub(crate) fn subscription(version: Version) -> BoxedStrategy<Subscription> {
    let options = match version {
        Version::V3_1_1 => qos().prop_map(plain).boxed(),
        Version::V5 => (
            qos(),
            any::<bool>(),
            select(vec![RetainHandling::Send, RetainHandling::DoNotSend]),
        )
            .prop_map(
                |(qos, retain_as_published, retain_handling)| SubscriptionOptions {
                    retain_as_published,
                    retain_handling,
                    ..plain(qos)
                },
            )
            .boxed(),
    };
    let id = match version {
        Version::V3_1_1 => Just(None).boxed(),
        Version::V5 => option::of(1..3_u32).boxed(),
    };
    (prop::collection::vec((filter(version), options), 1..3), id)
        .prop_map(|(filters, id)| {
            let id = id
                .and_then(SubscriptionId::new)
                .map(Property::SubscriptionIdentifier);
            Subscription {
                filters,
                properties: id.into_iter().collect(),
            }
        })
        .boxed()
}

fn plain(qos: Qos) -> SubscriptionOptions {
    SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    }
}

pub(crate) fn unsubscription(version: Version) -> BoxedStrategy<Unsubscription> {
    filter(version).prop_map(Unsubscription::new).boxed()
}

pub(crate) fn verdict() -> BoxedStrategy<Result<(), Refusal>> {
    prop_oneof![5 => Just(Ok(())), 1 => Just(Err(Refusal::QuotaExceeded))].boxed()
}

pub(crate) fn connack_properties(version: Version) -> BoxedStrategy<Properties> {
    if version == Version::V3_1_1 {
        return Just(Properties::new()).boxed();
    }
    let window = prop_oneof![3 => Just(None), 1 => Just(Some(1_u16)), 1 => Just(Some(2))];
    let limits = prop_oneof![
        6 => Just(None),
        1 => select(vec![
            Property::MaximumQos(false),
            Property::MaximumQos(true),
            Property::RetainAvailable(false),
            Property::MaximumPacketSize(40.try_into().unwrap()),
            Property::WildcardSubscriptionAvailable(false),
            Property::SharedSubscriptionAvailable(false),
            Property::SubscriptionIdentifierAvailable(false),
        ]).prop_map(Some),
    ];
    let aliases = prop_oneof![1 => Just(None), 1 => select(vec![1_u16, 2]).prop_map(Some)];
    let keep_alive = prop_oneof![8 => Just(None), 1 => Just(Some(3_u16))];
    let expiry = prop_oneof![12 => Just(None), 1 => Just(Some(0))];
    (window, limits, keep_alive, expiry, aliases)
        .prop_map(|(window, limit, keep_alive, expiry, aliases)| {
            [
                window.map(|window| Property::ReceiveMaximum(window.try_into().unwrap())),
                limit,
                keep_alive.map(Property::ServerKeepAlive),
                expiry.map(Property::SessionExpiryInterval),
                aliases.map(Property::TopicAliasMaximum),
            ]
            .into_iter()
            .flatten()
            .collect()
        })
        .boxed()
}

pub(crate) fn refusal() -> BoxedStrategy<Packet> {
    Just(connack(ReasonCode::ServerUnavailable)).boxed()
}

fn connack(reason_code: ReasonCode) -> Packet {
    Packet::Connack(Connack {
        session_present: false,
        reason_code,
        properties: Properties::new(),
    })
}

pub(crate) fn publish(version: Version) -> BoxedStrategy<Packet> {
    let alias = match version {
        Version::V3_1_1 => Just(None).boxed(),
        Version::V5 => prop_oneof![
            12 => Just(None),
            4 => Just(Some((1, false))),
            2 => Just(Some((1, true))),
            1 => Just(Some((2, false))),
        ]
        .boxed(),
    };
    (topic(), qos(), 1..4_u16, any::<bool>(), 0..1000_u16, alias)
        .prop_map(|(topic, qos, packet_id, dup, number, alias)| {
            // A right server uses an identifier at one QoS at a time.
            let packet_id = packet_id + 10 * u16::from(qos.value());
            let properties = alias.map(|(alias, _)| Property::TopicAlias(TopicAlias::new(alias).unwrap()));
            Packet::Publish(Publish {
                dup: dup && qos > Qos::AtMostOnce,
                retain: false,
                delivery: delivery(qos, packet_id),
                topic: (!alias.is_some_and(|(_, alone)| alone)).then_some(topic),
                payload: Bytes::from(number.to_string()),
                properties: properties.into_iter().collect(),
            })
        })
        .boxed()
}

/// PUBREL of a message that the server may have sent.
pub(crate) fn release() -> BoxedStrategy<Packet> {
    (21..24_u16)
        .prop_map(|packet_id| Packet::Pubrel(Ack::success(id(packet_id))))
        .boxed()
}

/// An acknowledgement of a message that the client may have sent, right or wrong.
pub(crate) fn ack(version: Version) -> BoxedStrategy<Packet> {
    let code = match version {
        Version::V3_1_1 => Just(ReasonCode::Success).boxed(),
        Version::V5 => select(vec![ReasonCode::Success, ReasonCode::QuotaExceeded]).boxed(),
    };
    (0..3, 1..5_u16, code)
        .prop_map(|(kind, packet_id, code)| match kind {
            0 => Packet::Puback(Ack::of(id(packet_id), code)),
            1 => Packet::Pubrec(Ack::of(id(packet_id), code)),
            _ => Packet::Pubcomp(Ack::success(id(packet_id))),
        })
        .boxed()
}

/// What ends a connection.
pub(crate) fn wrong(version: Version) -> BoxedStrategy<Packet> {
    let suback = Packet::Suback(Suback {
        packet_id: id(60_000),
        reason_codes: vec![ReasonCode::Success],
        properties: Properties::new(),
    });
    let mut packets = vec![connack(ReasonCode::Success), Packet::Pingreq, suback];
    if version == Version::V5 {
        let expiry = [Property::SessionExpiryInterval(1)].into_iter().collect();
        packets.push(Packet::Disconnect(Disconnect::of(ReasonCode::ServerBusy)));
        packets.push(Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::ServerBusy,
            properties: expiry,
        }));
    }
    select(packets).boxed()
}

fn topic() -> BoxedStrategy<TopicName> {
    prop_oneof![3 => Just("t"), 1 => Just("u")]
        .prop_map(|topic| TopicName::new(topic).unwrap())
        .boxed()
}

/// In 3.1.1 the last one is no shared subscription.
fn filter(version: Version) -> BoxedStrategy<TopicFilter> {
    select(FILTERS.to_vec())
        .prop_map(move |filter| match version {
            Version::V3_1_1 => TopicFilter::not_shared(Text::new(filter).unwrap()).unwrap(),
            Version::V5 => TopicFilter::new(filter).unwrap(),
        })
        .boxed()
}

fn qos() -> BoxedStrategy<Qos> {
    prop_oneof![1 => Just(Qos::AtMostOnce), 2 => Just(Qos::AtLeastOnce), 2 => Just(Qos::ExactlyOnce)].boxed()
}
