use std::time::Duration;

use squall_proto::{
    Binary, Connack, Disconnect, Packet, Properties, Property, Qos, ReasonCode, Version, Will,
    client::{Client, Event, Input, Misuse, Options, Why},
};

use crate::rig::{Rig, connack, one, text, topic};

/// [MQTT-3.1.0-1] [v3 MQTT-3.1.0-1]
#[test]
fn connect_is_the_first_packet_and_says_what_the_options_say() {
    for version in Version::ALL {
        let will = Will {
            topic: topic("gone"),
            payload: Binary::new("c").unwrap(),
            qos: Qos::AtLeastOnce,
            retain: true,
            properties: Properties::new(),
        };
        let mut rig = Rig::new(Options {
            will: Some(will.clone()),
            user_name: Some(text("u")),
            password: Binary::new("p").ok(),
            keep_alive: 7,
            ..Options::new(version, text("c"))
        });
        rig.publish(1, Qos::AtMostOnce);
        let Packet::Connect(connect) = rig.open() else {
            panic!("the first packet is CONNECT")
        };
        assert_eq!(
            (connect.version, connect.keep_alive, connect.clean_start),
            (version, 7, true)
        );
        assert_eq!((connect.will, connect.user_name), (Some(will), Some(text("u"))));
        assert_eq!(
            (connect.client_id, connect.properties),
            (text("c"), Properties::new())
        );
        rig.assert_quiet();
    }
}

#[test]
fn limits_are_announced_in_5_0_alone() {
    for version in Version::ALL {
        let mut rig = Rig::new(Options {
            receive_maximum: 5,
            packet_size_max: 1000,
            topic_alias_maximum: 3,
            ..Options::persistent(version, text("c"))
        });
        let Packet::Connect(connect) = rig.open() else {
            panic!("the first packet is CONNECT")
        };
        let properties = &connect.properties;
        assert_eq!(properties.len(), if version == Version::V5 { 4 } else { 0 });
        assert_eq!(
            properties.session_expiry_interval(),
            (version == Version::V5).then_some(u32::MAX)
        );
        assert_eq!(
            properties.topic_alias_maximum(),
            (version == Version::V5).then_some(3)
        );
    }
}

#[test]
fn a_refused_connection_is_told_and_closed() {
    for version in Version::ALL {
        let mut rig = Rig::new(Options::new(version, text("c")));
        rig.open();
        rig.receive(connack(false, ReasonCode::NotAuthorized, Properties::new()));
        let refused = Connack {
            session_present: false,
            reason_code: ReasonCode::NotAuthorized,
            properties: Properties::new(),
        };
        assert_eq!(rig.event(), Event::Disconnected(Why::Refused(refused)));
        assert!(rig.is_closed());
        rig.handle(Input::Lost);
        rig.assert_quiet();
    }
}

#[test]
fn a_missing_connack_ends_the_connection_at_the_deadline() {
    for version in Version::ALL {
        let options = Options::new(version, text("c"));
        let mut rig = Rig::new(Options {
            connect_timeout: Duration::from_secs(3),
            ..options
        });
        rig.open();
        rig.wait(2_999);
        rig.assert_quiet();
        rig.wait(1);
        assert_eq!(rig.event(), Event::Disconnected(Why::ConnackTimeout));
        assert!(rig.is_closed());
    }
}

#[test]
fn an_assigned_client_identifier_is_used_by_later_connections() {
    let mut rig = Rig::new(Options {
        session_expiry_interval: 100,
        ..Options::new(Version::V5, text(""))
    });
    rig.connect(false, one(Property::AssignedClientIdentifier(text("auto-7"))));
    rig.lose();
    let Packet::Connect(connect) = rig.open() else {
        panic!("the first packet is CONNECT")
    };
    assert_eq!(connect.client_id, text("auto-7"));
}

#[test]
fn an_identifier_that_the_server_assigns_to_a_client_with_its_own_means_nothing() {
    let mut rig = Rig::new(Options::persistent(Version::V5, text("mine")));
    rig.connect(false, one(Property::AssignedClientIdentifier(text("another"))));
    rig.lose();
    let Packet::Connect(connect) = rig.open() else {
        panic!("no connect")
    };
    assert_eq!(connect.client_id, text("mine"));
}

#[test]
fn disconnect_is_sent_then_the_connection_closed() {
    for version in Version::ALL {
        let mut rig = Rig::connected(Options::new(version, text("c")));
        rig.handle(Input::Disconnect(Disconnect::of(ReasonCode::Success)));
        assert!(matches!(rig.sent(), Packet::Disconnect(_)));
        assert_eq!(rig.event(), Event::Disconnected(Why::Requested));
        assert!(rig.is_closed());
        rig.publish(1, Qos::AtMostOnce);
        rig.handle(Input::Lost);
        rig.assert_quiet();
    }
}

#[test]
fn a_disconnect_that_wants_the_will_published_is_a_bare_close_in_3_1_1() {
    let mut rig = Rig::connected(Options::new(Version::V3_1_1, text("c")));
    rig.handle(Input::Disconnect(Disconnect::of(
        ReasonCode::DisconnectWithWillMessage,
    )));
    assert_eq!(rig.event(), Event::Disconnected(Why::Requested));
    assert!(rig.is_closed());
    rig.assert_quiet();
}

/// [v3 MQTT-3.1.3-7] [v3 MQTT-3.1.2-22]
#[test]
fn what_3_1_1_cannot_say_is_misuse() {
    let new = |options| Client::new(options).map(|_| ());
    let nameless = Options::persistent(Version::V3_1_1, text(""));
    assert_eq!(new(nameless), Err(Misuse::EmptyClientIdNeedsCleanStart));
    let options = Options::new(Version::V3_1_1, text("c"));
    let password_alone = Options {
        password: Binary::new("p").ok(),
        ..options.clone()
    };
    assert_eq!(new(password_alone), Err(Misuse::PasswordNeedsUserName));
    let expiry = Options {
        session_expiry_interval: 1,
        ..options
    };
    assert_eq!(
        new(expiry),
        Err(Misuse::NeedsVersion5("session expiry intervals"))
    );
}

#[test]
fn properties_that_are_not_the_applications_to_set_are_misuse() {
    let twice = [
        Property::RequestProblemInformation(true),
        Property::RequestProblemInformation(true),
    ];
    for properties in [
        one(Property::ReceiveMaximum(std::num::NonZeroU16::MIN)),
        twice.into_iter().collect(),
    ] {
        let options = Options {
            properties,
            ..Options::new(Version::V5, text("c"))
        };
        assert_eq!(Client::new(options).map(|_| ()), Err(Misuse::PropertyNotAllowed));
    }
}
