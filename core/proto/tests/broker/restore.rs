//! The broker's process dies, and another begins with what the records came to.

use std::time::Duration;

use squall_proto::{
    Ack, Binary, Connect, Delivery, Disconnect, Packet, Property, Publish, Qos, ReasonCode, SubscriptionId,
    SubscriptionOptions, TopicName, Version, Will,
    broker::{Limits, Saved},
};

use crate::table::{Table, ack, delivery, id, publish, subscribe, unsubscribe};

const SECOND: Duration = Duration::from_secs(1);
const ACKNOWLEDGED: [Qos; 2] = [Qos::AtLeastOnce, Qos::ExactlyOnce];

/// A subscriber with a session to keep, and a publisher without.
fn subscribed(version: Version, qos: Qos) -> Table {
    let mut t = Table::new(version);
    t.connect_as("sub", t.persistent("sub"));
    t.subscribe("sub", "t", qos);
    t.connect("pub");
    t
}

/// CONNECT of a session that outlives its connection by so many seconds.
fn expiring(t: &Table, client_id: &str, seconds: u32) -> Connect {
    Connect {
        clean_start: false,
        properties: [Property::SessionExpiryInterval(seconds)].into_iter().collect(),
        ..t.clean(client_id)
    }
}

fn will(delay: Option<u32>, retain: bool) -> Will {
    Will {
        topic: TopicName::new("will").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtLeastOnce,
        retain,
        properties: delay.map(Property::WillDelayInterval).into_iter().collect(),
    }
}

fn retained(topic: &str, payload: &'static str) -> Packet {
    Packet::Publish(Publish {
        retain: true,
        ..publish(topic, payload, Delivery::AtMostOnce)
    })
}

fn lasting(payload: &'static str, seconds: u32) -> Publish {
    Publish {
        properties: [Property::MessageExpiryInterval(seconds)].into_iter().collect(),
        ..publish("t", payload, Delivery::AtLeastOnce(id(7)))
    }
}

/// What is left once everybody is gone who has no session to keep.
fn assert_nothing_is_left(t: &Table) {
    assert_eq!(t.out.saved, Saved::new());
}

/// [MQTT-3.1.2-23] [MQTT-3.2.2-3] [v3 MQTT-3.1.2-4] [v3 MQTT-3.2.2-2]
#[test]
fn a_session_and_its_subscriptions_outlive_the_process() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::ExactlyOnce);
        t.crash(SECOND);
        assert!(t.connect_as("sub", t.persistent("sub")));
        t.connect("pub");
        t.send(
            "pub",
            Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(7)))),
        );
        assert_eq!(
            t.next_publish("sub"),
            publish("t", "x", Delivery::ExactlyOnce(id(1)))
        );
    }
}

#[test]
fn the_options_of_a_subscription_and_its_identifier_outlive_the_process() {
    let mut t = Table::new(Version::V5);
    t.connect_as("sub", t.persistent("sub"));
    let options = SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        no_local: true,
        retain_as_published: true,
        ..SubscriptionOptions::default()
    };
    let Packet::Subscribe(mut packet) = subscribe("t", options) else {
        panic!("a subscribe")
    };
    let five = Property::SubscriptionIdentifier(SubscriptionId::new(5).unwrap());
    packet.properties.push(five.clone());
    t.send("sub", Packet::Subscribe(packet));
    t.crash(SECOND);
    t.connect_as("sub", t.persistent("sub"));
    t.send("sub", Packet::Publish(publish("t", "own", Delivery::AtMostOnce)));
    t.expect_nothing("sub");
    t.connect("pub");
    t.send("pub", retained("t", "x"));
    let wanted = Publish {
        retain: true,
        properties: [five].into_iter().collect(),
        ..publish("t", "x", Delivery::AtMostOnce)
    };
    assert_eq!(t.next_publish("sub"), wanted);
}

/// [MQTT-3.10.4-2] [v3 MQTT-3.10.4-2]
#[test]
fn what_was_unsubscribed_stays_so() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::ExactlyOnce);
        t.send("sub", unsubscribe("t"));
        t.crash(SECOND);
        assert!(t.connect_as("sub", t.persistent("sub")));
        t.connect("pub");
        t.send("pub", Packet::Publish(publish("t", "x", Delivery::AtMostOnce)));
        t.expect_nothing("sub");
    }
}

/// [MQTT-4.5.0-1] [v3 MQTT-4.5.0-1]
#[test]
fn messages_that_wait_for_a_session_are_sent_in_their_order_by_the_next_process() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::ExactlyOnce);
        t.cut("sub");
        for (payload, qos) in [
            ("1", Qos::AtLeastOnce),
            ("0", Qos::AtMostOnce),
            ("2", Qos::ExactlyOnce),
        ] {
            t.send("pub", Packet::Publish(publish("t", payload, delivery(qos, 7))));
        }
        t.crash(SECOND);
        t.crash(SECOND);
        t.connect_as("sub", t.persistent("sub"));
        assert_eq!(t.take_payloads("sub"), ["1", "2"]);
        assert_eq!(t.counts().unfinished_messages, 0);
        assert_eq!(
            (t.out.saved.delivery_count(), t.out.saved.message_count()),
            (0, 0)
        );
    }
}

/// [MQTT-3.3.1-1] [MQTT-4.4.0-1] [v3 MQTT-3.3.1-1] [v3 MQTT-4.4.0-1]
#[test]
fn what_was_sent_is_sent_again_with_dup_and_its_packet_identifier() {
    for version in Version::ALL {
        for qos in ACKNOWLEDGED {
            let mut t = subscribed(version, qos);
            for payload in ["a", "b", "c"] {
                t.send("pub", Packet::Publish(publish("t", payload, delivery(qos, 7))));
                if qos == Qos::ExactlyOnce {
                    t.send("pub", Packet::Pubrel(ack(7)));
                }
            }
            let sent = [(); 3].map(|()| t.next_publish("sub"));
            let answer = if qos == Qos::AtLeastOnce {
                Packet::Puback
            } else {
                Packet::Pubrec
            };
            t.send("sub", answer(ack(2)));
            t.crash(SECOND);
            t.connect_as("sub", t.persistent("sub"));
            if qos == Qos::ExactlyOnce {
                t.expect_packet("sub", Packet::Pubrel(ack(2)));
            }
            for before in [&sent[0], &sent[2]] {
                let again = Publish {
                    dup: true,
                    ..before.clone()
                };
                assert_eq!(t.next_publish("sub"), again);
            }
            t.expect_nothing("sub");
        }
    }
}

/// [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2]
#[test]
fn a_qos_2_message_that_was_taken_is_not_taken_again_by_the_next_process() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::ExactlyOnce);
        t.connect_as("keeper", t.persistent("keeper"));
        let first = publish("t", "x", Delivery::ExactlyOnce(id(7)));
        t.send("keeper", Packet::Publish(first.clone()));
        t.crash(SECOND);
        t.connect_as("keeper", t.persistent("keeper"));
        t.send("keeper", Packet::Publish(Publish { dup: true, ..first }));
        t.expect_packet("keeper", Packet::Pubrec(ack(7)));
        t.send("keeper", Packet::Pubrel(ack(7)));
        t.expect_packet("keeper", Packet::Pubcomp(ack(7)));
        t.crash(SECOND);
        t.connect_as("keeper", t.persistent("keeper"));
        let second = publish("t", "y", Delivery::ExactlyOnce(id(7)));
        t.send("keeper", Packet::Publish(second));
        t.connect_as("sub", t.persistent("sub"));
        assert_eq!(t.take_payloads("sub"), ["x", "y"]);
    }
}

/// [MQTT-3.3.1-5] [MQTT-3.3.1-6] [v3 MQTT-3.1.2-7] [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-10]
#[test]
fn retained_messages_outlive_the_process_and_those_that_were_removed_do_not_come_back() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("pub");
        for (topic, payload) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("b", "")] {
            t.send("pub", retained(topic, payload));
        }
        t.crash(SECOND);
        assert_eq!(
            (t.counts().retained_messages, t.out.saved.message_count()),
            (2, 2)
        );
        t.connect("sub");
        t.subscribe("sub", "#", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("sub"), ["2", "1"]);
    }
}

/// [MQTT-3.3.2-5] [MQTT-3.3.2-6]
#[test]
fn the_time_that_no_process_ran_counts_for_messages() {
    let mut t = subscribed(Version::V5, Qos::AtLeastOnce);
    t.cut("sub");
    for (payload, seconds) in [("short", 5), ("long", 50)] {
        let message = lasting(payload, seconds);
        t.send(
            "pub",
            Packet::Publish(Publish {
                retain: true,
                topic: Some(TopicName::new(&format!("r/{payload}")).unwrap()),
                ..message.clone()
            }),
        );
        t.send("pub", Packet::Publish(message));
    }
    t.wait(2 * SECOND);
    t.crash(10 * SECOND);
    assert_eq!(t.counts().retained_messages, 1);
    assert_eq!(
        (t.out.saved.delivery_count(), t.out.saved.retained_count()),
        (1, 1)
    );
    t.connect_as("sub", t.persistent("sub"));
    let left = t.next_publish("sub");
    assert_eq!(
        (left.properties.message_expiry_interval(), &*left.payload),
        (Some(38), b"long".as_slice())
    );
    t.expect_nothing("sub");
}

/// [MQTT-3.1.2-23]
#[test]
fn a_session_expires_by_the_time_since_its_connection_ended_processes_or_not() {
    let mut t = Table::new(Version::V5);
    for client_id in ["gone", "kept", "connected"] {
        t.connect_as(client_id, expiring(&t, client_id, 60));
    }
    t.cut("gone");
    t.wait(30 * SECOND);
    t.cut("kept");
    t.crash(40 * SECOND);
    assert_eq!(t.out.saved.session_count(), 2);
    assert!(!t.connect_as("gone", expiring(&t, "gone", 60)));
    // Nobody knows when the process died: who was connected has lost its connection now.
    t.wait(19 * SECOND);
    assert_eq!(t.counts().sessions, 3);
    t.wait(2 * SECOND);
    assert_eq!(t.counts().sessions, 2);
    t.crash(38 * SECOND);
    assert!(t.connect_as("connected", expiring(&t, "connected", 60)));
    t.cut("connected");
    t.crash(61 * SECOND);
    assert_nothing_is_left(&t);
}

#[test]
fn a_wall_clock_that_went_back_prolongs_no_session_and_no_will() {
    let mut t = Table::new(Version::V5);
    t.wait(1000 * SECOND);
    let connect = Connect {
        will: Some(will(Some(20), true)),
        ..expiring(&t, "a", 60)
    };
    t.connect_as("a", connect);
    t.cut("a");
    t.now = squall_proto::Instant::ZERO;
    t.crash(Duration::ZERO);
    t.wait(21 * SECOND);
    assert_eq!((t.counts().retained_messages, t.counts().sessions), (1, 1));
    t.wait(40 * SECOND);
    assert_eq!(t.counts().sessions, 0);
}

/// [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6]
#[test]
fn a_session_that_ended_leaves_nothing_behind() {
    for version in Version::ALL {
        for qos in ACKNOWLEDGED {
            let mut t = subscribed(version, qos);
            let publish = Packet::Publish(publish("t", "x", delivery(qos, 7)));
            for _ in 0..3 {
                t.send("pub", publish.clone());
                t.send("pub", Packet::Pubrel(ack(7)));
            }
            t.send(
                "sub",
                Packet::Publish(crate::table::publish("t", "y", Delivery::ExactlyOnce(id(9)))),
            );
            if qos == Qos::ExactlyOnce {
                t.send("sub", Packet::Pubrec(ack(1)));
            }
            t.cut("sub");
            t.send("pub", publish);
            assert!(t.out.saved.delivery_count() > 3);
            assert!(!t.connect_as("sub", t.clean("sub")));
            assert_nothing_is_left(&t);
            t.crash(SECOND);
            assert!(!t.connect_as("sub", t.persistent("sub")));
        }
    }
}

#[test]
fn a_session_whose_client_says_that_it_ends_leaves_nothing_behind() {
    let mut t = subscribed(Version::V5, Qos::AtLeastOnce);
    let mut disconnect = Disconnect::of(ReasonCode::Success);
    disconnect.properties.push(Property::SessionExpiryInterval(0));
    t.send("sub", Packet::Disconnect(disconnect));
    assert_nothing_is_left(&t);
}

/// [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8]
#[test]
fn the_will_of_who_was_connected_is_published_by_the_next_process() {
    for version in Version::ALL {
        for keeps_session in [false, true] {
            let mut t = Table::new(version);
            t.connect_as("sub", t.persistent("sub"));
            t.subscribe("sub", "will", Qos::AtLeastOnce);
            let connect = if keeps_session {
                t.persistent("a")
            } else {
                t.clean("a")
            };
            t.connect_as(
                "a",
                Connect {
                    will: Some(will(None, false)),
                    ..connect
                },
            );
            t.crash(SECOND);
            assert_eq!(t.out.saved.session_count(), 1 + usize::from(keeps_session));
            t.crash(SECOND);
            t.connect_as("sub", t.persistent("sub"));
            assert_eq!(t.take_payloads("sub"), ["gone"]);
        }
    }
}

/// [MQTT-3.1.2-10] [v3 MQTT-3.1.2-10]
#[test]
fn a_will_that_was_discarded_is_not_published_by_the_next_process() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect_as("sub", t.persistent("sub"));
        t.subscribe("sub", "will", Qos::AtLeastOnce);
        for client_id in ["a", "b"] {
            let connect = Connect {
                will: Some(will(None, false)),
                ..t.persistent(client_id)
            };
            t.connect_as(client_id, connect);
        }
        t.disconnect("a");
        t.cut("b");
        t.connect_as("b", t.persistent("b"));
        t.crash(SECOND);
        t.connect_as("sub", t.persistent("sub"));
        assert_eq!(t.take_payloads("sub"), ["gone"]);
    }
}

/// [MQTT-3.1.3-9]
#[test]
fn a_will_delay_goes_on_while_no_process_runs() {
    for (down, is_published) in [(10, false), (31, true)] {
        let mut t = Table::new(Version::V5);
        let connect = Connect {
            will: Some(will(Some(30), true)),
            ..t.persistent("a")
        };
        t.connect_as("a", connect.clone());
        t.cut("a");
        t.crash(down * SECOND);
        assert_eq!(t.counts().retained_messages, usize::from(is_published));
        t.connect_as("a", connect);
        t.crash(SECOND);
        t.crash(28 * SECOND);
        assert_eq!(t.counts().retained_messages, usize::from(is_published));
        t.crash(2 * SECOND);
        assert_eq!(t.counts().retained_messages, 1);
    }
}

#[test]
fn what_a_shared_subscription_left_undelivered_is_handed_on_by_the_next_process() {
    let mut t = Table::new(Version::V5);
    t.connect_as("a", expiring(&t, "a", 60));
    t.subscribe("a", "$share/g/t", Qos::AtLeastOnce);
    t.cut("a");
    t.connect("pub");
    for payload in ["1", "2"] {
        t.send(
            "pub",
            Packet::Publish(publish("t", payload, Delivery::AtLeastOnce(id(7)))),
        );
    }
    t.crash(SECOND);
    t.connect_as("b", t.persistent("b"));
    t.subscribe("b", "$share/g/t", Qos::AtLeastOnce);
    t.expect_nothing("b");
    t.wait(60 * SECOND);
    assert_eq!(t.take_payloads("b"), ["1", "2"]);
    assert_eq!(
        (t.out.saved.delivery_count(), t.out.saved.message_count()),
        (0, 0)
    );
}

/// A message for many is on record once, and is forgotten with the last delivery.
#[test]
fn a_message_for_a_thousand_sessions_is_on_record_once() {
    let mut t = Table::new(Version::V3_1_1);
    let names: Vec<String> = (0..1000).map(|n| format!("c{n}")).collect();
    for name in &names {
        t.connect_as(name, t.persistent(name));
        t.subscribe(name, "t", Qos::AtLeastOnce);
        t.cut(name);
    }
    t.connect("pub");
    let before = t.out.records;
    t.send(
        "pub",
        Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(7)))),
    );
    assert_eq!(t.out.records - before, 1001);
    assert_eq!(
        (t.out.saved.delivery_count(), t.out.saved.message_count()),
        (1000, 1)
    );
    t.crash(SECOND);
    for name in &names {
        assert_eq!(t.out.saved.message_count(), 1);
        t.connect_as(name, t.persistent(name));
        assert_eq!(t.take_payloads(name), ["x"]);
    }
    assert_eq!(
        (t.out.saved.delivery_count(), t.out.saved.message_count()),
        (0, 0)
    );
}

#[test]
fn sessions_that_end_with_their_connection_make_no_records() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        for name in ["sub", "pub"] {
            t.connect(name);
            t.subscribe(name, "t", Qos::ExactlyOnce);
        }
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            t.send("pub", Packet::Publish(publish("t", "x", delivery(qos, 7))));
            t.send("pub", Packet::Pubrel(ack(7)));
        }
        assert_eq!(t.take_payloads("sub").len(), 3);
        t.send("pub", unsubscribe("t"));
        t.disconnect("sub");
        assert_eq!(t.out.records, 0);
    }
}

/// What does not fit, what expires, what is refused and what nobody has room for is as finished on record as it is in memory.
#[test]
fn what_is_dropped_is_finished_on_record() {
    let mut t = Table::with_limits(
        Version::V5,
        Limits {
            queued_messages: 2,
            ..Limits::default()
        },
    );
    let mut connect = t.persistent("sub");
    connect
        .properties
        .push(Property::ReceiveMaximum(1.try_into().unwrap()));
    connect
        .properties
        .push(Property::MaximumPacketSize(100.try_into().unwrap()));
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    t.connect("pub");
    let large = Box::leak("x".repeat(200).into_boxed_str());
    t.send(
        "pub",
        Packet::Publish(publish("t", large, Delivery::AtLeastOnce(id(7)))),
    );
    assert_eq!(t.out.saved.delivery_count(), 0);
    t.send(
        "pub",
        Packet::Publish(publish("t", "refused", Delivery::ExactlyOnce(id(7)))),
    );
    for payload in ["1", "2", "3"] {
        t.send("pub", Packet::Publish(lasting(payload, 5)));
    }
    assert_eq!(t.out.saved.delivery_count(), 3);
    let refused = t.next_publish("sub").delivery.packet_id().unwrap();
    t.wait(10 * SECOND);
    t.send("sub", Packet::Pubrec(Ack::of(refused, ReasonCode::QuotaExceeded)));
    assert_eq!(
        (t.out.saved.delivery_count(), t.out.saved.message_count()),
        (0, 0)
    );
    t.expect_nothing("sub");
}
