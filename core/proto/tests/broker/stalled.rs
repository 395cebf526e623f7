//! While records cannot be kept: what would need one is refused and changes nothing, the rest goes on, and afterwards all is as before.

use squall_proto::{
    Ack, Binary, Connect, Delivery, Packet, Properties, Publish, Qos, ReasonCode, SubscriptionOptions,
    TopicName, Version, Will,
    broker::{Close, Input},
};

use crate::table::{Seen, Table, ack, delivery, id, publish, subscribe};

const FULL: ReasonCode = ReasonCode::QuotaExceeded;

/// `away` has a session that is kept, subscribed to `t` and `will`, and no connection; `pub` and `there` have sessions that end with
/// theirs, and `there` is subscribed to everything.
fn stalled(version: Version) -> Table {
    let mut t = Table::new(version);
    let persistent = t.persistent("away");
    t.connect_as("away", persistent);
    t.subscribe("away", "t", Qos::ExactlyOnce);
    t.subscribe("away", "will", Qos::ExactlyOnce);
    t.disconnect("away");
    t.connect("pub");
    t.connect("there");
    t.subscribe("there", "#", Qos::ExactlyOnce);
    t.handle(Input::StoreFailed);
    t.out.records = 0;
    t
}

fn answer(delivery: Delivery, reason_code: ReasonCode) -> Packet {
    let answer = match delivery.qos() {
        Qos::AtMostOnce | Qos::AtLeastOnce => Packet::Puback,
        Qos::ExactlyOnce => Packet::Pubrec,
    };
    answer(Ack::of(delivery.packet_id().unwrap(), reason_code))
}

fn retained(publish: Publish) -> Packet {
    Packet::Publish(Publish {
        retain: true,
        ..publish
    })
}

/// [v3 MQTT-3.3.5-2]
#[test]
fn a_message_that_cannot_be_kept_is_refused_and_taken_when_it_comes_again() {
    for version in Version::ALL {
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let mut t = stalled(version);
            let sent = Packet::Publish(publish("t", "x", delivery(qos, 7)));
            t.send("pub", sent.clone());
            match version {
                Version::V5 => t.expect_explained("pub", answer(delivery(qos, 7), FULL)),
                Version::V3_1_1 => {
                    t.expect("pub", Seen::Closed(Close::Refused(FULL)));
                    t.cut("pub");
                    t.connect("pub");
                }
            }
            t.expect_nothing("there");
            assert_eq!(t.out.records, 0);
            t.handle(Input::StoreRecovered);
            t.send("pub", sent);
            t.expect_packet("pub", answer(delivery(qos, 7), ReasonCode::Success));
            assert_eq!(t.take_payloads("there"), ["x"]);
            let persistent = t.persistent("away");
            assert!(t.connect_as("away", persistent));
            assert_eq!(t.take_payloads("away"), ["x"]);
        }
    }
}

#[test]
fn what_needs_no_record_goes_on() {
    for version in Version::ALL {
        let mut t = stalled(version);
        for (topic, delivery) in [
            ("t", Delivery::AtMostOnce),
            ("u", Delivery::AtLeastOnce(id(1))),
            ("u", Delivery::ExactlyOnce(id(2))),
        ] {
            t.send("pub", Packet::Publish(publish(topic, "x", delivery)));
            assert_eq!(t.take_payloads("there"), ["x"]);
        }
        t.expect_packet("pub", Packet::Puback(ack(1)));
        t.expect_packet("pub", Packet::Pubrec(ack(2)));
        t.send("pub", Packet::Pubrel(ack(2)));
        t.expect_packet("pub", Packet::Pubcomp(ack(2)));
        t.connect("new");
        t.subscribe("new", "t", Qos::ExactlyOnce);
        assert_eq!(t.out.records, 0);
    }
}

#[test]
fn the_retained_messages_stay_as_they_were() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("pub");
        t.send("pub", retained(publish("r", "old", Delivery::AtMostOnce)));
        t.handle(Input::StoreFailed);
        t.out.records = 0;
        t.connect("there");
        t.subscribe("there", "r", Qos::AtLeastOnce);
        assert_eq!(t.take_payloads("there"), ["old"]);
        for payload in ["new", ""] {
            t.send("pub", retained(publish("r", payload, Delivery::AtMostOnce)));
            assert_eq!(t.take_payloads("there"), [payload]);
        }
        t.send("pub", retained(publish("r", "new", Delivery::AtLeastOnce(id(1)))));
        match version {
            Version::V5 => t.expect_explained("pub", answer(Delivery::AtLeastOnce(id(1)), FULL)),
            Version::V3_1_1 => t.expect("pub", Seen::Closed(Close::Refused(FULL))),
        }
        t.expect_nothing("there");
        t.connect("late");
        t.subscribe("late", "r", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("late"), ["old"]);
        assert_eq!(t.out.records, 0);
    }
}

fn refuse(t: &mut Table, name: &str, connect: Connect) {
    t.open(name);
    t.send(name, Packet::Connect(Box::new(connect)));
    match t.next_packet(name) {
        Packet::Connack(connack) => assert_eq!((connack.reason_code, connack.session_present), (FULL, false)),
        other => panic!("{other:?} in place of a connack"),
    }
    t.expect(name, Seen::Closed(Close::Refused(FULL)));
    t.cut(name);
}

fn with_will(connect: Connect) -> Connect {
    let will = Will {
        topic: TopicName::new("will").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: Properties::new(),
    };
    Connect {
        will: Some(will),
        ..connect
    }
}

/// [MQTT-3.1.2-23] [v3 MQTT-4.1.0-1]
#[test]
fn no_session_begins_or_goes_on_that_could_not_be_kept() {
    for version in Version::ALL {
        let mut t = stalled(version);
        for connect in [
            t.persistent("new"),
            with_will(t.clean("new")),
            t.persistent("away"),
            t.clean("away"),
        ] {
            refuse(&mut t, "c", connect);
        }
        assert_eq!(t.out.records, 0);
        t.handle(Input::StoreRecovered);
        let persistent = t.persistent("away");
        assert!(t.connect_as("away", persistent), "its session waited");
    }
}

#[test]
fn a_session_that_is_kept_gets_no_subscription() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let persistent = t.persistent("kept");
        t.connect_as("kept", persistent);
        t.handle(Input::StoreFailed);
        t.out.records = 0;
        t.send("kept", subscribe("t", SubscriptionOptions::default()));
        match t.next_packet("kept") {
            Packet::Suback(suback) => assert_eq!(suback.reason_codes, [FULL]),
            other => panic!("{other:?} in place of a suback"),
        }
        assert_eq!((t.out.records, t.counts().subscriptions), (0, 0));
        t.handle(Input::StoreRecovered);
        t.subscribe("kept", "t", Qos::ExactlyOnce);
    }
}

/// [MQTT-4.3.3-8] [MQTT-4.3.3-9] [MQTT-4.3.3-10]
#[test]
fn a_qos_2_exchange_that_was_begun_goes_on_and_another_does_not_begin() {
    let mut t = Table::new(Version::V5);
    for name in ["pub", "sub"] {
        let persistent = t.persistent(name);
        t.connect_as(name, persistent);
    }
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    let message = |id| Packet::Publish(publish("t", "x", delivery(Qos::ExactlyOnce, id)));
    t.send("pub", message(1));
    t.expect_packet("pub", Packet::Pubrec(ack(1)));
    assert_eq!(t.next_publish("sub").payload, "x");
    t.handle(Input::StoreFailed);
    t.send("pub", message(1));
    t.expect_packet("pub", Packet::Pubrec(ack(1)));
    t.send("pub", Packet::Pubrel(ack(1)));
    t.expect_packet("pub", Packet::Pubcomp(ack(1)));
    t.send("sub", Packet::Pubrec(ack(1)));
    t.expect_packet("sub", Packet::Pubrel(ack(1)));
    t.send("sub", Packet::Pubcomp(ack(1)));
    t.send("pub", message(2));
    t.expect_explained("pub", Packet::Pubrec(Ack::of(id(2), FULL)));
    t.expect_nothing("sub");
    t.handle(Input::StoreRecovered);
    t.send("pub", message(2));
    t.expect_packet("pub", Packet::Pubrec(ack(2)));
    assert_eq!(t.take_payloads("sub"), ["x"]);
    assert_eq!(t.out.saved.delivery_count(), 0);
}

/// [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8]
#[test]
fn a_will_is_published_all_the_same() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let persistent = t.persistent("away");
        t.connect_as("away", persistent.clone());
        t.subscribe("away", "will", Qos::AtLeastOnce);
        t.disconnect("away");
        let mortal = with_will(t.clean("mortal"));
        t.connect_as("mortal", mortal);
        t.handle(Input::StoreFailed);
        t.cut("mortal");
        assert_eq!(t.out.saved.delivery_count(), 1);
        t.handle(Input::StoreRecovered);
        assert!(t.connect_as("away", persistent));
        assert_eq!(t.take_payloads("away"), ["gone"]);
    }
}
