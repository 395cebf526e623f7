//! What an administrator does to clients.

use std::time::Duration;

use squall_proto::{
    Binary, Connack, Packet, Properties, Property, Qos, ReasonCode, Text, TopicName, Version, Will,
    broker::{Administration, Close, Input},
};

use crate::table::{Seen, Table, delivery, publish};

fn name(client_id: &str) -> Text {
    Text::new(client_id).unwrap()
}

fn will(delay: u32) -> Will {
    let delay = (delay > 0).then_some(Property::WillDelayInterval(delay));
    Will {
        topic: TopicName::new("will").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: delay.into_iter().collect(),
    }
}

/// [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8]
#[test]
fn a_client_that_is_kicked_is_told_and_its_will_published_and_its_session_goes_on() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("watch");
        t.subscribe("watch", "will", Qos::AtMostOnce);
        let mut connect = t.persistent("a");
        connect.will = Some(will(0));
        t.connect_as("a", connect.clone());
        t.subscribe("a", "t", Qos::AtLeastOnce);

        t.handle(Input::Administer(Administration::Kick(name("a"))));
        t.expect_refused("a", ReasonCode::AdministrativeAction);
        assert_eq!(t.next_publish("watch").payload, "gone");
        t.cut("a");

        t.send(
            "watch",
            Packet::Publish(publish("t", "kept", delivery(Qos::AtLeastOnce, 1))),
        );
        assert!(t.connect_as("a", connect), "the session is there");
        assert_eq!(t.take_payloads("a"), ["kept"]);
    }
}

#[test]
fn a_client_that_is_not_connected_cannot_be_kicked() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = t.persistent("a");
        t.connect_as("a", connect.clone());
        t.cut("a");
        for client_id in ["a", "b", ""] {
            t.handle(Input::Administer(Administration::Kick(name(client_id))));
        }
        assert!(t.connect_as("a", connect), "the session is there");
        t.expect_nothing("a");
    }
}

#[test]
fn a_session_that_is_ended_is_gone_with_its_connection() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = t.persistent("a");
        t.connect_as("a", connect.clone());
        t.subscribe("a", "t", Qos::AtLeastOnce);

        t.handle(Input::Administer(Administration::EndSession(name("a"))));
        t.expect_refused("a", ReasonCode::AdministrativeAction);
        t.cut("a");
        assert_eq!((t.counts().sessions, t.counts().subscriptions), (0, 0));
        assert!(!t.connect_as("a", connect), "it begins anew");
    }
}

#[test]
fn a_session_without_a_connection_can_be_ended_and_so_can_one_that_ends_by_itself() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = t.persistent("a");
        t.connect_as("a", connect);
        t.cut("a");
        t.connect("b");
        for client_id in ["a", "b", "nobody"] {
            t.handle(Input::Administer(Administration::EndSession(name(client_id))));
        }
        t.expect_refused("b", ReasonCode::AdministrativeAction);
        assert_eq!(t.counts().sessions, 0);
    }
}

/// [MQTT-3.1.3-9]
#[test]
fn a_will_that_waits_is_published_when_its_session_is_ended() {
    let mut t = Table::new(Version::V5);
    t.connect("watch");
    t.subscribe("watch", "will", Qos::AtMostOnce);
    let mut connect = t.persistent("a");
    connect.will = Some(will(60));
    t.connect_as("a", connect);
    t.cut("a");
    t.wait(Duration::from_secs(10));
    t.expect_nothing("watch");

    t.handle(Input::Administer(Administration::EndSession(name("a"))));
    assert_eq!(t.next_publish("watch").payload, "gone");
    t.wait(Duration::from_secs(100));
    t.expect_nothing("watch");
}

#[test]
fn a_client_that_is_barred_stays_connected_and_is_not_let_in_again_until_it_is_admitted() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = t.persistent("a");
        t.connect_as("a", connect.clone());
        t.handle(Input::Administer(Administration::Bar(name("a"))));
        t.send("a", Packet::Pingreq);
        t.expect_packet("a", Packet::Pingresp);
        t.cut("a");

        t.open("a");
        t.send("a", Packet::Connect(Box::new(connect.clone())));
        t.expect_explained(
            "a",
            Packet::Connack(Connack {
                session_present: false,
                reason_code: ReasonCode::NotAuthorized,
                properties: Properties::new(),
            }),
        );
        t.expect("a", Seen::Closed(Close::Refused(ReasonCode::NotAuthorized)));
        t.cut("a");
        t.connect("b");

        t.handle(Input::Administer(Administration::Admit(name("a"))));
        assert!(t.connect_as("a", connect), "its session has waited for it");
    }
}

#[test]
fn who_is_there_can_be_asked() {
    let mut t = Table::new(Version::V5);
    let connect = t.persistent("a");
    t.connect_as("a", connect);
    let is = |t: &Table| {
        (
            t.broker().is_connected(&name("a")),
            t.broker().has_session(&name("a")),
        )
    };
    assert_eq!(is(&t), (true, true));
    t.cut("a");
    assert_eq!(is(&t), (false, true));
    assert!(!t.broker().is_barred(&name("a")) && !t.broker().has_session(&name("b")));
}
