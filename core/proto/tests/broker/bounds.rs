//! Every bound of [`Limits`]: what is at it is taken, what is one past it is refused as the limit says.

use std::time::Duration;

use squall_proto::{
    Ack, Binary, Connect, Delivery, Packet, Properties, Property, Publish, Qos, ReasonCode,
    SubscriptionOptions, Text, TopicAlias, TopicName, Version, Will,
    broker::{Close, Drop, Limits, Note},
};

use crate::table::{Seen, Table, delivery, id, publish, subscribe, unsubscribe};

fn limited(version: Version, change: impl FnOnce(&mut Limits)) -> Table {
    let mut limits = Limits::default();
    change(&mut limits);
    Table::with_limits(version, limits)
}

/// What becomes of a CONNECT; 3.1.1 has a CONNACK only for what it has a return code for.
fn connack(t: &mut Table, name: &str, connect: Connect) -> ReasonCode {
    t.open(name);
    t.send(name, Packet::Connect(Box::new(connect)));
    let connack = match t.next(name) {
        Some(Seen::Packet(Packet::Connack(connack))) => connack,
        Some(Seen::Closed(Close::Refused(reason_code))) => return reason_code,
        other => panic!("{other:?} in place of a connack"),
    };
    if connack.reason_code.is_error() {
        t.expect(name, Seen::Closed(Close::Refused(connack.reason_code)));
    }
    connack.reason_code
}

/// What becomes of a Topic Filter.
fn suback(t: &mut Table, name: &str, filter: &str) -> ReasonCode {
    t.send(name, subscribe(filter, SubscriptionOptions::default()));
    match t.next_packet(name) {
        Packet::Suback(suback) => suback.reason_codes[0],
        other => panic!("{other:?} in place of a suback"),
    }
}

/// What becomes of a retained message.
fn puback(t: &mut Table, topic: &str, payload: &'static str) -> ReasonCode {
    let mut sent = publish(topic, payload, Delivery::AtLeastOnce(id(5)));
    sent.retain = true;
    t.send("pub", Packet::Publish(sent));
    match t.next_packet("pub") {
        Packet::Puback(puback) => puback.reason_code,
        other => panic!("{other:?} in place of a puback"),
    }
}

fn will(topic: &str, payload: &str) -> Will {
    Will {
        topic: TopicName::new(topic).unwrap(),
        payload: Binary::new(payload.to_owned()).unwrap(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: Properties::new(),
    }
}

fn with_will(t: &Table, will: Will) -> Connect {
    Connect {
        will: Some(will),
        ..t.clean("a")
    }
}

fn user_properties(count: usize) -> Properties {
    let text = || Text::new("x").unwrap();
    (0..count)
        .map(|_| Property::UserProperty(text(), text()))
        .collect()
}

#[test]
fn one_connection_too_many_is_refused() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| limits.connections = 2);
        for (name, wanted) in [
            ("a", ReasonCode::Success),
            ("b", ReasonCode::Success),
            ("c", ReasonCode::QuotaExceeded),
        ] {
            let connect = t.clean(name);
            assert_eq!(connack(&mut t, name, connect), wanted, "{name}");
        }
    }
}

/// A second's worth may come at once; it comes back by and by.
#[test]
fn one_connection_too_many_in_a_second_is_refused() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| limits.connections_per_second = 2);
        for (name, waited_ms, wanted) in [
            ("a", 0, ReasonCode::Success),
            ("b", 0, ReasonCode::Success),
            ("c", 0, ReasonCode::ConnectionRateExceeded),
            ("d", 499, ReasonCode::ConnectionRateExceeded),
        ] {
            t.wait(Duration::from_millis(waited_ms));
            let connect = t.clean(name);
            assert_eq!(connack(&mut t, name, connect), wanted, "{name}");
        }
        t.wait(Duration::from_millis(1));
        t.connect("e");
    }
}

#[test]
fn one_session_too_many_is_refused_and_those_there_are_go_on() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| limits.sessions = 2);
        for name in ["a", "b"] {
            let connect = t.persistent(name);
            t.connect_as(name, connect);
            t.cut(name);
        }
        let connect = t.clean("c");
        assert_eq!(connack(&mut t, "c", connect), ReasonCode::QuotaExceeded);
        let back = t.persistent("a");
        assert!(t.connect_as("a", back));
        // In the place of its own session, and then none is left of it.
        t.connect("b");
        t.cut("b");
        t.connect("d");
    }
}

#[test]
fn a_connection_has_its_time_for_connect_and_no_more() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| limits.connect_timeout = Duration::from_secs(3));
        t.open("in time");
        t.open("late");
        t.wait(Duration::from_micros(2_999_999));
        let connect = t.clean("in time");
        t.send("in time", Packet::Connect(Box::new(connect)));
        assert!(matches!(
            t.next("in time"),
            Some(Seen::Packet(Packet::Connack(_)))
        ));
        t.expect_nothing("late");
        t.wait(Duration::from_micros(1));
        assert!(matches!(t.next("late"), Some(Seen::Closed(Close::Refused(_)))));
        t.expect_nothing("in time");
    }
}

#[test]
fn a_topic_too_long_or_too_deep_is_refused() {
    for (topic, is_right) in [
        ("a/b/cdef", true),
        ("a/b/cdefg", false),
        ("a/b/c/", false),
        ("////", false),
    ] {
        for version in Version::ALL {
            let limits = |limits: &mut Limits| (limits.topic_bytes, limits.topic_levels) = (8, 3);
            let mut t = limited(version, limits);
            t.connect("a");
            t.send("a", Packet::Publish(publish(topic, "x", Delivery::AtMostOnce)));
            if is_right {
                t.expect_nothing("a");
            } else {
                t.expect_refused("a", ReasonCode::TopicNameInvalid);
            }
            t.connect("b");
            assert_eq!(
                suback(&mut t, "b", topic) != ReasonCode::TopicFilterInvalid,
                is_right
            );
            let connect = with_will(&t, will(topic, "x"));
            assert_eq!(
                connack(&mut t, "c", connect) != ReasonCode::TopicNameInvalid,
                is_right
            );
        }
    }
}

#[test]
fn the_share_name_counts_among_the_bytes_of_a_filter_and_not_among_its_levels() {
    let mut t = limited(Version::V5, |limits| {
        (limits.topic_bytes, limits.topic_levels) = (12, 2)
    });
    t.connect("a");
    assert_eq!(suback(&mut t, "a", "$share/g/a/b"), ReasonCode::Success);
    assert_eq!(
        suback(&mut t, "a", "$share/gg/a/b"),
        ReasonCode::TopicFilterInvalid
    );
}

#[test]
fn one_subscription_too_many_is_refused() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| {
            (limits.subscriptions, limits.subscriptions_total) = (2, 3);
        });
        t.connect("a");
        t.connect("b");
        for (name, filter, wanted) in [
            ("a", "1", ReasonCode::Success),
            ("a", "2", ReasonCode::Success),
            ("a", "3", ReasonCode::QuotaExceeded),
            ("a", "1", ReasonCode::Success),
            ("b", "1", ReasonCode::Success),
            ("b", "2", ReasonCode::QuotaExceeded),
            ("b", "1", ReasonCode::Success),
        ] {
            assert_eq!(suback(&mut t, name, filter), wanted, "{name} {filter}");
        }
        t.send("a", unsubscribe("1"));
        t.next_packet("a");
        assert_eq!(suback(&mut t, "b", "2"), ReasonCode::Success);
        t.cut("a");
        t.connect("c");
        assert_eq!(suback(&mut t, "c", "1"), ReasonCode::Success, "a's are gone");
    }
}

#[test]
fn a_queue_takes_so_many_messages_and_so_many_bytes() {
    let sent = ["1", "2", "3"];
    for version in Version::ALL {
        // A topic of one byte and a payload of one.
        for (messages, bytes, kept) in [(3, 6, 3), (2, 6, 2), (3, 5, 2), (0, 6, 0)] {
            let mut t = limited(version, |limits| {
                (limits.queued_messages, limits.queued_bytes) = (messages, bytes);
            });
            let connect = t.persistent("sub");
            t.connect_as("sub", connect);
            t.subscribe("sub", "t", Qos::AtLeastOnce);
            t.cut("sub");
            t.connect("pub");
            for payload in sent {
                t.send(
                    "pub",
                    Packet::Publish(publish("t", payload, delivery(Qos::AtLeastOnce, 5))),
                );
            }
            let dropped = |note: &&Note| {
                matches!(
                    note,
                    Note::Dropped {
                        why: Drop::QueueFull,
                        ..
                    }
                )
            };
            assert_eq!(t.out.notes.iter().filter(dropped).count(), 3 - kept);
            let back = t.persistent("sub");
            t.connect_as("sub", back);
            assert_eq!(t.take_payloads("sub"), sent[..kept]);
        }
    }
}

#[test]
fn properties_count_among_the_bytes_of_a_queue() {
    let mut t = limited(Version::V5, |limits| limits.queued_bytes = 10);
    let connect = t.persistent("sub");
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", Qos::AtLeastOnce);
    t.cut("sub");
    t.connect("pub");
    // A topic of one byte, User Properties of seven each, a payload of one or two.
    for payload in ["12", "123"] {
        let mut sent = publish("t", payload, Delivery::AtLeastOnce(id(5)));
        sent.properties = user_properties(1);
        t.send("pub", Packet::Publish(sent));
        let back = t.persistent("sub");
        t.connect_as("sub", back);
        assert_eq!(t.take_payloads("sub").len(), usize::from(payload == "12"));
        t.cut("sub");
    }
}

#[test]
fn no_more_messages_are_under_way_than_the_limit() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| limits.inflight = 2);
        t.connect("sub");
        t.subscribe("sub", "t", Qos::ExactlyOnce);
        t.connect("pub");
        for (payload, qos) in [
            ("1", Qos::AtLeastOnce),
            ("2", Qos::ExactlyOnce),
            ("3", Qos::AtLeastOnce),
        ] {
            t.send("pub", Packet::Publish(publish("t", payload, delivery(qos, 5))));
        }
        let first = t.next_publish("sub");
        t.next_publish("sub");
        t.expect_nothing("sub");
        let ack = Ack::success(first.delivery.packet_id().unwrap());
        t.send("sub", Packet::Puback(ack));
        assert_eq!(t.next_publish("sub").payload, "3");
    }
}

#[test]
fn unsent_bytes_have_two_bounds() {
    for version in Version::ALL {
        let mut t = limited(version, |limits| {
            (limits.unsent_bytes_soft, limits.unsent_bytes) = (10, 100);
        });
        t.connect("sub");
        t.subscribe("sub", "t", Qos::AtLeastOnce);
        t.connect("pub");
        let conn = t.conn("sub");
        for (unsent, arrives) in [(10, true), (11, false)] {
            t.out.unsent.insert(conn, unsent);
            t.send("pub", Packet::Publish(publish("t", "x", Delivery::AtMostOnce)));
            assert_eq!(t.take_payloads("sub").len(), usize::from(arrives));
        }
        t.out.unsent.insert(conn, 100);
        t.send("sub", Packet::Pingreq);
        t.expect_packet("sub", Packet::Pingresp);
        t.out.unsent.insert(conn, 101);
        t.send("sub", Packet::Pingreq);
        t.expect_refused("sub", ReasonCode::QuotaExceeded);
    }
}

#[test]
fn a_retained_message_too_many_is_refused_in_5_0() {
    // Topics of one byte.
    let mut t = limited(Version::V5, |limits| {
        (limits.retained_messages, limits.retained_bytes) = (2, 10);
    });
    t.connect("pub");
    for (topic, payload, is_kept) in [
        ("a", "1234", true),
        ("b", "1234", true),
        ("c", "1", false),
        ("b", "12345", false),
        ("b", "123", true),
        ("a", "12345", true),
        ("a", "", true),
        ("c", "12345", true),
    ] {
        let is_refused = puback(&mut t, topic, payload) == ReasonCode::QuotaExceeded;
        assert_eq!(is_refused, !is_kept, "{topic} {payload}");
    }
    t.connect("sub");
    t.subscribe("sub", "#", Qos::AtMostOnce);
    assert_eq!(t.take_payloads("sub"), ["123", "12345"]);
}

/// What cannot be refused reaches those subscribed now; nobody is given the one before it as if it were the last.
#[test]
fn a_retained_message_too_many_is_only_passed_on_where_nothing_refuses_it() {
    for (version, qos) in [
        (Version::V3_1_1, Qos::AtLeastOnce),
        (Version::V5, Qos::AtMostOnce),
    ] {
        let mut t = limited(version, |limits| limits.retained_bytes = 5);
        t.connect("sub");
        t.subscribe("sub", "a", Qos::AtMostOnce);
        t.connect("pub");
        for payload in ["1234", "12345"] {
            let retained = Publish {
                retain: true,
                ..publish("a", payload, delivery(qos, 5))
            };
            t.send("pub", Packet::Publish(retained));
        }
        assert_eq!(t.take_payloads("sub"), ["1234", "12345"]);
        let not_kept = |note: &&Note| matches!(note, Note::RetainedNotKept { .. });
        assert_eq!(t.out.notes.iter().filter(not_kept).count(), 1);
        t.connect("late");
        t.subscribe("late", "a", Qos::AtMostOnce);
        t.expect_nothing("late");
    }
}

#[test]
fn a_will_too_large_is_refused() {
    for version in Version::ALL {
        // A topic of one byte.
        for (payload, wanted) in [("123", ReasonCode::Success), ("1234", ReasonCode::QuotaExceeded)] {
            let mut t = limited(version, |limits| limits.will_bytes = 4);
            let connect = with_will(&t, will("t", payload));
            assert_eq!(connack(&mut t, "a", connect), wanted);
        }
    }
    let mut t = limited(Version::V5, |limits| limits.will_bytes = 8);
    let properties = user_properties(1);
    let connect = with_will(
        &t,
        Will {
            properties,
            ..will("t", "1")
        },
    );
    assert_eq!(
        connack(&mut t, "a", connect),
        ReasonCode::QuotaExceeded,
        "seven bytes of property"
    );
}

#[test]
fn a_user_property_too_many_is_refused() {
    for (count, is_right) in [(3, true), (4, false)] {
        let mut t = limited(Version::V5, |limits| limits.user_properties = 3);
        let refused = |code: ReasonCode| code == ReasonCode::QuotaExceeded;
        let connect = Connect {
            properties: user_properties(count),
            ..t.clean("a")
        };
        assert_eq!(refused(connack(&mut t, "a", connect)), !is_right);
        let properties = user_properties(count);
        let connect = with_will(
            &t,
            Will {
                properties,
                ..will("t", "x")
            },
        );
        assert_eq!(refused(connack(&mut t, "b", connect)), !is_right);
        t.connect("c");
        let sent = Publish {
            properties: user_properties(count),
            ..publish("t", "x", Delivery::AtMostOnce)
        };
        t.send("c", Packet::Publish(sent));
        if is_right {
            t.expect_nothing("c");
        } else {
            t.expect_refused("c", ReasonCode::QuotaExceeded);
        }
    }
}

/// [MQTT-3.3.2-9]
#[test]
fn a_topic_alias_past_the_maximum_is_refused() {
    let mut t = limited(Version::V5, |limits| limits.topic_alias_maximum = 2);
    t.connect("a");
    for alias in [2, 3] {
        let mut sent = publish("t", "x", Delivery::AtMostOnce);
        sent.properties
            .push(Property::TopicAlias(TopicAlias::new(alias).unwrap()));
        t.send("a", Packet::Publish(sent));
        if alias == 2 {
            t.expect_nothing("a");
        } else {
            t.expect_refused("a", ReasonCode::TopicAliasInvalid);
        }
    }
}
