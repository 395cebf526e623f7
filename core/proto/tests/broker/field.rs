//! Mistakes that brokers were seen to make in the field, each played to ours. `docs/BUGS.md` lists them all.

use std::time::Duration;

use squall_proto::{
    Binary, Connack, Connect, Delivery, Packet, Properties, Property, Publish, Qos, RetainHandling,
    Subscribe, SubscriptionId, SubscriptionOptions, Text, TopicFilter, TopicName, Version, Will,
    broker::{Counts, Limits},
};

use crate::table::{Seen, Table, ack, delivery, id, publish, subscribe};

fn with(mut connect: Connect, property: Property) -> Connect {
    connect.properties.push(property);
    connect
}

fn will(delay: u32, retain: bool) -> Will {
    Will {
        topic: TopicName::new("will").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtMostOnce,
        retain,
        properties: [Property::WillDelayInterval(delay)].into_iter().collect(),
    }
}

/// Each connection of a session counts anew.
#[test]
fn a_session_that_comes_and_goes_delivers_every_time() {
    for version in Version::ALL {
        let limits = Limits {
            inflight: 4,
            ..Limits::default()
        };
        let mut t = Table::with_limits(version, limits);
        t.connect("pub");
        for visit in 0..50_u16 {
            let connect = t.persistent("sub");
            assert_eq!(t.connect_as("sub", connect), visit > 0);
            if visit == 0 {
                t.subscribe("sub", "t", Qos::ExactlyOnce);
            }
            t.send(
                "pub",
                Packet::Publish(publish("t", "online", delivery(Qos::AtLeastOnce, 1))),
            );
            let expected: &[&str] = if visit == 0 {
                &["online"]
            } else {
                &["offline", "online"]
            };
            assert_eq!(t.take_payloads("sub"), expected, "visit {visit}");
            t.cut("sub");
            t.send(
                "pub",
                Packet::Publish(publish("t", "offline", delivery(Qos::ExactlyOnce, 2))),
            );
            t.send("pub", Packet::Pubrel(ack(2)));
        }
    }
}

#[test]
fn a_receive_maximum_of_1_lets_any_number_of_messages_through() {
    let limits = Limits {
        receive_maximum: 1,
        inflight: 1,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    t.connect("pub");
    let connect = with(t.clean("sub"), Property::ReceiveMaximum(1.try_into().unwrap()));
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    for n in 1..=100 {
        t.send(
            "pub",
            Packet::Publish(publish("t", "x", delivery(Qos::ExactlyOnce, n))),
        );
        t.expect_packet("pub", Packet::Pubrec(ack(n)));
        t.send("pub", Packet::Pubrel(ack(n)));
        t.expect_packet("pub", Packet::Pubcomp(ack(n)));
        assert_eq!(t.take_payloads("sub"), ["x"]);
    }
}

#[test]
fn what_is_kept_for_a_session_does_not_depend_on_its_name() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    let names: Vec<String> = (0..1000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9)))
        .collect();
    for name in &names {
        let connect = t.persistent(name);
        t.connect_as(name, connect);
        t.subscribe(name, "t", Qos::AtLeastOnce);
        t.cut(name);
    }
    t.send(
        "pub",
        Packet::Publish(publish("t", "x", delivery(Qos::AtLeastOnce, 1))),
    );
    for name in &names {
        let connect = t.persistent(name);
        assert!(t.connect_as(name, connect), "{name}");
        assert_eq!(t.take_payloads(name), ["x"], "{name}");
    }
}

/// [MQTT-3.1.4-3] [MQTT-3.1.2-8] [MQTT-3.2.2-3] A session without expiry ends with its connection, whether its client closes the old
/// connection before or after it makes the new one.
#[test]
fn a_session_without_expiry_is_inherited_by_nobody() {
    for closed_first in [true, false] {
        let mut t = Table::new(Version::V5);
        t.connect("watcher");
        t.subscribe("watcher", "will", Qos::AtMostOnce);
        let connect = Connect {
            clean_start: false,
            will: Some(will(10, false)),
            ..t.clean("c")
        };
        t.connect_as("c", connect);
        t.subscribe("c", "t", Qos::AtMostOnce);
        if closed_first {
            t.cut("c");
        } else {
            t.rename("c");
        }
        let again = Connect {
            clean_start: false,
            ..t.clean("c")
        };
        assert!(!t.connect_as("c", again), "the session is new");
        assert_eq!(t.next_publish("watcher").payload, "gone");
        t.send(
            "watcher",
            Packet::Publish(publish("t", "x", Delivery::AtMostOnce)),
        );
        t.expect_nothing("c");
    }
}

/// [v3 MQTT-3.1.2-8] [v3 MQTT-3.1.2-6]
#[test]
fn a_clean_start_that_takes_over_publishes_the_will_once() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("watcher");
        t.subscribe("watcher", "will", Qos::AtMostOnce);
        let connect = Connect {
            will: Some(Will {
                properties: Properties::new(),
                ..will(0, false)
            }),
            ..t.persistent("c")
        };
        t.connect_as("c", connect);
        t.rename("c");
        let clean = t.clean("c");
        assert!(!t.connect_as("c", clean));
        assert_eq!(t.next_publish("watcher").payload, "gone");
        t.cut("c");
        t.expect_nothing("watcher");
    }
}

/// [MQTT-4.1.0-2] [v3 MQTT-3.1.2-6]
#[test]
fn sessions_that_end_with_their_connection_leave_nothing() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        for _ in 0..50 {
            t.connect("c");
            t.subscribe("c", "t/#", Qos::AtLeastOnce);
            t.cut("c");
        }
        let nothing = Counts {
            connections: 0,
            sessions: 0,
            subscriptions: 0,
            shared_subscriptions: 0,
            retained_messages: 0,
            unfinished_messages: 0,
        };
        assert_eq!(t.counts(), nothing);
    }
}

/// [MQTT-3.1.2-23] [MQTT-4.1.0-2]
#[test]
fn the_longest_expiry_intervals_do_not_overflow() {
    const LONGEST: u32 = u32::MAX - 1;
    let mut t = Table::new(Version::V5);
    for (name, seconds) in [("long", LONGEST), ("for ever", u32::MAX)] {
        let connect = Connect {
            clean_start: false,
            ..with(t.clean(name), Property::SessionExpiryInterval(seconds))
        };
        t.connect_as(name, connect);
        t.cut(name);
    }
    t.wait(Duration::from_secs(u64::from(LONGEST) - 1));
    assert_eq!(t.counts().sessions, 2);
    t.wait(Duration::from_secs(2));
    assert_eq!(t.counts().sessions, 1, "the one without end");
}

#[test]
fn a_delay_that_disconnect_made_needless_leaves_later_connections_alone() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    for _ in 0..3 {
        let connect = Connect {
            will: Some(will(10, false)),
            ..t.persistent("c")
        };
        t.connect_as("c", connect);
        t.subscribe("c", "#", Qos::AtMostOnce);
        t.disconnect("c");
    }
    let connect = t.persistent("c");
    t.connect_as("c", connect);
    t.wait(Duration::from_secs(20));
    t.send("pub", Packet::Publish(publish("t", "x", Delivery::AtMostOnce)));
    assert_eq!(t.take_payloads("c"), ["x"], "the message and no Will");
}

/// [MQTT-3.1.2-15]
#[test]
fn a_delayed_will_is_retained_too() {
    let mut t = Table::new(Version::V5);
    let connect = Connect {
        will: Some(will(3, true)),
        ..t.persistent("c")
    };
    t.connect_as("c", connect);
    t.cut("c");
    t.wait(Duration::from_secs(4));
    t.connect("late");
    t.subscribe("late", "will", Qos::AtMostOnce);
    assert!(t.next_publish("late").retain);
}

/// [MQTT-3.3.4-3] [MQTT-3.3.2-6] A retained message takes the way of a live one.
#[test]
fn a_retained_message_has_the_subscriptions_identifier_and_what_is_left_of_its_expiry() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    let expiring = [Property::MessageExpiryInterval(120)].into_iter().collect();
    let retained = Publish {
        retain: true,
        properties: expiring,
        ..publish("t", "x", Delivery::AtMostOnce)
    };
    t.send("pub", Packet::Publish(retained));
    t.wait(Duration::from_secs(30));
    t.connect("sub");
    let identified = Property::SubscriptionIdentifier(SubscriptionId::new(42).unwrap());
    t.send(
        "sub",
        Packet::Subscribe(Subscribe {
            packet_id: id(1),
            filters: vec![(TopicFilter::new("t").unwrap(), SubscriptionOptions::default())],
            properties: [identified.clone()].into_iter().collect(),
        }),
    );
    t.next_packet("sub");
    let properties = t.next_publish("sub").properties;
    assert_eq!(properties.message_expiry_interval(), Some(90));
    assert!(
        properties.iter().any(|property| *property == identified),
        "{properties:?}"
    );
}

/// [MQTT-3.3.1-9] [MQTT-3.8.4-3] [v3 MQTT-3.8.4-3] Not on resuming, but on subscribing to the same filter again.
#[test]
fn a_resumed_session_that_subscribes_again_gets_retained_messages_again() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("pub");
        let retained = Publish {
            retain: true,
            ..publish("t", "x", Delivery::AtMostOnce)
        };
        t.send("pub", Packet::Publish(retained));
        let connect = t.persistent("sub");
        t.connect_as("sub", connect.clone());
        t.subscribe("sub", "t", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("sub"), ["x"]);
        t.cut("sub");
        t.connect_as("sub", connect);
        t.expect_nothing("sub");
        let options = SubscriptionOptions {
            retain_handling: RetainHandling::Send,
            ..SubscriptionOptions::default()
        };
        t.send("sub", subscribe("t", options));
        assert!(matches!(t.next_packet("sub"), Packet::Suback(_)));
        assert_eq!(t.take_payloads("sub"), ["x"]);
    }
}

#[test]
fn connack_has_the_brokers_own_receive_maximum() {
    for asked in [1, 5, u16::MAX] {
        let mut t = Table::with_limits(
            Version::V5,
            Limits {
                receive_maximum: 20,
                ..Limits::default()
            },
        );
        t.open("c");
        let connect = with(t.clean("c"), Property::ReceiveMaximum(asked.try_into().unwrap()));
        t.send("c", Packet::Connect(Box::new(connect)));
        let Some(Seen::Packet(Packet::Connack(Connack { properties, .. }))) = t.next("c") else {
            panic!("no connack")
        };
        assert_eq!(properties.receive_maximum().map(u16::from), Some(20));
    }
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25] Counted with the fixed header, at every QoS; what is left out takes no place.
#[test]
fn a_packet_of_exactly_the_maximum_size_goes_and_a_byte_more_does_not() {
    const PAYLOADS: [(&str, bool); 3] = [("0123456789", true), ("0123456789A", false), ("after it", true)];
    for qos in Qos::ALL {
        let identifier = if qos == Qos::AtMostOnce { 0 } else { 2 };
        // Type and length, topic length and topic, Packet Identifier, Property Length, payload.
        let size = 2 + 3 + identifier + 1 + 10;
        let mut t = Table::new(Version::V5);
        t.connect("pub");
        let connect = with(
            t.clean("sub"),
            Property::MaximumPacketSize(size.try_into().unwrap()),
        );
        let connect = with(connect, Property::ReceiveMaximum(1.try_into().unwrap()));
        t.connect_as("sub", connect);
        t.subscribe("sub", "t", qos);
        for (payload, fits) in PAYLOADS {
            t.send("pub", Packet::Publish(publish("t", payload, delivery(qos, 1))));
            t.send("pub", Packet::Pubrel(ack(1)));
            let expected: &[&str] = if fits { &[payload] } else { &[] };
            assert_eq!(t.take_payloads("sub"), expected, "{qos:?} {payload}");
        }
    }
}

/// [MQTT-4.8.2-4] The session is the same: what a member began stays with it, and nobody else gets it.
#[test]
fn a_member_that_is_taken_over_keeps_what_it_began() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    for name in ["a", "b"] {
        let connect = t.persistent(name);
        t.connect_as(name, connect);
        t.subscribe(name, "$share/g/t", Qos::AtLeastOnce);
    }
    for _ in 0..2 {
        t.send(
            "pub",
            Packet::Publish(publish("t", "x", delivery(Qos::AtLeastOnce, 1))),
        );
    }
    let begun = t.next_publish("a");
    t.rename("a");
    let connect = t.persistent("a");
    assert!(t.connect_as("a", connect));
    assert_eq!(t.next_publish("a"), Publish { dup: true, ..begun });
    assert_eq!(t.take_payloads("b"), ["x"], "its own and no more");
}

fn identified(filter: &str, subscription_id: u32) -> Packet {
    let options = SubscriptionOptions {
        qos: Qos::ExactlyOnce,
        ..SubscriptionOptions::default()
    };
    let named = Property::SubscriptionIdentifier(SubscriptionId::new(subscription_id).unwrap());
    Packet::Subscribe(Subscribe {
        packet_id: id(1),
        filters: vec![(TopicFilter::new(filter).unwrap(), options)],
        properties: [named].into_iter().collect(),
    })
}

fn identifiers(publish: &Publish) -> Vec<u32> {
    let ids = publish.properties.subscription_identifiers();
    ids.map(SubscriptionId::value).collect()
}

/// [MQTT-3.3.4-3] [MQTT-4.4.0-1]
#[test]
fn what_is_sent_again_has_the_identifiers_it_had() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    let connect = t.persistent("sub");
    t.connect_as("sub", connect.clone());
    t.send("sub", identified("t", 42));
    t.next_packet("sub");
    t.send(
        "pub",
        Packet::Publish(publish("t", "x", delivery(Qos::AtLeastOnce, 1))),
    );
    assert_eq!(identifiers(&t.next_publish("sub")), [42]);
    t.cut("sub");
    t.connect_as("sub", connect);
    let again = t.next_publish("sub");
    assert!(again.dup);
    assert_eq!(identifiers(&again), [42]);
}

/// [MQTT-3.3.4-3] Each client sees its own.
#[test]
fn a_delivery_has_no_identifier_of_another_client() {
    let mut t = Table::new(Version::V5);
    for (name, subscription_id) in [("a", 1), ("b", 2), ("c", 3)] {
        t.connect(name);
        t.send(name, identified("t", subscription_id));
        t.next_packet(name);
    }
    t.connect("pub");
    t.send("pub", Packet::Publish(publish("t", "x", Delivery::AtMostOnce)));
    for (name, subscription_id) in [("a", 1), ("b", 2), ("c", 3)] {
        assert_eq!(identifiers(&t.next_publish(name)), [subscription_id], "{name}");
    }
}

/// [MQTT-3.3.2-20] [MQTT-3.1.3-10] A Will is a message like any other, but for its delay.
#[test]
fn a_will_has_its_properties_in_their_order() {
    let user = |value| Property::UserProperty(Text::new("k").unwrap(), Text::new(value).unwrap());
    let own = [Property::PayloadFormatIndicator(true), user("1"), user("2")];
    let mut t = Table::new(Version::V5);
    t.connect("watcher");
    t.subscribe("watcher", "will", Qos::AtMostOnce);
    let mut will = will(0, false);
    own.iter()
        .for_each(|property| will.properties.push(property.clone()));
    let connect = Connect {
        will: Some(will),
        ..t.clean("c")
    };
    t.connect_as("c", connect);
    t.cut("c");
    let seen = t.next_publish("watcher").properties;
    assert_eq!(seen.iter().cloned().collect::<Vec<_>>(), own);
}

/// [MQTT-4.3.3-7] Once PUBLISH was sent, the exchange goes on to its end.
#[test]
fn a_qos_2_message_that_was_sent_does_not_expire() {
    let mut t = Table::new(Version::V5);
    t.connect("pub");
    let connect = t.persistent("sub");
    t.connect_as("sub", connect.clone());
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    let expiring = Publish {
        properties: [Property::MessageExpiryInterval(3)].into_iter().collect(),
        ..publish("t", "x", delivery(Qos::ExactlyOnce, 1))
    };
    t.send("pub", Packet::Publish(expiring));
    let first = t.next_publish("sub");
    t.cut("sub");
    t.wait(Duration::from_secs(10));
    t.connect_as("sub", connect);
    let again = t.next_publish("sub");
    assert_eq!((again.dup, again.delivery), (true, first.delivery));
    assert_eq!(again.properties.message_expiry_interval(), Some(0));
}
