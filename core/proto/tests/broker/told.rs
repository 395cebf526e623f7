//! What CONNACK and DISCONNECT tell besides the limits.

use squall_proto::{
    Connack, Connect, Packet, Property, Publish, Qos, ReasonCode, Subscribe, SubscriptionId,
    SubscriptionOptions, Text, TopicFilter, Version,
    broker::{Close, Input, Limits, Settings, Told},
    encoded_len,
};

use crate::table::{Seen, Table, delivery, id, publish};

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn table(version: Version, told: Told) -> Table {
    Table::with_settings(
        version,
        Settings {
            told,
            ..Settings::default()
        },
    )
}

fn connack(t: &mut Table, connect: Connect) -> Connack {
    t.open("a");
    t.send("a", Packet::Connect(Box::new(connect)));
    match t.next_packet("a") {
        Packet::Connack(connack) => connack,
        other => panic!("{other:?} in place of a connack"),
    }
}

fn asking(connect: Connect, ask: bool) -> Connect {
    let mut connect = connect;
    connect.properties.push(Property::RequestResponseInformation(ask));
    connect
}

/// [MQTT-3.1.2-28]
#[test]
fn response_information_is_told_to_who_asks_for_it() {
    let told = Told {
        response_information: Some(text("r/{client_id}/")),
        ..Told::default()
    };
    let informed = |client_id: &str, ask: Option<bool>| {
        let mut t = table(Version::V5, told.clone());
        let connect = t.clean(client_id);
        let connect = match ask {
            Some(ask) => asking(connect, ask),
            None => connect,
        };
        connack(&mut t, connect).properties.response_information()
    };
    assert_eq!(informed("a", Some(true)), Some(text("r/a/")));
    assert_eq!(informed("a/#", Some(true)), None);
    assert_eq!(informed("a", Some(false)), None);
    assert_eq!(informed("a", None), None);
}

#[test]
fn response_information_that_is_not_configured_or_does_not_fit_is_not_told() {
    let mut t = Table::new(Version::V5);
    let connect = asking(t.clean("a"), true);
    let plain = connack(&mut t, connect.clone());
    assert_eq!(plain.properties.response_information(), None);
    let told = Told {
        response_information: Some(text("answers")),
        ..Told::default()
    };
    let size = encoded_len(Version::V5, (&Packet::Connack(plain)).into());
    for (more, wanted) in [(9, None), (10, Some(text("answers")))] {
        let mut t = table(Version::V5, told.clone());
        let mut connect = connect.clone();
        let size_max = u32::try_from(size + more).unwrap().try_into().unwrap();
        connect.properties.push(Property::MaximumPacketSize(size_max));
        assert_eq!(connack(&mut t, connect).properties.response_information(), wanted);
    }
}

/// [MQTT-3.2.2-16]
#[test]
fn assigned_client_identifiers_begin_as_configured() {
    for prefix in ["squall-", "", "fleet/", &"x".repeat(65_530)] {
        let told = Told {
            client_id_prefix: text(prefix),
            ..Told::default()
        };
        let mut t = table(Version::V5, told);
        let connect = t.clean("");
        let assigned = connack(&mut t, connect)
            .properties
            .assigned_client_identifier()
            .unwrap();
        let prefix = if prefix.len() > 65_519 { "" } else { prefix };
        assert!(assigned.starts_with(prefix));
        assert_eq!(assigned.len(), prefix.len() + 16);
    }
}

#[test]
fn who_is_one_too_many_and_who_stays_to_the_end_hear_of_another_server() {
    let settings = |server_reference| Settings {
        told: Told {
            server_reference,
            ..Told::default()
        },
        ..Limits {
            connections: 1,
            ..Limits::default()
        }
        .into()
    };
    let other = Some(text("other:1883"));
    for (version, reference, codes) in [
        (Version::V5, other.clone(), [ReasonCode::UseAnotherServer; 2]),
        (Version::V3_1_1, other, [ReasonCode::UseAnotherServer; 2]),
        (
            Version::V5,
            None,
            [ReasonCode::QuotaExceeded, ReasonCode::ServerShuttingDown],
        ),
    ] {
        let mut t = Table::with_settings(version, settings(reference.clone()));
        t.connect("first");
        let connect = t.clean("a");
        let refused = connack(&mut t, connect);
        assert_eq!(refused.reason_code, codes[0]);
        t.expect("a", Seen::Closed(Close::Refused(codes[0])));
        t.handle(Input::Shutdown);
        if version == Version::V5 {
            assert_eq!(refused.properties.server_reference(), reference);
            let Packet::Disconnect(disconnect) = t.next_packet("first") else {
                panic!("no disconnect")
            };
            assert_eq!(disconnect.reason_code, codes[1]);
            assert_eq!(disconnect.properties.server_reference(), reference);
        } else {
            assert!(refused.properties.is_empty());
        }
        t.expect("first", Seen::Closed(Close::Refused(codes[1])));
    }
}

/// [X5-3.2.2.3.12-2]
#[test]
fn a_subscription_identifier_where_there_are_none_ends_the_connection() {
    let limits = Limits {
        subscription_identifier_available: false,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    let connect = t.clean("a");
    let connack = connack(&mut t, connect);
    assert_eq!(
        connack.properties.subscription_identifier_available(),
        Some(false)
    );
    let filters = vec![(TopicFilter::new("t").unwrap(), SubscriptionOptions::default())];
    t.send(
        "a",
        Packet::Subscribe(Subscribe {
            packet_id: id(1),
            filters,
            properties: [Property::SubscriptionIdentifier(SubscriptionId::new(1).unwrap())]
                .into_iter()
                .collect(),
        }),
    );
    t.expect_refused("a", ReasonCode::SubscriptionIdentifiersNotSupported);
}

/// [X5-3.2.2.3.4-2] [X5-3.2.2.3.5-2]
#[test]
fn what_is_switched_off_ends_the_connection_of_who_uses_it_in_either_version() {
    let limits = Limits {
        maximum_qos: Qos::AtLeastOnce,
        retain_available: false,
        ..Limits::default()
    };
    for version in Version::ALL {
        for (qos, retain, wanted) in [
            (Qos::ExactlyOnce, false, ReasonCode::QosNotSupported),
            (Qos::AtLeastOnce, true, ReasonCode::RetainNotSupported),
        ] {
            let mut t = Table::with_limits(version, limits.clone());
            t.connect("a");
            let sent = Publish {
                retain,
                ..publish("t", "x", delivery(qos, 7))
            };
            t.send("a", Packet::Publish(sent));
            t.expect_refused("a", wanted);
        }
    }
}
