use squall_proto::{
    Delivery, Packet, Property, Qos, ReasonCode, TopicAlias, Version, Violation,
    client::{Event, Options, Why},
};

use crate::rig::{Rig, id, incoming, not_found, one, puback, pubcomp, pubrec, pubrel, text};

fn assert_message(rig: &mut Rig, payload: &str, qos: Qos) {
    let Event::Message { message, dup, .. } = rig.event() else {
        panic!("a message is told")
    };
    assert_eq!(
        (&*message.topic, &*message.payload, message.qos, dup),
        ("t", payload.as_bytes(), qos, false)
    );
}

#[test]
fn qos_0_is_delivered_and_not_answered() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.receive(Packet::Publish(incoming(Delivery::AtMostOnce, "m")));
        assert_message(&mut rig, "m", Qos::AtMostOnce);
        rig.assert_quiet();
    }
}

/// [MQTT-4.3.2-4] [MQTT-4.3.2-5] [MQTT-4.6.0-2] [v3 MQTT-4.3.2-2] [v3 MQTT-4.6.0-2]
#[test]
fn qos_1_is_delivered_and_acknowledged_in_order_and_its_identifier_is_then_free() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        for (packet_id, payload) in [(7, "first"), (3, "second"), (7, "third")] {
            rig.receive(Packet::Publish(incoming(
                Delivery::AtLeastOnce(id(packet_id)),
                payload,
            )));
            assert_message(&mut rig, payload, Qos::AtLeastOnce);
            assert_eq!(rig.sent(), puback(id(packet_id)));
        }
        rig.assert_quiet();
    }
}

/// [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] [v3 MQTT-4.3.3-2]
#[test]
fn qos_2_is_delivered_once_until_pubrel_and_its_identifier_is_then_free() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        for payload in ["first", "second"] {
            rig.receive(Packet::Publish(incoming(Delivery::ExactlyOnce(id(7)), payload)));
            assert_message(&mut rig, payload, Qos::ExactlyOnce);
            assert_eq!(rig.sent(), pubrec(id(7)));
            rig.receive(Packet::Publish(incoming(Delivery::ExactlyOnce(id(7)), payload)));
            assert_eq!(rig.sent(), pubrec(id(7)));
            rig.assert_quiet();
            rig.receive(pubrel(id(7)));
            assert_eq!(rig.sent(), pubcomp(id(7)));
        }
        rig.assert_quiet();
    }
}

#[test]
fn pubrel_for_nothing_is_completed() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.receive(pubrel(id(7)));
        assert_eq!(rig.sent(), Packet::Pubcomp(not_found(version, id(7))));
        rig.assert_quiet();
    }
}

fn aliased(rig: &mut Rig, topic: bool, alias: u16) {
    let alias = TopicAlias::new(alias).expect("not zero");
    let mut publish = incoming(Delivery::AtMostOnce, "m");
    publish.properties = one(Property::TopicAlias(alias));
    publish.topic = publish.topic.filter(|_| topic);
    rig.receive(Packet::Publish(publish));
}

fn with_aliases() -> Rig {
    Rig::connected(Options {
        topic_alias_maximum: 2,
        ..Options::persistent(Version::V5, text("c"))
    })
}

/// [MQTT-3.3.2-10]
#[test]
fn a_topic_alias_stands_for_its_topic_name_and_is_not_shown() {
    let mut rig = with_aliases();
    aliased(&mut rig, true, 2);
    assert_message(&mut rig, "m", Qos::AtMostOnce);
    aliased(&mut rig, false, 2);
    let Event::Message { message, .. } = rig.event() else {
        panic!("a message is told")
    };
    assert_eq!((&*message.topic, message.properties.len()), ("t", 0));
}

/// [MQTT-3.3.2-7]
#[test]
fn a_topic_alias_ends_with_the_connection() {
    let mut rig = with_aliases();
    aliased(&mut rig, true, 1);
    rig.event();
    rig.lose();
    rig.connect(true, squall_proto::Properties::new());
    aliased(&mut rig, false, 1);
    let violated = Why::Violated(Violation::UnknownTopicAlias);
    assert_eq!(rig.event(), Event::Disconnected(violated));
}

/// [MQTT-3.1.2-26]
#[test]
fn a_topic_alias_above_the_maximum_is_a_violation() {
    let mut rig = with_aliases();
    aliased(&mut rig, true, 3);
    let violated = Why::Violated(Violation::TopicAliasTooLarge);
    assert_eq!(rig.event(), Event::Disconnected(violated));
    assert!(
        matches!(rig.sent(), Packet::Disconnect(packet) if packet.reason_code == ReasonCode::TopicAliasInvalid)
    );
}

/// [MQTT-3.3.4-9] [X5-3.3.4-3]
#[test]
fn one_message_more_than_our_receive_maximum_is_a_violation() {
    let mut rig = Rig::connected(Options {
        receive_maximum: 2,
        ..Options::persistent(Version::V5, text("c"))
    });
    for packet_id in [1, 2, 1] {
        rig.receive(Packet::Publish(incoming(
            Delivery::ExactlyOnce(id(packet_id)),
            "m",
        )));
        assert_eq!(rig.sent(), pubrec(id(packet_id)));
    }
    rig.receive(pubrel(id(1)));
    assert_eq!(rig.sent(), pubcomp(id(1)));
    rig.receive(Packet::Publish(incoming(Delivery::ExactlyOnce(id(4)), "m")));
    assert_eq!(rig.sent(), pubrec(id(4)), "PUBREL made room");
    rig.receive(Packet::Publish(incoming(Delivery::ExactlyOnce(id(3)), "m")));
    let disconnect = rig.sent();
    assert!(
        matches!(disconnect, Packet::Disconnect(packet) if packet.reason_code == ReasonCode::ReceiveMaximumExceeded)
    );
    assert!(rig.is_closed());
}
