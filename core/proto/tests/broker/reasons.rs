//! Reason Strings: where they stand, and where they may not.

use core::num::NonZeroU32;

use squall_proto::{
    Ack, Connect, Delivery, Disconnect, Packet, Property, Publish, Qos, ReasonCode, SubscriptionOptions,
    Text, Version,
    broker::{Close, Limits},
    encoded_len,
};

use crate::table::{Seen, Table, ack, id, publish, subscribe, unexplained};

fn sized(t: &Table, name: &str, bytes: u32) -> Connect {
    with(
        t,
        name,
        Property::MaximumPacketSize(NonZeroU32::new(bytes).unwrap()),
    )
}

fn with(t: &Table, name: &str, property: Property) -> Connect {
    let mut connect = t.clean(name);
    connect.properties.push(property);
    connect
}

fn size(packet: &Packet) -> u32 {
    u32::try_from(encoded_len(Version::V5, packet.into())).unwrap()
}

/// What a client that announced this Maximum Packet Size sees of a broker that answers it and then refuses it.
fn answers(bytes: u32) -> [Packet; 2] {
    let mut t = Table::new(Version::V5);
    let connect = sized(&t, "a", bytes);
    t.connect_as("a", connect);
    t.send("a", Packet::Pubrel(ack(7)));
    t.send("a", Packet::Pingresp);
    [t.next_packet("a"), t.next_packet("a")]
}

/// [MQTT-3.7.2-2] [MQTT-3.14.2-3]
#[test]
fn a_reason_string_is_left_out_where_the_packet_would_be_too_large() {
    let [pubcomp, disconnect] = answers(1000);
    for (nth, whole) in [(0, pubcomp), (1, disconnect)] {
        let (plain, why) = unexplained(whole.clone());
        assert!(why.is_some(), "{whole:?}");
        assert_eq!(answers(size(&whole))[nth], whole);
        assert_eq!(answers(size(&whole) - 1)[nth], plain);
    }
}

/// CONNACK refuses a client that takes packets of this size.
fn refused(bytes: u32) -> (Option<Packet>, Seen) {
    let limits = Limits {
        connections: 0,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    let connect = sized(&t, "a", bytes);
    t.open("a");
    t.send("a", Packet::Connect(Box::new(connect)));
    match t.next("a").unwrap() {
        Seen::Packet(connack) => (Some(connack), t.next("a").unwrap()),
        closed @ Seen::Closed(_) => (None, closed),
    }
}

/// [MQTT-3.1.2-24] [MQTT-3.2.2-19]
#[test]
fn a_connack_that_refuses_goes_without_its_reason_string_or_not_at_all() {
    let closed = Seen::Closed(Close::Refused(ReasonCode::QuotaExceeded));
    let (whole, end) = refused(1000);
    let whole = whole.unwrap();
    let (plain, why) = unexplained(whole.clone());
    assert!(why.is_some() && end == closed);
    assert_eq!(refused(size(&whole)).0, Some(whole.clone()));
    assert_eq!(refused(size(&whole) - 1).0, Some(plain.clone()));
    assert_eq!(refused(size(&plain)).0, Some(plain.clone()));
    assert_eq!(refused(size(&plain) - 1), (None, closed));
}

/// [MQTT-3.1.2-29]
#[test]
fn without_problem_information_acknowledgements_have_no_reason_string() {
    let mut t = Table::new(Version::V5);
    let connect = with(&t, "a", Property::RequestProblemInformation(false));
    t.connect_as("a", connect);
    let unknown = |value| Ack::of(id(value), ReasonCode::PacketIdentifierNotFound);
    t.send("a", Packet::Pubrel(ack(7)));
    t.expect_packet("a", Packet::Pubcomp(unknown(7)));
    t.send("a", Packet::Pubrec(ack(8)));
    t.expect_packet("a", Packet::Pubrel(unknown(8)));
    t.send("a", Packet::Pingresp);
    t.expect_explained("a", Packet::Disconnect(Disconnect::of(ReasonCode::ProtocolError)));
}

/// [MQTT-3.1.2-29] [MQTT-3.3.2-17]
#[test]
fn without_problem_information_a_message_keeps_its_user_properties() {
    let mut t = Table::new(Version::V5);
    let connect = with(&t, "sub", Property::RequestProblemInformation(false));
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", Qos::AtMostOnce);
    t.connect("pub");
    let text = |text| Text::new(text).unwrap();
    let sent = Publish {
        properties: [Property::UserProperty(text("k"), text("v"))]
            .into_iter()
            .collect(),
        ..publish("t", "x", Delivery::AtMostOnce)
    };
    t.send("pub", Packet::Publish(sent.clone()));
    assert_eq!(t.next_publish("sub"), sent);
}

#[test]
fn an_answer_that_refuses_nothing_has_no_reason_string() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    t.send(
        "a",
        Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(7)))),
    );
    t.expect_packet(
        "a",
        Packet::Puback(Ack::of(id(7), ReasonCode::NoMatchingSubscribers)),
    );
}

/// What a client sees that asks for one subscription too many.
fn refused_subscription(more: Option<Property>) -> (Packet, Option<Text>) {
    let limits = Limits {
        subscriptions: 0,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    let mut connect = t.clean("a");
    if let Some(more) = more {
        connect.properties.push(more);
    }
    t.connect_as("a", connect);
    t.send("a", subscribe("t", SubscriptionOptions::default()));
    unexplained(t.next_packet("a"))
}

/// [MQTT-3.1.2-29] [MQTT-3.9.2-1]
#[test]
fn suback_says_why_where_the_client_takes_that() {
    let (suback, why) = refused_subscription(None);
    let why = why.expect("a reason string");
    assert!(why.contains("subscriptions"), "{why}");
    // The property is the string, its length and its identifier.
    let whole = size(&suback) + 3 + u32::try_from(why.len()).unwrap();
    for property in [
        Property::RequestProblemInformation(false),
        Property::MaximumPacketSize(NonZeroU32::new(whole - 1).unwrap()),
    ] {
        assert_eq!(refused_subscription(Some(property)), (suback.clone(), None));
    }
    let whole = Property::MaximumPacketSize(NonZeroU32::new(whole).unwrap());
    assert_eq!(refused_subscription(Some(whole)), (suback, Some(why)));
}
