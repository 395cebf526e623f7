//! Which properties and Reason Codes the decoder takes in which packets, tried one by one with bytes written by hand. The
//! snapshots are the tables of the standard: sections 2.2.2.2 and 2.4.

use std::fmt::Write as _;

use bytes::BytesMut;
use squall_proto::{Decoder, PropertyId, ReasonCode, Version};

/// A packet of 5.0 cut where its properties stand: what follows its fixed header up to them, and what follows them.
const AROUND_PROPERTIES: &[(&str, u8, &[u8], &[u8])] = &[
    ("CONNECT", 0x10, b"\0\x04MQTT\x05\x02\0\x0A", b"\0\x01c"),
    (
        "Will",
        0x10,
        b"\0\x04MQTT\x05\x06\0\x0A\0\0\x01c",
        b"\0\x01w\0\x01x",
    ),
    ("CONNACK", 0x20, &[0, 0], &[]),
    ("PUBLISH", 0x30, b"\0\x01t", b"hi"),
    ("PUBACK", 0x40, &[0, 1, 0], &[]),
    ("PUBREC", 0x50, &[0, 1, 0], &[]),
    ("PUBREL", 0x62, &[0, 1, 0], &[]),
    ("PUBCOMP", 0x70, &[0, 1, 0], &[]),
    ("SUBSCRIBE", 0x82, &[0, 1], b"\0\x01f\0"),
    ("SUBACK", 0x90, &[0, 1], &[0]),
    ("UNSUBSCRIBE", 0xA2, &[0, 1], b"\0\x01f"),
    ("UNSUBACK", 0xB0, &[0, 1], &[0]),
    ("DISCONNECT", 0xE0, &[0], &[]),
    ("AUTH", 0xF0, &[0x18], &[]),
];

/// Authentication Method "m", without which Authentication Data and AUTH are refused.
const METHOD: &[u8] = &[0x15, 0, 1, b'm'];

/// The property with a value it may have.
fn property(id: PropertyId) -> Vec<u8> {
    let value: &[u8] = match id {
        PropertyId::PayloadFormatIndicator
        | PropertyId::SubscriptionIdentifier
        | PropertyId::RequestProblemInformation
        | PropertyId::RequestResponseInformation
        | PropertyId::MaximumQos
        | PropertyId::RetainAvailable
        | PropertyId::WildcardSubscriptionAvailable
        | PropertyId::SubscriptionIdentifierAvailable
        | PropertyId::SharedSubscriptionAvailable => &[1],
        PropertyId::ServerKeepAlive
        | PropertyId::ReceiveMaximum
        | PropertyId::TopicAliasMaximum
        | PropertyId::TopicAlias => &[0, 1],
        PropertyId::MessageExpiryInterval
        | PropertyId::SessionExpiryInterval
        | PropertyId::WillDelayInterval
        | PropertyId::MaximumPacketSize => &[0, 0, 0, 1],
        PropertyId::ContentType
        | PropertyId::ResponseTopic
        | PropertyId::CorrelationData
        | PropertyId::AssignedClientIdentifier
        | PropertyId::AuthenticationMethod
        | PropertyId::AuthenticationData
        | PropertyId::ResponseInformation
        | PropertyId::ServerReference
        | PropertyId::ReasonString => b"\0\x01v",
        PropertyId::UserProperty => b"\0\x01k\0\x01v",
    };
    [&[id.value()], value].concat()
}

fn is_taken(first_byte: u8, fields: &[&[u8]]) -> bool {
    let body = fields.concat();
    let header = [first_byte, u8::try_from(body.len()).unwrap()];
    let mut input = BytesMut::from([header.as_slice(), &body].concat().as_slice());
    let decoded = Decoder::with_version(Version::V5, 1000).decode(&mut input);
    matches!(decoded, Ok(Some(_)))
}

/// How often the decoder takes the property there: `None` for never, else the packet's name, with `*` for more than once.
fn taken(id: PropertyId, (name, first_byte, before, after): (&str, u8, &[u8], &[u8])) -> Option<String> {
    let needs_method = id == PropertyId::AuthenticationData || name == "AUTH";
    let method = if needs_method && id != PropertyId::AuthenticationMethod {
        METHOD
    } else {
        &[]
    };
    let takes = |times| {
        let list = [method, &property(id).repeat(times)].concat();
        let len = [u8::try_from(list.len()).unwrap()];
        is_taken(first_byte, &[before, &len, &list, after])
    };
    let many = if takes(2) { "*" } else { "" };
    takes(1).then(|| format!("{name}{many}"))
}

#[test]
fn each_property_stands_where_the_standard_says_and_as_often() {
    let mut table = String::new();
    for id in PropertyId::ALL {
        let places: Vec<_> = AROUND_PROPERTIES
            .iter()
            .filter_map(|place| taken(*id, *place))
            .collect();
        writeln!(table, "{:#04x} {:33} {}", id.value(), id.name(), places.join(" ")).unwrap();
    }
    insta::assert_snapshot!("properties", table);
}

/// The packets with a Reason Code, cut where it stands.
const AROUND_REASON_CODE: &[(&str, u8, &[u8], &[u8])] = &[
    ("CONNACK", 0x20, &[0], &[0]),
    ("PUBACK", 0x40, &[0, 1], &[0]),
    ("PUBREC", 0x50, &[0, 1], &[0]),
    ("PUBREL", 0x62, &[0, 1], &[0]),
    ("PUBCOMP", 0x70, &[0, 1], &[0]),
    ("SUBACK", 0x90, &[0, 1, 0], &[]),
    ("UNSUBACK", 0xB0, &[0, 1, 0], &[]),
    ("DISCONNECT", 0xE0, &[], &[0]),
    ("AUTH", 0xF0, &[], &[4, 0x15, 0, 1, b'm']),
];

#[test]
fn each_reason_code_stands_where_the_standard_says() {
    let mut table = String::new();
    for value in 0..=u8::MAX {
        let places: Vec<_> = AROUND_REASON_CODE
            .iter()
            .filter(|(_, first_byte, before, after)| is_taken(*first_byte, &[before, &[value], after]))
            .map(|(name, ..)| *name)
            .collect();
        if !places.is_empty() {
            let name = ReasonCode::from_value(value).unwrap().name();
            writeln!(table, "{value:#04x} {name:38} {}", places.join(" ")).unwrap();
        }
    }
    insta::assert_snapshot!("reason_codes", table);
}
