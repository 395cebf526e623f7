//! Packets as a fuzzer's bytes choose them: few names, topics and identifiers, so that what is said meets what was said before.
//! Most are legal in some state of a connection; the values are those at which something changes.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use squall_proto::{
    Ack, Auth, Binary, Connack, Connect, Delivery, Disconnect, Packet, PacketId, Properties, Property,
    Publish, Qos, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionId, SubscriptionOptions, Text,
    TopicAlias, TopicFilter, TopicName, Unsuback, Unsubscribe, Version, Will,
};

pub(crate) const CLIENT_IDS: [&str; 5] = ["a", "b", "c", "d", ""];
const TOPICS: [&str; 6] = ["t", "t/1", "u", "t/1/2", "$SYS/t", "/"];
const FILTERS: [&str; 11] = [
    "t",
    "t/#",
    "#",
    "+",
    "+/+",
    "t/+",
    "$SYS/#",
    "$share/g/t",
    "$share/g/#",
    "$share/h/t/+",
    "a/b/c/d/e/f/g/h/i",
];

pub(crate) fn version(u: &mut Unstructured<'_>) -> Result<Version> {
    u.choose(&Version::ALL).copied()
}

pub(crate) fn packet_id(u: &mut Unstructured<'_>) -> Result<PacketId> {
    let value = u.choose(&[1, 2, 3, 4, 5, 6, 65_535_u16])?;
    Ok(PacketId::new(*value).expect("none of them is 0"))
}

pub(crate) fn text(u: &mut Unstructured<'_>) -> Result<Text> {
    let text = u.choose(&[
        "",
        "é",
        "a reason of some length, so that it does not fit everywhere",
    ])?;
    Ok(Text::new(text).expect("a legal string"))
}

fn binary(u: &mut Unstructured<'_>) -> Result<Binary> {
    let length = *u.choose(&[0, 1, 40])?;
    Ok(Binary::new(vec![7; length]).expect("not too long"))
}

pub(crate) fn data(u: &mut Unstructured<'_>) -> Result<Option<Binary>> {
    if u.arbitrary()? {
        binary(u).map(Some)
    } else {
        Ok(None)
    }
}

pub(crate) fn topic(u: &mut Unstructured<'_>) -> Result<TopicName> {
    Ok(TopicName::new(u.choose(&TOPICS)?).expect("a legal topic name"))
}

pub(crate) fn filter(u: &mut Unstructured<'_>) -> Result<TopicFilter> {
    Ok(TopicFilter::new(u.choose(&FILTERS)?).expect("a legal topic filter"))
}

pub(crate) fn payload(u: &mut Unstructured<'_>) -> Result<Bytes> {
    let length = *u.choose(&[0, 1, 20, 20, 300])?;
    Ok(Bytes::from(vec![u.arbitrary::<u8>()?; length]))
}

pub(crate) fn qos(u: &mut Unstructured<'_>) -> Result<Qos> {
    u.choose(&Qos::ALL).copied()
}

pub(crate) fn delivery(u: &mut Unstructured<'_>) -> Result<Delivery> {
    Ok(match qos(u)? {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(packet_id(u)?),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(packet_id(u)?),
    })
}

/// Some of these, in this order; none in 3.1.1.
pub(crate) fn some_of(
    u: &mut Unstructured<'_>,
    version: Version,
    choices: &[fn(&mut Unstructured<'_>) -> Result<Property>],
) -> Result<Properties> {
    let mut properties = Properties::new();
    for choice in choices {
        if version == Version::V5 && u.ratio(1, 4)? {
            properties.push(choice(u)?);
        }
    }
    Ok(properties)
}

fn seconds(u: &mut Unstructured<'_>) -> Result<u32> {
    u.choose(&[0, 1, 3, 10, 10, u32::MAX - 1, u32::MAX]).copied()
}

fn user_property(u: &mut Unstructured<'_>) -> Result<Property> {
    Ok(Property::UserProperty(text(u)?, text(u)?))
}

/// Properties of a message that go with it to its receivers.
pub(crate) const MESSAGE: [fn(&mut Unstructured<'_>) -> Result<Property>; 6] = [
    |u| Ok(Property::PayloadFormatIndicator(u.arbitrary()?)),
    |u| Ok(Property::MessageExpiryInterval(seconds(u)?)),
    |u| Ok(Property::ContentType(text(u)?)),
    |u| Ok(Property::ResponseTopic(topic(u)?)),
    |u| Ok(Property::CorrelationData(binary(u)?)),
    user_property,
];

pub(crate) fn connect(u: &mut Unstructured<'_>) -> Result<Connect> {
    let version = version(u)?;
    let properties = some_of(
        u,
        version,
        &[
            |u| Ok(Property::SessionExpiryInterval(seconds(u)?)),
            |u| Ok(Property::SessionExpiryInterval(seconds(u)?)),
            |u| {
                Ok(Property::ReceiveMaximum(
                    (*u.choose(&[1, 2, 3_u16])?).try_into().expect("not 0"),
                ))
            },
            |u| {
                Ok(Property::MaximumPacketSize(
                    (*u.choose(&[1, 20, 40, 80_u32])?).try_into().expect("not 0"),
                ))
            },
            |u| Ok(Property::TopicAliasMaximum(*u.choose(&[0, 1, 2, 65_535])?)),
            |u| Ok(Property::RequestResponseInformation(u.arbitrary()?)),
            |u| Ok(Property::RequestProblemInformation(u.arbitrary()?)),
            |u| Ok(Property::AuthenticationMethod(text(u)?)),
            user_property,
        ],
    )?;
    let will = if u.ratio(1, 3)? {
        Some(will(u, version)?)
    } else {
        None
    };
    Ok(Connect {
        version,
        clean_start: u.ratio(1, 4)?,
        keep_alive: *u.choose(&[0, 0, 2, 100, 65_535])?,
        client_id: Text::new(u.choose(&CLIENT_IDS)?).expect("a legal string"),
        will,
        user_name: if u.ratio(1, 8)? { Some(text(u)?) } else { None },
        password: None,
        properties: deduplicated(properties),
    })
}

/// The Session Expiry Interval is offered twice, to be likelier.
fn deduplicated(properties: Properties) -> Properties {
    let mut expiries = 0;
    let mut properties = properties;
    properties.retain(|property| {
        expiries += usize::from(matches!(property, Property::SessionExpiryInterval(_)));
        !matches!(property, Property::SessionExpiryInterval(_)) || expiries == 1
    });
    properties
}

pub(crate) fn will(u: &mut Unstructured<'_>, version: Version) -> Result<Will> {
    let mut properties = some_of(u, version, &MESSAGE)?;
    if version == Version::V5 && u.ratio(1, 2)? {
        properties.push(Property::WillDelayInterval(seconds(u)?));
    }
    Ok(Will {
        topic: topic(u)?,
        payload: binary(u)?,
        qos: qos(u)?,
        retain: u.arbitrary()?,
        properties,
    })
}

pub(crate) fn publish(u: &mut Unstructured<'_>, version: Version) -> Result<Publish> {
    let delivery = delivery(u)?;
    let mut properties = some_of(u, version, &MESSAGE)?;
    if version == Version::V5 && u.ratio(1, 5)? {
        let alias = TopicAlias::new(*u.choose(&[1, 2, 3, 65_535])?).expect("none of them is 0");
        properties.push(Property::TopicAlias(alias));
    }
    let by_alias = properties.topic_alias().is_some() && u.arbitrary()?;
    Ok(Publish {
        dup: delivery != Delivery::AtMostOnce && u.ratio(1, 6)?,
        retain: u.ratio(1, 4)?,
        delivery,
        topic: if by_alias { None } else { Some(topic(u)?) },
        payload: payload(u)?,
        properties,
    })
}

fn reason(u: &mut Unstructured<'_>, version: Version) -> Result<Properties> {
    some_of(
        u,
        version,
        &[|u| Ok(Property::ReasonString(text(u)?)), user_property],
    )
}

pub(crate) fn ack(
    u: &mut Unstructured<'_>,
    version: Version,
    packet_id: PacketId,
    codes: &[ReasonCode],
) -> Result<Ack> {
    let reason_code = match version {
        Version::V3_1_1 => ReasonCode::Success,
        Version::V5 => *u.choose(codes)?,
    };
    Ok(Ack {
        packet_id,
        reason_code,
        properties: reason(u, version)?,
    })
}

/// What PUBACK and PUBREC may say.
pub(crate) const RECEIVED: [ReasonCode; 4] = [
    ReasonCode::Success,
    ReasonCode::Success,
    ReasonCode::NoMatchingSubscribers,
    ReasonCode::QuotaExceeded,
];
/// What PUBREL and PUBCOMP may say.
pub(crate) const RELEASED: [ReasonCode; 3] = [
    ReasonCode::Success,
    ReasonCode::Success,
    ReasonCode::PacketIdentifierNotFound,
];

fn any_ack(u: &mut Unstructured<'_>, version: Version) -> Result<Packet> {
    let packet_id = packet_id(u)?;
    Ok(match u.int_in_range(0..=3)? {
        0 => Packet::Puback(ack(u, version, packet_id, &RECEIVED)?),
        1 => Packet::Pubrec(ack(u, version, packet_id, &RECEIVED)?),
        2 => Packet::Pubrel(ack(u, version, packet_id, &RELEASED)?),
        _ => Packet::Pubcomp(ack(u, version, packet_id, &RELEASED)?),
    })
}

pub(crate) fn options(u: &mut Unstructured<'_>, version: Version) -> Result<SubscriptionOptions> {
    let qos = qos(u)?;
    let handling = [
        RetainHandling::Send,
        RetainHandling::SendIfNew,
        RetainHandling::DoNotSend,
    ];
    Ok(match version {
        Version::V3_1_1 => SubscriptionOptions {
            qos,
            ..SubscriptionOptions::default()
        },
        Version::V5 => SubscriptionOptions {
            qos,
            no_local: u.ratio(1, 4)?,
            retain_as_published: u.arbitrary()?,
            retain_handling: *u.choose(&handling)?,
        },
    })
}

pub(crate) fn subscribe_properties(u: &mut Unstructured<'_>, version: Version) -> Result<Properties> {
    let id: fn(&mut Unstructured<'_>) -> Result<Property> = |u| {
        let value = *u.choose(&[1, 2, SubscriptionId::MAX])?;
        Ok(Property::SubscriptionIdentifier(
            SubscriptionId::new(value).expect("in range"),
        ))
    };
    some_of(u, version, &[id, user_property])
}

pub(crate) fn filters<T>(
    u: &mut Unstructured<'_>,
    one: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    (0..u.int_in_range(1..=3)?).map(|_| one(u)).collect()
}

fn subscribe(u: &mut Unstructured<'_>, version: Version) -> Result<Subscribe> {
    Ok(Subscribe {
        packet_id: packet_id(u)?,
        filters: filters(u, |u| Ok((filter(u)?, options(u, version)?)))?,
        properties: subscribe_properties(u, version)?,
    })
}

/// What a client says once it is connected.
pub(crate) fn from_client(u: &mut Unstructured<'_>, version: Version) -> Result<Packet> {
    Ok(match u.int_in_range(0..=19)? {
        0..=8 => Packet::Publish(publish(u, version)?),
        9..=11 => any_ack(u, version)?,
        12..=15 => Packet::Subscribe(subscribe(u, version)?),
        16 => Packet::Unsubscribe(Unsubscribe {
            packet_id: packet_id(u)?,
            filters: filters(u, filter)?,
            properties: some_of(u, version, &[user_property])?,
        }),
        17 => Packet::Pingreq,
        18 => disconnect(u, version)?,
        _ => out_of_place(u, version)?,
    })
}

/// What a server says once a client is connected.
pub(crate) fn from_server(u: &mut Unstructured<'_>, version: Version) -> Result<Packet> {
    Ok(match u.int_in_range(0..=15)? {
        0..=8 => Packet::Publish(publish(u, version)?),
        9..=12 => any_ack(u, version)?,
        13 => Packet::Pingresp,
        14 if version == Version::V5 => disconnect(u, version)?,
        _ => out_of_place(u, version)?,
    })
}

fn disconnect(u: &mut Unstructured<'_>, version: Version) -> Result<Packet> {
    let reason_code = match version {
        Version::V3_1_1 => ReasonCode::Success,
        Version::V5 => *u.choose(&[ReasonCode::Success, ReasonCode::DisconnectWithWillMessage])?,
    };
    let expiry: fn(&mut Unstructured<'_>) -> Result<Property> =
        |u| Ok(Property::SessionExpiryInterval(seconds(u)?));
    Ok(Packet::Disconnect(Disconnect {
        reason_code,
        properties: some_of(u, version, &[expiry, user_property])?,
    }))
}

/// A packet that is nobody's turn to send.
fn out_of_place(u: &mut Unstructured<'_>, version: Version) -> Result<Packet> {
    let packet_id = packet_id(u)?;
    let properties = Properties::new();
    Ok(match u.int_in_range(0..=6)? {
        0 => Packet::Connack(connack(u, version)?),
        1 => Packet::Suback(Suback {
            packet_id,
            reason_codes: vec![ReasonCode::Success],
            properties,
        }),
        2 => {
            let count = if version == Version::V5 { 1 } else { 0 };
            Packet::Unsuback(Unsuback {
                packet_id,
                reason_codes: vec![ReasonCode::Success; count],
                properties,
            })
        }
        3 => Packet::Pingresp,
        4 => Packet::Connect(Box::new(connect(u)?)),
        5 if version == Version::V5 => auth(u)?,
        _ => Packet::Pingreq,
    })
}

fn auth(u: &mut Unstructured<'_>) -> Result<Packet> {
    let codes = [
        ReasonCode::Success,
        ReasonCode::ContinueAuthentication,
        ReasonCode::ReAuthenticate,
    ];
    let method = Property::AuthenticationMethod(text(u)?);
    let mut properties = Properties::from_iter([method]);
    if u.arbitrary()? {
        properties.push(Property::AuthenticationData(binary(u)?));
    }
    Ok(Packet::Auth(Auth {
        reason_code: *u.choose(&codes)?,
        properties,
    }))
}

pub(crate) fn connack(u: &mut Unstructured<'_>, version: Version) -> Result<Connack> {
    let refused = u.ratio(1, 10)?;
    let properties = some_of(
        u,
        version,
        &[
            |u| Ok(Property::SessionExpiryInterval(seconds(u)?)),
            |u| {
                Ok(Property::ReceiveMaximum(
                    (*u.choose(&[1, 2, 3_u16])?).try_into().expect("not 0"),
                ))
            },
            |u| Ok(Property::MaximumQos(u.arbitrary()?)),
            |u| Ok(Property::RetainAvailable(u.arbitrary()?)),
            |u| {
                Ok(Property::MaximumPacketSize(
                    (*u.choose(&[1, 20, 40, 80_u32])?).try_into().expect("not 0"),
                ))
            },
            |u| Ok(Property::AssignedClientIdentifier(text(u)?)),
            |u| Ok(Property::TopicAliasMaximum(*u.choose(&[0, 1, 2, 65_535])?)),
            |u| Ok(Property::WildcardSubscriptionAvailable(u.arbitrary()?)),
            |u| Ok(Property::SubscriptionIdentifierAvailable(u.arbitrary()?)),
            |u| Ok(Property::SharedSubscriptionAvailable(u.arbitrary()?)),
            |u| Ok(Property::ServerKeepAlive(*u.choose(&[0, 2, 100])?)),
        ],
    )?;
    Ok(Connack {
        session_present: !refused && u.ratio(3, 4)?,
        reason_code: if refused {
            ReasonCode::NotAuthorized
        } else {
            ReasonCode::Success
        },
        properties,
    })
}
