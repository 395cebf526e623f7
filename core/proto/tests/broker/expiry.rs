//! Message Expiry Interval on every way a message can take.

use std::time::Duration;

use squall_proto::{
    Binary, Connect, Delivery, Packet, Properties, Property, Publish, Qos, ReasonCode, TopicName, Version,
    Will,
    broker::{Drop, Limits, Note},
};

use crate::table::{Table, ack, id, publish};

fn expiring(payload: &'static str, seconds: u32, delivery: Delivery) -> Publish {
    Publish {
        properties: interval(seconds),
        ..publish("t", payload, delivery)
    }
}

fn interval(seconds: u32) -> Properties {
    [Property::MessageExpiryInterval(seconds)].into_iter().collect()
}

/// A session of `sub`, subscribed, and a publisher.
fn table(limits: Limits) -> Table {
    let mut t = Table::with_limits(Version::V5, limits);
    connect(&mut t);
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    t.connect("pub");
    t
}

fn connect(t: &mut Table) {
    let connect = t.persistent("sub");
    t.connect_as("sub", connect);
}

fn say(t: &mut Table, publish: Publish) {
    t.send("pub", Packet::Publish(publish));
    t.next_packet("pub");
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// [MQTT-3.3.2-6]
#[test]
fn what_is_left_of_the_interval_is_forwarded_after_a_wait() {
    for (waited, left) in [(0, 5), (1, 4), (4, 1), (5, 0)] {
        let mut t = table(Limits::default());
        t.cut("sub");
        say(&mut t, expiring("x", 5, Delivery::AtLeastOnce(id(7))));
        t.wait(seconds(waited));
        connect(&mut t);
        assert_eq!(t.next_publish("sub").properties, interval(left));
    }
}

/// [MQTT-3.3.2-5]
#[test]
fn an_interval_of_zero_reaches_who_is_there_and_nobody_later() {
    for (qos, delivery) in [(0, Delivery::AtMostOnce), (1, Delivery::AtLeastOnce(id(7)))] {
        let mut t = table(Limits::default());
        t.send("pub", Packet::Publish(expiring("x", 0, delivery)));
        assert_eq!(t.next_publish("sub").properties, interval(0), "qos {qos}");
        t.cut("sub");
        t.send("pub", Packet::Publish(expiring("y", 0, delivery)));
        t.wait(seconds(1));
        connect(&mut t);
        t.send("sub", Packet::Puback(ack(1)));
        assert!(!t.take_payloads("sub").contains(&"y".into()), "qos {qos}");
    }
}

/// [MQTT-3.3.2-5]
#[test]
fn what_has_expired_takes_no_room_in_a_full_queue() {
    let limits = Limits {
        queued_messages: 3,
        ..Limits::default()
    };
    let mut t = table(limits);
    t.cut("sub");
    for (payload, interval) in [("lasts", 100), ("a", 1), ("b", 2)] {
        say(&mut t, expiring(payload, interval, Delivery::AtLeastOnce(id(7))));
    }
    say(&mut t, expiring("too many", 100, Delivery::AtLeastOnce(id(7))));
    t.wait(seconds(3));
    for payload in ["c", "d"] {
        say(&mut t, publish("t", payload, Delivery::AtLeastOnce(id(7))));
    }
    connect(&mut t);
    assert_eq!(t.take_payloads("sub"), ["lasts", "c", "d"]);
    let why = |note: &Note| match note {
        Note::Dropped { why, .. } => Some(*why),
        _ => None,
    };
    let dropped: Vec<Drop> = t.out.notes.iter().filter_map(why).collect();
    assert_eq!(dropped, [Drop::QueueFull, Drop::Expired, Drop::Expired]);
}

/// A QoS 2 exchange that has begun goes on, whatever the message says. [MQTT-4.3.3-7]
#[test]
fn nothing_expires_in_the_middle_of_its_exchange() {
    for (qos, delivery) in [
        (Qos::AtLeastOnce, Delivery::AtLeastOnce(id(7))),
        (Qos::ExactlyOnce, Delivery::ExactlyOnce(id(7))),
    ] {
        let mut t = table(Limits::default());
        say(&mut t, expiring("x", 1, delivery));
        t.next_publish("sub");
        t.cut("sub");
        t.wait(seconds(9));
        connect(&mut t);
        let again = t.next_publish("sub");
        assert!(again.dup && again.delivery.qos() == qos);
        assert_eq!(again.properties, interval(0));
        if qos == Qos::ExactlyOnce {
            t.send("sub", Packet::Pubrec(ack(1)));
            t.expect_packet("sub", Packet::Pubrel(ack(1)));
            t.send("sub", Packet::Pubcomp(ack(1)));
        }
        t.expect_nothing("sub");
    }
}

/// [MQTT-3.3.2-5] [MQTT-3.3.2-6]
#[test]
fn retained_messages_grow_old_and_expire_too() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    let retained = Publish {
        retain: true,
        ..expiring("x", 5, Delivery::AtMostOnce)
    };
    t.send("pub", Packet::Publish(retained));
    for (at, left) in [(2, Some(3)), (5, Some(0)), (6, None)] {
        t.wait(seconds(at) - (t.now - squall_proto::Instant::ZERO));
        let name = format!("sub{at}");
        t.connect(&name);
        t.subscribe(&name, "t", Qos::AtMostOnce);
        let seen = left.map(|_| t.next_publish(&name).properties);
        assert_eq!(seen, left.map(interval));
        t.expect_nothing(&name);
    }
}

#[test]
fn a_retained_message_that_has_expired_makes_room_for_another() {
    let limits = Limits {
        retained_messages: 1,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    t.connect("pub");
    let code = |t: &mut Table, topic, wait| {
        t.wait(seconds(wait));
        let retained = Publish {
            retain: true,
            topic: Some(TopicName::new(topic).unwrap()),
            ..expiring("x", 5, Delivery::AtLeastOnce(id(7)))
        };
        t.send("pub", Packet::Publish(retained));
        match t.next_packet("pub") {
            Packet::Puback(ack) => ack.reason_code,
            other => panic!("{other:?} in place of a puback"),
        }
    };
    assert_eq!(code(&mut t, "a", 0), ReasonCode::NoMatchingSubscribers);
    assert_eq!(code(&mut t, "b", 5), ReasonCode::QuotaExceeded);
    assert_eq!(code(&mut t, "b", 1), ReasonCode::NoMatchingSubscribers);
    assert_eq!(code(&mut t, "a", 1), ReasonCode::QuotaExceeded);
}

#[test]
fn the_interval_of_a_will_counts_from_its_publication() {
    let mut t = table(Limits::default());
    let will = Will {
        topic: TopicName::new("t").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: [
            Property::WillDelayInterval(10),
            Property::MessageExpiryInterval(5),
        ]
        .into_iter()
        .collect(),
    };
    let dying = Connect {
        will: Some(will),
        ..t.persistent("dying")
    };
    t.connect_as("dying", dying);
    t.cut("dying");
    t.cut("sub");
    t.wait(seconds(13));
    connect(&mut t);
    assert_eq!(t.next_publish("sub").properties, interval(2));
}
