//! Arbitrary fields of packets: strings, topics, properties, codes. The properties a packet may have are listed here by hand,
//! so that the crate's own table is tested by another.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use proptest::{collection::vec, option, prelude::*};
use squall_proto::{
    Binary, Delivery, PacketId, Properties, Property, Qos, ReasonCode, SubscriptionId, Text, TopicAlias,
    TopicFilter, TopicName, Version,
};

/// The numbers of the properties that packets may have once; each may have User Properties as well.
pub(crate) const CONNECT: &[u8] = &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x27];
pub(crate) const WILL: &[u8] = &[0x01, 0x02, 0x03, 0x08, 0x09, 0x18];
pub(crate) const CONNACK: &[u8] = &[
    0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x27, 0x28, 0x29, 0x2A,
];
pub(crate) const MESSAGE: &[u8] = &[0x01, 0x03, 0x08, 0x09];
pub(crate) const PUBLISH: &[u8] = &[0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23];
pub(crate) const SUBSCRIBE: &[u8] = &[0x0B];
pub(crate) const REASON: &[u8] = &[0x1F];
pub(crate) const USER: &[u8] = &[];
pub(crate) const DISCONNECT: &[u8] = &[0x11, 0x1C, 0x1F];
pub(crate) const AUTH: &[u8] = &[0x15, 0x16, 0x1F];

/// Some of these properties and some User Properties, in any order; none in 3.1.1.
pub(crate) fn properties(version: Version, numbers: &'static [u8]) -> BoxedStrategy<Properties> {
    if version == Version::V3_1_1 {
        return Just(Properties::new()).boxed();
    }
    let once: Vec<_> = numbers
        .iter()
        .map(|number| option::weighted(0.3, property(*number)))
        .collect();
    let user = vec(
        (text(), text()).prop_map(|(name, value)| Property::UserProperty(name, value)),
        0..3,
    );
    (once, user)
        .prop_map(|(once, user)| once.into_iter().flatten().chain(user).collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(Properties::from_iter)
        .boxed()
}

fn property(number: u8) -> BoxedStrategy<Property> {
    match number {
        0x01 => any::<bool>().prop_map(Property::PayloadFormatIndicator).boxed(),
        0x02 => any::<u32>().prop_map(Property::MessageExpiryInterval).boxed(),
        0x03 => text().prop_map(Property::ContentType).boxed(),
        0x08 => topic_name().prop_map(Property::ResponseTopic).boxed(),
        0x09 => binary().prop_map(Property::CorrelationData).boxed(),
        0x0B => subscription_id()
            .prop_map(Property::SubscriptionIdentifier)
            .boxed(),
        0x11 => any::<u32>().prop_map(Property::SessionExpiryInterval).boxed(),
        0x12 => text().prop_map(Property::AssignedClientIdentifier).boxed(),
        0x13 => any::<u16>().prop_map(Property::ServerKeepAlive).boxed(),
        0x15 => text().prop_map(Property::AuthenticationMethod).boxed(),
        0x16 => binary().prop_map(Property::AuthenticationData).boxed(),
        0x17 => any::<bool>()
            .prop_map(Property::RequestProblemInformation)
            .boxed(),
        0x18 => any::<u32>().prop_map(Property::WillDelayInterval).boxed(),
        0x19 => any::<bool>()
            .prop_map(Property::RequestResponseInformation)
            .boxed(),
        0x1A => text().prop_map(Property::ResponseInformation).boxed(),
        0x1C => text().prop_map(Property::ServerReference).boxed(),
        0x1F => text().prop_map(Property::ReasonString).boxed(),
        0x21 => any::<NonZeroU16>().prop_map(Property::ReceiveMaximum).boxed(),
        0x22 => any::<u16>().prop_map(Property::TopicAliasMaximum).boxed(),
        0x23 => topic_alias().prop_map(Property::TopicAlias).boxed(),
        0x24 => any::<bool>().prop_map(Property::MaximumQos).boxed(),
        0x25 => any::<bool>().prop_map(Property::RetainAvailable).boxed(),
        0x27 => any::<NonZeroU32>().prop_map(Property::MaximumPacketSize).boxed(),
        0x28 => any::<bool>()
            .prop_map(Property::WildcardSubscriptionAvailable)
            .boxed(),
        0x29 => any::<bool>()
            .prop_map(Property::SubscriptionIdentifierAvailable)
            .boxed(),
        0x2A => any::<bool>()
            .prop_map(Property::SharedSubscriptionAvailable)
            .boxed(),
        _ => unreachable!("the lists above name no other property"),
    }
}

/// Authentication Data stands beside a method or not at all.
pub(crate) fn with_authentication(mut properties: Properties) -> Properties {
    if properties.authentication_method().is_none() {
        properties.retain(|property| !matches!(property, Property::AuthenticationData(_)));
    }
    properties
}

/// 3.1.1 has none but Success.
pub(crate) fn codes_of(version: Version, codes: Vec<u8>) -> Vec<u8> {
    match version {
        Version::V3_1_1 => vec![0],
        Version::V5 => codes,
    }
}

pub(crate) fn reason_code(codes: Vec<u8>) -> impl Strategy<Value = ReasonCode> {
    proptest::sample::select(codes).prop_map(|code| ReasonCode::from_value(code).unwrap())
}

pub(crate) fn delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![
        Just(Delivery::AtMostOnce),
        packet_id().prop_map(Delivery::AtLeastOnce),
        packet_id().prop_map(Delivery::ExactlyOnce),
    ]
}

pub(crate) fn qos() -> impl Strategy<Value = Qos> {
    proptest::sample::select(Qos::ALL.as_slice())
}

pub(crate) fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|value| PacketId::new(value).unwrap())
}

pub(crate) fn topic_alias() -> impl Strategy<Value = TopicAlias> {
    (1..=u16::MAX).prop_map(|value| TopicAlias::new(value).unwrap())
}

/// Of one to four bytes on the wire.
pub(crate) fn subscription_id() -> impl Strategy<Value = SubscriptionId> {
    (0..28_u32, any::<u32>()).prop_map(|(bits, value)| {
        let value = 1 << bits | value & ((1 << bits) - 1);
        SubscriptionId::new(value).unwrap()
    })
}

/// Mostly short; now and then as long as a string may be.
pub(crate) fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        40 => "[^\\x00]{0,12}",
        1 => (65_500..=65_535_usize).prop_map(|len| "x".repeat(len)),
    ]
    .prop_map(|text| Text::new(&text).unwrap())
}

pub(crate) fn topic_name() -> impl Strategy<Value = TopicName> {
    "[^\\x00+#]{1,12}".prop_map(|topic| TopicName::new(&topic).unwrap())
}

/// Levels with wildcards where they may stand; in 5.0 shared or not.
pub(crate) fn topic_filter(version: Version) -> impl Strategy<Value = TopicFilter> {
    let level = prop_oneof![3 => "[^\\x00+#/]{0,4}", 1 => Just("+".to_owned())];
    let share = option::weighted(0.2, "[^\\x00+#/]{1,4}");
    (share, vec(level, 1..4), any::<bool>()).prop_filter_map(
        "a filter is not empty",
        move |(share, mut levels, all)| {
            if all {
                levels.push("#".to_owned());
            }
            let share = share.map(|name| format!("$share/{name}/")).unwrap_or_default();
            let text = Text::new(&(share + &levels.join("/"))).ok()?;
            match version {
                Version::V3_1_1 => TopicFilter::not_shared(text).ok(),
                Version::V5 => TopicFilter::from_text(text).ok(),
            }
        },
    )
}

pub(crate) fn binary() -> impl Strategy<Value = Binary> {
    vec(any::<u8>(), 0..12).prop_map(|bytes| Binary::new(Bytes::from(bytes)).unwrap())
}

/// Of a PUBLISH: any length, now and then one that makes the Remaining Length three bytes.
pub(crate) fn payload() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..20).prop_map(Bytes::from),
        2 => (100..140_usize).prop_map(|len| Bytes::from(vec![7; len])),
        1 => (16_300..16_400_usize).prop_map(|len| Bytes::from(vec![7; len])),
    ]
}
