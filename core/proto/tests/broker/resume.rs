use std::time::Duration;

use squall_proto::{
    Ack, Delivery, Disconnect, Packet, Properties, Property, Publish, Qos, ReasonCode, Version,
    broker::Limits,
};

use crate::table::{Table, ack, delivery, id, publish};

/// A subscriber with a session to keep, and a publisher.
fn subscribed(version: Version, qos: Qos) -> Table {
    let mut t = Table::new(version);
    let connect = t.persistent("sub");
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", qos);
    t.connect("pub");
    t
}

fn reconnect(t: &mut Table) {
    let connect = t.persistent("sub");
    assert!(t.connect_as("sub", connect));
}

/// [v3 MQTT-3.1.2-5]
#[test]
fn messages_for_an_offline_session_wait_in_order() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::ExactlyOnce);
        t.cut("sub");
        for (payload, qos) in [
            ("0", Qos::AtMostOnce),
            ("1", Qos::AtLeastOnce),
            ("2", Qos::ExactlyOnce),
        ] {
            t.send("pub", Packet::Publish(publish("t", payload, delivery(qos, 7))));
        }
        reconnect(&mut t);
        assert_eq!(
            t.next_publish("sub"),
            publish("t", "1", Delivery::AtLeastOnce(id(1)))
        );
        assert_eq!(
            t.next_publish("sub"),
            publish("t", "2", Delivery::ExactlyOnce(id(2)))
        );
        t.expect_nothing("sub");
    }
}

/// [MQTT-3.3.1-1] [MQTT-4.4.0-1] [v3 MQTT-3.3.1-1] [v3 MQTT-4.4.0-1]
#[test]
fn an_unacknowledged_publish_is_sent_again_with_dup_and_its_identifier() {
    for version in Version::ALL {
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let mut t = subscribed(version, qos);
            t.send("pub", Packet::Publish(publish("t", "x", delivery(qos, 7))));
            let first = t.next_publish("sub");
            t.cut("sub");
            reconnect(&mut t);
            assert_eq!(t.next_publish("sub"), Publish { dup: true, ..first });
            t.expect_nothing("sub");
        }
    }
}

/// [MQTT-4.3.3-5] [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1]
#[test]
fn after_pubrec_the_release_is_sent_again_and_never_the_publish() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::ExactlyOnce);
        t.send(
            "pub",
            Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(7)))),
        );
        t.next_publish("sub");
        t.send("sub", Packet::Pubrec(ack(1)));
        t.expect_packet("sub", Packet::Pubrel(ack(1)));
        t.cut("sub");
        reconnect(&mut t);
        t.expect_packet("sub", Packet::Pubrel(ack(1)));
        t.send("sub", Packet::Pubcomp(ack(1)));
        t.cut("sub");
        reconnect(&mut t);
        t.expect_nothing("sub");
    }
}

/// [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2]
#[test]
fn a_qos_2_publish_repeated_on_a_new_connection_is_delivered_once() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = t.persistent("pub");
        t.connect_as("pub", connect.clone());
        t.connect("sub");
        t.subscribe("sub", "t", Qos::AtMostOnce);
        let sent = publish("t", "x", Delivery::ExactlyOnce(id(7)));
        t.send("pub", Packet::Publish(sent.clone()));
        t.cut("pub");
        assert!(t.connect_as("pub", connect));
        t.send("pub", Packet::Publish(Publish { dup: true, ..sent }));
        t.expect_packet("pub", Packet::Pubrec(ack(7)));
        assert_eq!(t.take_payloads("sub"), ["x"]);
    }
}

/// [MQTT-3.1.2-4] [v3 MQTT-3.1.2-6]
#[test]
fn a_clean_start_forgets_everything() {
    for version in Version::ALL {
        let mut t = subscribed(version, Qos::AtLeastOnce);
        t.send(
            "pub",
            Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(7)))),
        );
        t.cut("sub");
        t.connect("sub");
        t.send(
            "pub",
            Packet::Publish(publish("t", "y", Delivery::AtLeastOnce(id(8)))),
        );
        t.expect_nothing("sub");
    }
}

/// [MQTT-4.9.0-3] [MQTT-3.3.4-10]
#[test]
fn on_resume_a_lower_receive_maximum_holds_publishes_back_but_no_release() {
    let mut t = subscribed(Version::V5, Qos::ExactlyOnce);
    for payload in ["1", "2", "3"] {
        t.send(
            "pub",
            Packet::Publish(publish("t", payload, Delivery::ExactlyOnce(id(7)))),
        );
        t.send("pub", Packet::Pubrel(ack(7)));
    }
    t.send("sub", Packet::Pubrec(ack(3)));
    t.cut("sub");
    let mut connect = t.persistent("sub");
    connect
        .properties
        .push(Property::ReceiveMaximum(1.try_into().unwrap()));
    t.connect_as("sub", connect);
    t.expect_packet("sub", Packet::Pubrel(ack(3)));
    assert_eq!(t.next_publish("sub").payload, "1");
    t.expect_nothing("sub");
    t.send("sub", Packet::Pubrec(Ack::of(id(1), ReasonCode::QuotaExceeded)));
    let again = t.next_publish("sub");
    assert_eq!((again.payload.as_ref(), again.dup), (b"2".as_slice(), true));
}

/// [MQTT-4.1.0-2] [MQTT-3.1.2-23]
#[test]
fn a_session_ends_when_its_expiry_interval_has_passed() {
    for (seconds, present) in [(9, true), (10, false)] {
        let mut t = Table::new(Version::V5);
        let mut connect = t.clean("a");
        connect.clean_start = false;
        connect.properties.push(Property::SessionExpiryInterval(10));
        t.connect_as("a", connect.clone());
        t.wait(Duration::from_secs(1000));
        t.cut("a");
        t.wait(Duration::from_secs(seconds));
        assert_eq!(t.connect_as("a", connect), present);
    }
}

#[test]
fn disconnect_can_change_the_expiry_of_a_session_that_has_one() {
    let mut t = Table::new(Version::V5);
    let connect = t.persistent("a");
    t.connect_as("a", connect.clone());
    let properties: Properties = [Property::SessionExpiryInterval(0)].into_iter().collect();
    t.send(
        "a",
        Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::Success,
            properties,
        }),
    );
    t.cut("a");
    assert!(!t.connect_as("a", connect));
}

/// [MQTT-3.3.2-5] [MQTT-3.3.2-6]
#[test]
fn a_message_that_expires_while_it_waits_is_not_delivered_and_holds_nothing_up() {
    let mut t = subscribed(Version::V5, Qos::AtLeastOnce);
    t.cut("sub");
    for (payload, seconds) in [("short", 5), ("long", 60)] {
        let mut sent = publish("t", payload, Delivery::AtLeastOnce(id(7)));
        sent.properties.push(Property::MessageExpiryInterval(seconds));
        t.send("pub", Packet::Publish(sent));
    }
    t.wait(Duration::from_secs(10));
    reconnect(&mut t);
    let publish = t.next_publish("sub");
    assert_eq!(publish.payload, "long");
    assert_eq!(publish.properties.message_expiry_interval(), Some(50));
    t.expect_nothing("sub");
}

/// [MQTT-3.3.4-9] [MQTT-4.9.0-2]
#[test]
fn the_end_of_an_exchange_of_an_earlier_connection_makes_no_room_for_another_publish() {
    let mut t = subscribed(Version::V5, Qos::ExactlyOnce);
    for payload in ["1", "2", "3", "4", "5"] {
        t.send(
            "pub",
            Packet::Publish(publish("t", payload, Delivery::ExactlyOnce(id(7)))),
        );
        t.send("pub", Packet::Pubrel(ack(7)));
    }
    for packet_id in [1, 2] {
        t.send("sub", Packet::Pubrec(ack(packet_id)));
    }
    t.cut("sub");
    let mut connect = t.persistent("sub");
    connect
        .properties
        .push(Property::ReceiveMaximum(2.try_into().unwrap()));
    t.connect_as("sub", connect);
    for packet_id in [1, 2] {
        t.expect_packet("sub", Packet::Pubrel(ack(packet_id)));
    }
    for payload in ["3", "4"] {
        assert_eq!(t.next_publish("sub").payload, payload);
    }
    for packet_id in [1, 2] {
        t.send("sub", Packet::Pubcomp(ack(packet_id)));
    }
    t.expect_nothing("sub");
    t.send("sub", Packet::Pubrec(ack(3)));
    t.expect_packet("sub", Packet::Pubrel(ack(3)));
    t.expect_nothing("sub");
    t.send("sub", Packet::Pubcomp(ack(3)));
    assert_eq!(t.next_publish("sub").payload, "5");
}

/// [MQTT-3.3.4-7]
#[test]
fn a_new_connection_may_have_as_many_unfinished_messages_as_the_receive_maximum() {
    let limits = Limits {
        receive_maximum: 2,
        ..Limits::default()
    };
    let mut t = Table::with_limits(Version::V5, limits);
    for (connection, ids) in [(1, [1, 2]), (2, [3, 4])] {
        let connect = t.persistent("pub");
        assert_eq!(t.connect_as("pub", connect), connection == 2);
        for packet_id in ids {
            t.send(
                "pub",
                Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(packet_id)))),
            );
            let Packet::Pubrec(pubrec) = t.next_packet("pub") else {
                panic!("no pubrec")
            };
            assert_eq!(pubrec.packet_id, id(packet_id));
        }
        if connection == 1 {
            t.cut("pub");
        }
    }
    t.send(
        "pub",
        Packet::Publish(publish("t", "x", Delivery::ExactlyOnce(id(5)))),
    );
    t.expect_refused("pub", ReasonCode::ReceiveMaximumExceeded);
}
