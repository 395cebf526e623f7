use squall_proto::{
    Ack, Delivery, Packet, Property, Publish, Qos, ReasonCode, SubscriptionOptions, Text, TopicAlias, Version,
};

use crate::table::{Table, ack, delivery, id, publish, subscribe};

/// [MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
#[test]
fn a_message_is_delivered_at_the_lower_qos_of_publisher_and_subscriber() {
    for version in Version::ALL {
        for published in Qos::ALL {
            for granted in Qos::ALL {
                let mut t = Table::new(version);
                t.connect("sub");
                t.subscribe("sub", "t", granted);
                t.connect("pub");
                t.send("pub", Packet::Publish(publish("t", "x", delivery(published, 7))));
                assert_eq!(
                    t.next_publish("sub"),
                    publish("t", "x", delivery(published.min(granted), 1))
                );
                t.expect_nothing("sub");
            }
        }
    }
}

/// [MQTT-4.3.2-4] [v3 MQTT-4.3.2-2]
#[test]
fn qos_1_is_answered_with_puback() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("a");
        t.subscribe("a", "t", Qos::AtMostOnce);
        t.send(
            "a",
            Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(7)))),
        );
        assert_eq!(t.next_publish("a"), publish("t", "x", Delivery::AtMostOnce));
        t.expect_packet("a", Packet::Puback(ack(7)));
    }
}

/// [MQTT-3.4.2-1]
#[test]
fn a_5_0_publisher_hears_that_nobody_subscribes() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    t.send(
        "a",
        Packet::Publish(publish("t", "x", Delivery::AtLeastOnce(id(7)))),
    );
    t.expect_packet(
        "a",
        Packet::Puback(Ack::of(id(7), ReasonCode::NoMatchingSubscribers)),
    );
}

/// [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] [v3 MQTT-4.3.3-2]
#[test]
fn a_repeated_qos_2_publish_is_delivered_once_until_it_is_released() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("pub");
        t.connect("sub");
        t.subscribe("sub", "t", Qos::AtMostOnce);
        let first = publish("t", "x", Delivery::ExactlyOnce(id(7)));
        for dup in [false, true, true] {
            t.send("pub", Packet::Publish(Publish { dup, ..first.clone() }));
            t.expect_packet("pub", Packet::Pubrec(ack(7)));
        }
        assert_eq!(t.take_payloads("sub"), ["x"]);
        t.send("pub", Packet::Pubrel(ack(7)));
        t.expect_packet("pub", Packet::Pubcomp(ack(7)));
        t.send("pub", Packet::Publish(first));
        t.expect_packet("pub", Packet::Pubrec(ack(7)));
        assert_eq!(t.take_payloads("sub"), ["x"]);
    }
}

#[test]
fn a_release_nobody_knows_is_completed_all_the_same() {
    for (version, code) in [
        (Version::V3_1_1, ReasonCode::Success),
        (Version::V5, ReasonCode::PacketIdentifierNotFound),
    ] {
        let mut t = Table::new(version);
        t.connect("a");
        t.send("a", Packet::Pubrel(ack(7)));
        t.expect_explained("a", Packet::Pubcomp(Ack::of(id(7), code)));
    }
}

/// [MQTT-3.3.4-2] [MQTT-3.3.4-4] [v3 MQTT-3.3.5-1]
#[test]
fn overlapping_subscriptions_get_one_copy_at_the_highest_qos() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("sub");
        t.subscribe("sub", "t/#", Qos::AtMostOnce);
        t.subscribe("sub", "t/+", Qos::ExactlyOnce);
        t.subscribe("sub", "t/1", Qos::AtLeastOnce);
        t.connect("pub");
        t.send(
            "pub",
            Packet::Publish(publish("t/1", "x", Delivery::ExactlyOnce(id(7)))),
        );
        assert_eq!(t.next_publish("sub").delivery, Delivery::ExactlyOnce(id(1)));
        t.expect_nothing("sub");
    }
}

/// [MQTT-3.3.4-9] [MQTT-4.9.0-2]
#[test]
fn no_more_is_in_flight_than_the_clients_receive_maximum() {
    let mut t = Table::new(Version::V5);
    let mut connect = t.clean("sub");
    connect
        .properties
        .push(Property::ReceiveMaximum(2.try_into().unwrap()));
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", Qos::ExactlyOnce);
    t.connect("pub");
    for payload in ["1", "2", "3"] {
        t.send(
            "pub",
            Packet::Publish(publish("t", payload, Delivery::AtLeastOnce(id(7)))),
        );
    }
    assert_eq!(t.next_publish("sub").payload, "1");
    assert_eq!(t.next_publish("sub").payload, "2");
    t.expect_nothing("sub");
    t.send("sub", Packet::Puback(ack(1)));
    assert_eq!(
        t.next_publish("sub"),
        publish("t", "3", Delivery::AtLeastOnce(id(3)))
    );
}

/// [MQTT-3.1.2-24] [MQTT-3.1.2-25]
#[test]
fn what_is_too_large_for_a_client_is_left_out_and_its_place_freed() {
    let mut t = Table::new(Version::V5);
    let mut connect = t.clean("sub");
    connect
        .properties
        .push(Property::MaximumPacketSize(100.try_into().unwrap()));
    connect
        .properties
        .push(Property::ReceiveMaximum(1.try_into().unwrap()));
    t.connect_as("sub", connect);
    t.subscribe("sub", "t", Qos::AtLeastOnce);
    t.connect("pub");
    let large: &'static str = Box::leak("x".repeat(200).into_boxed_str());
    for (packet_id, payload) in [(1, large), (2, "small")] {
        t.send(
            "pub",
            Packet::Publish(publish("t", payload, Delivery::AtLeastOnce(id(packet_id)))),
        );
    }
    assert_eq!(t.next_publish("sub").payload, "small");
    t.expect_nothing("sub");
}

/// [MQTT-3.3.2-12]
#[test]
fn a_topic_alias_stands_for_the_topic_it_was_given_last() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    t.subscribe("a", "#", Qos::AtMostOnce);
    let alias = Property::TopicAlias(TopicAlias::new(3).unwrap());
    for topic in ["one", "two"] {
        let mut named = publish(topic, "x", Delivery::AtMostOnce);
        named.properties.push(alias.clone());
        t.send("a", Packet::Publish(named.clone()));
        t.send("a", Packet::Publish(Publish { topic: None, ..named }));
        assert_eq!(t.next_publish("a"), publish(topic, "x", Delivery::AtMostOnce));
        assert_eq!(t.next_publish("a"), publish(topic, "x", Delivery::AtMostOnce));
    }
}

/// [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
#[test]
fn the_publishers_properties_are_forwarded_in_order() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    t.subscribe("a", "t", Qos::AtMostOnce);
    let text = |text| Text::new(text).unwrap();
    let mut sent = publish("t", "x", Delivery::AtMostOnce);
    for property in [
        Property::UserProperty(text("b"), text("1")),
        Property::ContentType(text("text/plain")),
        Property::UserProperty(text("a"), text("2")),
        Property::UserProperty(text("b"), text("1")),
    ] {
        sent.properties.push(property);
    }
    t.send("a", Packet::Publish(sent.clone()));
    assert_eq!(t.next_publish("a"), sent);
}

/// [MQTT-3.8.3-3]
#[test]
fn no_local_leaves_out_the_clients_own_messages() {
    let mut t = Table::new(Version::V5);
    t.connect("a");
    t.connect("b");
    t.send(
        "a",
        subscribe(
            "t",
            SubscriptionOptions {
                no_local: true,
                ..SubscriptionOptions::default()
            },
        ),
    );
    t.next_packet("a");
    t.send("a", Packet::Publish(publish("t", "own", Delivery::AtMostOnce)));
    t.send("b", Packet::Publish(publish("t", "other", Delivery::AtMostOnce)));
    assert_eq!(t.take_payloads("a"), ["other"]);
}
