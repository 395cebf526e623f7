use squall_proto::{
    Binary, Connack, Connect, DecodeError, Packet, Properties, Property, Qos, ReasonCode, Text, TopicName,
    Version, Will,
    broker::{Close, Input, Limits},
};

use crate::table::{Seen, Table};

/// [MQTT-3.2.2-2] [MQTT-3.2.2-3] [v3 MQTT-3.2.2-1] [v3 MQTT-3.2.2-2] [v3 MQTT-3.2.2-3]
#[test]
fn session_present_says_whether_the_session_was_there() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = t.persistent("a");
        assert!(!t.connect_as("a", connect.clone()));
        t.cut("a");
        assert!(t.connect_as("a", connect.clone()));
        t.disconnect("a");
        assert!(!t.connect_as(
            "a",
            Connect {
                clean_start: true,
                ..connect
            }
        ));
        t.cut("a");
        let clean = t.clean("a");
        assert!(!t.connect_as("a", clean));
    }
}

/// [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
#[test]
fn a_second_connection_of_a_client_identifier_takes_the_session_over() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let first = t.persistent("a");
        t.connect_as("first", first.clone());
        assert!(t.connect_as("second", first));
        t.expect_refused("first", ReasonCode::SessionTakenOver);
        t.send("first", Packet::Pingreq);
        t.expect_nothing("first");
        t.cut("first");
        t.send("second", Packet::Pingreq);
        t.expect_packet("second", Packet::Pingresp);
    }
}

/// [MQTT-3.1.3-6] [MQTT-3.1.3-7] [v3 MQTT-3.1.3-6]
#[test]
fn clients_without_an_identifier_get_different_ones() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let anonymous = t.clean("");
        t.connect_as("a", anonymous.clone());
        t.connect_as("b", anonymous);
        t.expect_nothing("a");
    }
}

/// [v3 MQTT-3.1.3-8]
#[test]
fn a_session_to_keep_needs_an_identifier_in_3_1_1() {
    let mut t = Table::new(Version::V3_1_1);
    t.open("a");
    let connect = t.persistent("");
    t.send("a", Packet::Connect(Box::new(connect)));
    expect_connack_and_close(&mut t, ReasonCode::ClientIdentifierNotValid);
}

/// [MQTT-3.1.2-2] [v3 MQTT-3.1.2-2]
#[test]
fn an_unknown_protocol_level_is_refused_in_words_its_sender_may_know() {
    for (level, version) in [(3, Version::V3_1_1), (6, Version::V5)] {
        let mut t = Table::new(version);
        t.open("a");
        let conn = t.conn("a");
        t.handle(Input::Malformed(
            conn,
            DecodeError::UnsupportedProtocolLevel(level),
        ));
        expect_connack_and_close(&mut t, ReasonCode::UnsupportedProtocolVersion);
    }
}

/// [MQTT-4.12.0-1]
#[test]
fn an_authentication_method_is_refused() {
    let mut t = Table::new(Version::V5);
    t.open("a");
    let mut connect = t.clean("a");
    connect
        .properties
        .push(Property::AuthenticationMethod(Text::new("SCRAM").unwrap()));
    t.send("a", Packet::Connect(Box::new(connect)));
    expect_connack_and_close(&mut t, ReasonCode::BadAuthenticationMethod);
}

/// [MQTT-3.1.4-6] [v3 MQTT-3.1.4-5]
#[test]
fn what_follows_a_refused_connect_is_not_read() {
    let mut t = Table::with_limits(
        Version::V5,
        Limits {
            connections: 0,
            ..Limits::default()
        },
    );
    t.open("a");
    let connect = t.clean("a");
    t.send("a", Packet::Connect(Box::new(connect)));
    t.send("a", Packet::Pingreq);
    expect_connack_and_close(&mut t, ReasonCode::QuotaExceeded);
}

/// [MQTT-3.2.2-9] [MQTT-3.2.2-16]
#[test]
fn connack_announces_what_the_limits_say() {
    let limits = Limits {
        keep_alive: Some(30),
        session_expiry: Some(std::time::Duration::from_secs(60)),
        retain_available: false,
        maximum_qos: Qos::AtLeastOnce,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    t.open("a");
    let connect = Connect {
        client_id: Text::default(),
        ..t.persistent("")
    };
    t.send("a", Packet::Connect(Box::new(connect)));
    let Packet::Connack(connack) = t.next_packet("a") else {
        panic!("no connack")
    };
    assert_eq!(connack.properties.server_keep_alive(), Some(30));
    assert_eq!(connack.properties.session_expiry_interval(), Some(60));
    assert_eq!(connack.properties.retain_available(), Some(false));
    assert_eq!(connack.properties.maximum_qos(), Some(true));
    assert!(connack.properties.assigned_client_identifier().is_some());
}

/// [v3 MQTT-3.2.2-6] [MQTT-3.2.2-12]
#[test]
fn a_refusal_that_3_1_1_has_no_return_code_for_is_a_bare_close() {
    for version in Version::ALL {
        let limits = Limits {
            maximum_qos: Qos::AtMostOnce,
            ..Limits::default()
        };
        let mut t = Table::with_limits(version, limits);
        t.open("a");
        let connect = Connect {
            will: Some(will(Qos::AtLeastOnce)),
            ..t.clean("a")
        };
        t.send("a", Packet::Connect(Box::new(connect)));
        if version == Version::V5 {
            expect_connack_and_close(&mut t, ReasonCode::QosNotSupported);
        } else {
            t.expect("a", Seen::Closed(Close::Refused(ReasonCode::QosNotSupported)));
            t.expect_nothing("a");
        }
    }
}

fn will(qos: Qos) -> Will {
    Will {
        topic: TopicName::new("w").unwrap(),
        payload: Binary::default(),
        qos,
        retain: false,
        properties: Properties::new(),
    }
}

fn expect_connack_and_close(t: &mut Table, reason_code: ReasonCode) {
    let connack = Connack {
        session_present: false,
        reason_code,
        properties: Properties::new(),
    };
    t.expect_explained("a", Packet::Connack(connack));
    t.expect("a", Seen::Closed(Close::Refused(reason_code)));
    t.expect_nothing("a");
}
