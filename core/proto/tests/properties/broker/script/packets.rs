//! The packets of clients.

use bytes::Bytes;
use proptest::{option, prelude::*, sample::select, strategy::BoxedStrategy};
use squall_proto::{
    Ack, Binary, Connack, Connect, Disconnect, Packet, Properties, Property, Publish, Qos, ReasonCode,
    RetainHandling, Subscribe, SubscriptionId, SubscriptionOptions, Text, TopicAlias, TopicFilter, TopicName,
    Unsubscribe, Version, Will,
};

use super::{Focus, SLOTS};
use crate::values::{delivery, id};

const TOPICS: [&str; 5] = ["t", "t/1", "u", "$SYS/x", "a/b/c/d"];

const FILTERS: [&str; 11] = [
    "t",
    "t/1",
    "$share/g/t",
    "t/#",
    "#",
    "+",
    "+/1",
    "u",
    "$SYS/#",
    "$share/g/#",
    "a/b/c/d",
];

/// What is no packet in either version, one fault each.
pub(crate) const MALFORMED: [&str; 9] = [
    "00 00",                                        // packet type 0
    "36 06 00 01 74 00 01 00",                      // PUBLISH at QoS 3
    "30 04 00 01 2B 00",                            // PUBLISH to a Topic Name with a wildcard
    "60 02 00 01",                                  // PUBREL without its flags
    "40 02 00 00",                                  // PUBACK of Packet Identifier 0
    "82 02 00 01",                                  // SUBSCRIBE without a filter
    "C0 01 00",                                     // PINGREQ with a byte too many
    "30 FF FF FF FF 7F",                            // a Remaining Length of five bytes
    "10 0D 00 04 4D 51 54 54 06 02 00 00 00 00 00", // CONNECT of protocol level 6
];

pub(crate) fn any(version: Version, focus: Focus) -> BoxedStrategy<Packet> {
    prop_oneof![
        publish(version, focus),
        subscribe(focus),
        unsubscribe(focus),
        ack(),
        release(),
        disconnect(version)
    ]
    .boxed()
}

/// One for each slot.
pub(crate) const CLIENT_IDS: [&str; SLOTS] = ["a", "b", "c", "d"];

/// Each slot has a client of its own, which now and then another slot takes over.
pub(crate) fn connect(slot: usize, focus: Focus) -> BoxedStrategy<Packet> {
    let client_id = prop_oneof![8 => Just(CLIENT_IDS[slot]), 2 => select(CLIENT_IDS.to_vec()), 1 => Just("")];
    let keep_alive = select(vec![0, 0, 0, 2, 4]);
    (
        select(vec![Version::V5, Version::V3_1_1]),
        client_id,
        prop::bool::weighted(0.15),
        keep_alive,
    )
        .prop_flat_map(move |(version, client_id, clean_start, keep_alive)| {
            let properties = match version {
                Version::V5 => connect_properties(focus),
                Version::V3_1_1 => Just(Properties::new()).boxed(),
            };
            (option::of(will(version, focus)), properties).prop_map(move |(will, properties)| {
                Packet::Connect(Box::new(Connect {
                    version,
                    clean_start,
                    keep_alive,
                    client_id: Text::new(client_id).unwrap(),
                    will,
                    user_name: None,
                    password: None,
                    properties,
                }))
            })
        })
        .boxed()
}

fn connect_properties(focus: Focus) -> BoxedStrategy<Properties> {
    let expiry = select(vec![
        None,
        Some(0),
        Some(3),
        Some(10),
        Some(u32::MAX),
        Some(u32::MAX),
        Some(u32::MAX),
        Some(u32::MAX),
        Some(u32::MAX),
    ]);
    let receive_maximum = match focus {
        Focus::Everything => select(vec![None, Some(1), Some(2)]),
        Focus::Windows | Focus::Groups => select(vec![Some(2), Some(1)]),
    };
    let packet_size = prop_oneof![20 => Just(None), 5 => Just(Some(64)), 1 => Just(Some(3))];
    let aliases = select(vec![None, Some(0), Some(1), Some(2)]);
    (expiry, receive_maximum, packet_size, aliases)
        .prop_map(|(expiry, receive_maximum, packet_size, aliases)| {
            [
                expiry.map(Property::SessionExpiryInterval),
                receive_maximum.map(|value: u16| Property::ReceiveMaximum(value.try_into().unwrap())),
                packet_size.map(|value: u32| Property::MaximumPacketSize(value.try_into().unwrap())),
                aliases.map(Property::TopicAliasMaximum),
            ]
            .into_iter()
            .flatten()
            .collect()
        })
        .boxed()
}

fn will(version: Version, focus: Focus) -> BoxedStrategy<Will> {
    let properties = match version {
        Version::V3_1_1 => Just(Properties::new()).boxed(),
        Version::V5 => (option::of(select(vec![0, 2, 4])), message_properties())
            .prop_map(|(delay, mut properties)| {
                delay
                    .map(Property::WillDelayInterval)
                    .into_iter()
                    .for_each(|it| properties.push(it));
                properties
            })
            .boxed(),
    };
    (topic(focus), number(), qos(focus), any_bool(), properties)
        .prop_map(|(topic, number, qos, retain, properties)| Will {
            topic,
            payload: Binary::new(format!("will {number}")).unwrap(),
            qos,
            retain,
            properties,
        })
        .boxed()
}

pub(crate) fn publish(version: Version, focus: Focus) -> BoxedStrategy<Packet> {
    let properties = match version {
        Version::V3_1_1 => Just((Properties::new(), None)).boxed(),
        Version::V5 => (message_properties(), alias()).boxed(),
    };
    (
        topic(focus),
        payload(),
        qos(focus),
        1..4_u16,
        (any_bool(), prop::bool::weighted(0.2)),
        properties,
    )
        .prop_map(
            |(topic, payload, qos, packet_id, (retain, dup), (mut properties, alias))| {
                if let Some((alias, _)) = alias {
                    properties.push(Property::TopicAlias(TopicAlias::new(alias).unwrap()));
                }
                Packet::Publish(Publish {
                    dup: dup && qos > Qos::AtMostOnce,
                    retain,
                    delivery: delivery(qos, packet_id),
                    topic: (!alias.is_some_and(|(_, alone)| alone)).then_some(topic),
                    payload,
                    properties,
                })
            },
        )
        .boxed()
}

/// A Topic Alias, and whether it stands without a Topic Name.
fn alias() -> BoxedStrategy<Option<(u16, bool)>> {
    let value = prop_oneof![30 => Just(1), 5 => Just(2), 1 => Just(65)];
    prop_oneof![4 => Just(None), 1 => (value, prop::bool::weighted(0.2)).prop_map(Some)].boxed()
}

fn message_properties() -> BoxedStrategy<Properties> {
    let expiry = select(vec![None, None, Some(1), Some(3), Some(0)]);
    let user = select(vec![None, None, Some("1")]);
    (expiry, user)
        .prop_map(|(expiry, user)| {
            let user =
                user.map(|value| Property::UserProperty(Text::new("k").unwrap(), Text::new(value).unwrap()));
            let again = user.clone();
            [expiry.map(Property::MessageExpiryInterval), user, again]
                .into_iter()
                .flatten()
                .collect()
        })
        .boxed()
}

fn payload() -> BoxedStrategy<Bytes> {
    prop_oneof![
        6 => number().prop_map(|number| Bytes::from(format!("{number}"))),
        1 => Just(Bytes::new()),
        1 => number().prop_map(|number| Bytes::from(format!("{number:060}"))),
        1 => number().prop_map(|number| Bytes::from(format!("{number:0200}"))),
    ]
    .boxed()
}

/// Tells messages apart.
fn number() -> std::ops::Range<u16> {
    0..1000
}

fn topic(focus: Focus) -> BoxedStrategy<TopicName> {
    let elsewhere = match focus {
        Focus::Everything => 3,
        Focus::Windows | Focus::Groups => 1,
    };
    prop_oneof![7 => Just(TOPICS[0]), elsewhere => select(TOPICS.to_vec())]
        .prop_map(|topic| TopicName::new(topic).unwrap())
        .boxed()
}

fn filter(focus: Focus) -> BoxedStrategy<TopicFilter> {
    let filter = match focus {
        Focus::Everything => {
            prop_oneof![4 => select(FILTERS[..5].to_vec()), 3 => select(FILTERS.to_vec())].boxed()
        }
        Focus::Windows => select(FILTERS[..2].to_vec()).boxed(),
        Focus::Groups => prop_oneof![5 => Just("$share/g/t"), 1 => select(FILTERS.to_vec())].boxed(),
    };
    filter
        .prop_map(|filter| TopicFilter::new(filter).unwrap())
        .boxed()
}

fn qos(focus: Focus) -> BoxedStrategy<Qos> {
    match focus {
        Focus::Everything => select(Qos::ALL.to_vec()).boxed(),
        Focus::Windows | Focus::Groups => {
            prop_oneof![1 => Just(Qos::AtMostOnce), 4 => Just(Qos::AtLeastOnce), 4 => Just(Qos::ExactlyOnce)]
                .boxed()
        }
    }
}

fn any_bool() -> BoxedStrategy<bool> {
    prop::bool::weighted(0.3).boxed()
}

/// PUBREL of a message the client may have sent.
pub(crate) fn release() -> BoxedStrategy<Packet> {
    (1..4_u16)
        .prop_map(|packet_id| Packet::Pubrel(Ack::success(id(packet_id))))
        .boxed()
}

/// An acknowledgement of a message the broker may have sent, right or wrong.
pub(crate) fn ack() -> BoxedStrategy<Packet> {
    let code = select(vec![ReasonCode::Success, ReasonCode::QuotaExceeded]);
    (0..3, 1..4_u16, code)
        .prop_map(|(kind, packet_id, code)| match kind {
            0 => Packet::Puback(Ack::of(id(packet_id), code)),
            1 => Packet::Pubrec(Ack::of(id(packet_id), code)),
            _ => Packet::Pubcomp(Ack::success(id(packet_id))),
        })
        .boxed()
}

pub(crate) fn subscribe(focus: Focus) -> BoxedStrategy<Packet> {
    let retain_handling = select(vec![
        RetainHandling::Send,
        RetainHandling::SendIfNew,
        RetainHandling::DoNotSend,
    ]);
    let options = (qos(focus), any_bool(), any_bool(), retain_handling).prop_map(
        |(qos, no_local, retain_as_published, retain_handling)| SubscriptionOptions {
            qos,
            no_local,
            retain_as_published,
            retain_handling,
        },
    );
    let filters = prop::collection::vec((filter(focus), options), 1..3);
    (filters, option::of(1..4_u32), 5..7_u16)
        .prop_map(|(mut filters, subscription_id, packet_id)| {
            for (filter, options) in &mut filters {
                options.no_local &= filter.share_name().is_none();
            }
            let properties = subscription_id.map(|value| SubscriptionId::new(value).unwrap());
            Packet::Subscribe(Subscribe {
                packet_id: id(packet_id),
                filters,
                properties: properties
                    .map(Property::SubscriptionIdentifier)
                    .into_iter()
                    .collect(),
            })
        })
        .boxed()
}

pub(crate) fn unsubscribe(focus: Focus) -> BoxedStrategy<Packet> {
    (prop::collection::vec(filter(focus), 1..3), 5..7_u16)
        .prop_map(|(filters, packet_id)| {
            Packet::Unsubscribe(Unsubscribe {
                packet_id: id(packet_id),
                filters,
                properties: Properties::new(),
            })
        })
        .boxed()
}

pub(crate) fn disconnect(version: Version) -> BoxedStrategy<Packet> {
    let normal = Disconnect::of(ReasonCode::Success);
    if version == Version::V3_1_1 {
        return Just(Packet::Disconnect(normal)).boxed();
    }
    let code = select(vec![
        ReasonCode::Success,
        ReasonCode::DisconnectWithWillMessage,
        ReasonCode::UnspecifiedError,
    ]);
    let expiry = select(vec![None, None, Some(0), Some(3), Some(10), Some(u32::MAX)]);
    (code, expiry)
        .prop_map(|(reason_code, expiry)| {
            Packet::Disconnect(Disconnect {
                reason_code,
                properties: expiry.map(Property::SessionExpiryInterval).into_iter().collect(),
            })
        })
        .boxed()
}

/// What no client says.
pub(crate) fn wrong() -> BoxedStrategy<Packet> {
    let connack = Connack {
        session_present: false,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    };
    select(vec![Packet::Pingresp, Packet::Connack(connack)]).boxed()
}
