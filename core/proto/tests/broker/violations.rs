use squall_proto::{
    Auth, Connack, DecodeError, Delivery, Disconnect, Packet, Properties, Property, Publish, Qos, ReasonCode,
    Suback, SubscriptionId, TopicAlias, Version,
    broker::{Close, Input, Limits},
};

use crate::table::{Seen, Table, ack, id, publish};

/// [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
#[test]
fn anything_before_connect_is_closed_without_a_word() {
    let mut t = Table::new(Version::V5);
    t.open("a");
    t.send("a", Packet::Pingreq);
    t.expect("a", Seen::Closed(Close::Refused(ReasonCode::ProtocolError)));
    t.expect_nothing("a");
}

/// [MQTT-3.1.0-2] [MQTT-4.12.0-7] [v3 MQTT-3.1.0-2]
#[test]
fn packets_a_client_may_not_send_end_the_connection() {
    for version in Version::ALL {
        let reason_code = ReasonCode::Success;
        let properties = Properties::new();
        let cases = [
            Packet::Connect(Box::new(Table::new(version).clean("a"))),
            Packet::Auth(Auth {
                reason_code,
                properties: properties.clone(),
            }),
            Packet::Connack(Connack {
                session_present: false,
                reason_code,
                properties: properties.clone(),
            }),
            Packet::Suback(Suback {
                packet_id: id(1),
                reason_codes: vec![reason_code],
                properties,
            }),
            Packet::Pingresp,
        ];
        for packet in cases {
            let mut t = Table::new(version);
            t.connect("a");
            t.send("a", packet);
            t.expect_refused("a", ReasonCode::ProtocolError);
            t.expect_nothing("a");
        }
    }
}

/// [MQTT-4.13.1-1] [v3 MQTT-4.8.0-1]
#[test]
fn bytes_that_are_no_packet_end_the_connection_they_came_on() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("a");
        t.connect("b");
        let conn = t.conn("a");
        t.handle(Input::Malformed(
            conn,
            DecodeError::PacketTooLarge { size: 9, size_max: 8 },
        ));
        t.expect_refused("a", ReasonCode::PacketTooLarge);
        t.send("b", Packet::Pingreq);
        t.expect_packet("b", Packet::Pingresp);
    }
}

/// [MQTT-3.1.0-2] [v3 MQTT-3.1.0-2] DISCONNECT has no Reason Code for a protocol that is not supported.
#[test]
fn a_second_connect_of_another_protocol_is_a_second_connect() {
    for version in Version::ALL {
        for error in [
            DecodeError::ProtocolName,
            DecodeError::UnsupportedProtocolLevel(9),
        ] {
            let mut t = Table::new(version);
            t.connect("a");
            t.handle(Input::Malformed(t.conn("a"), error));
            t.expect_refused("a", ReasonCode::ProtocolError);
        }
    }
}

/// [MQTT-3.3.4-7]
#[test]
fn more_unfinished_messages_than_the_receive_maximum_end_the_connection() {
    let mut t = Table::with_limits(
        Version::V5,
        Limits {
            receive_maximum: 2,
            ..Limits::default()
        },
    );
    t.connect("a");
    for packet_id in 1..=3 {
        t.send(
            "a",
            Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(packet_id)))),
        );
    }
    t.next_packet("a");
    t.next_packet("a");
    t.expect_refused("a", ReasonCode::ReceiveMaximumExceeded);
}

#[test]
fn what_connack_ruled_out_ends_the_connection() {
    let limits = Limits {
        maximum_qos: Qos::AtLeastOnce,
        retain_available: false,
        topic_alias_maximum: 5,
        ..Limits::default()
    };
    let with = |property| Publish {
        properties: [property].into_iter().collect(),
        ..publish("t", "x", Delivery::AtMostOnce)
    };
    let alias = |alias| Property::TopicAlias(TopicAlias::new(alias).unwrap());
    let cases = [
        (
            publish("t", "x", Delivery::ExactlyOnce(id(1))),
            ReasonCode::QosNotSupported,
        ),
        (
            Publish {
                retain: true,
                ..publish("t", "x", Delivery::AtMostOnce)
            },
            ReasonCode::RetainNotSupported,
        ),
        (with(alias(6)), ReasonCode::TopicAliasInvalid),
        (
            Publish {
                topic: None,
                ..with(alias(5))
            },
            ReasonCode::ProtocolError,
        ),
        (
            with(Property::SubscriptionIdentifier(SubscriptionId::new(1).unwrap())),
            ReasonCode::ProtocolError,
        ),
    ];
    for (sent, wanted) in cases {
        let mut t = Table::with_limits(Version::V5, limits.clone());
        t.connect("a");
        t.send("a", Packet::Publish(sent));
        t.expect_refused("a", wanted);
    }
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_ends_the_connection() {
    for version in Version::ALL {
        for (qos, wrong) in [
            (Qos::AtLeastOnce, Packet::Pubcomp(ack(1))),
            (Qos::ExactlyOnce, Packet::Puback(ack(1))),
        ] {
            let mut t = Table::new(version);
            t.connect("a");
            t.subscribe("a", "t", qos);
            t.send(
                "a",
                Packet::Publish(publish("t", "x", crate::table::delivery(qos, 5))),
            );
            t.next_packet("a");
            t.next_packet("a");
            t.send("a", wrong);
            t.expect_refused("a", ReasonCode::ProtocolError);
        }
    }
}

#[test]
fn disconnect_cannot_give_an_expiry_to_a_session_without_one() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    let properties: Properties = [Property::SessionExpiryInterval(1)].into_iter().collect();
    t.send(
        "a",
        Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::Success,
            properties,
        }),
    );
    t.expect_refused("a", ReasonCode::ProtocolError);
}
