use squall_proto::{
    Ack, Delivery, Packet, Properties, Property, Qos, ReasonCode, Version,
    client::{Misuse, Options},
};

use crate::rig::{Rig, id, message, not_found, one, puback, pubcomp, pubrec, pubrel, suback, text};

/// [MQTT-4.3.1-1] [v3 MQTT-4.3.1-1]
#[test]
fn qos_0_is_finished_when_it_is_sent() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.publish(1, Qos::AtMostOnce);
        assert_eq!(rig.sent_publish(), (Delivery::AtMostOnce, false, b"1".to_vec()));
        rig.assert_published(1, ReasonCode::Success);
        rig.assert_quiet();
    }
}

/// [MQTT-4.3.2-2] [v3 MQTT-4.3.2-1]
#[test]
fn qos_1_is_finished_by_puback() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.publish(1, Qos::AtLeastOnce);
        assert_eq!(
            rig.sent_publish(),
            (Delivery::AtLeastOnce(id(1)), false, b"1".to_vec())
        );
        rig.assert_quiet();
        rig.receive(puback(id(1)));
        rig.assert_published(1, ReasonCode::Success);
        rig.receive(puback(id(1)));
        rig.assert_quiet();
    }
}

#[test]
fn qos_1_is_finished_by_a_puback_that_refuses() {
    let mut rig = Rig::persistent(Version::V5);
    rig.publish(1, Qos::AtLeastOnce);
    rig.sent();
    rig.receive(Packet::Puback(Ack::of(id(1), ReasonCode::QuotaExceeded)));
    rig.assert_published(1, ReasonCode::QuotaExceeded);
}

/// [MQTT-4.3.3-4] [v3 MQTT-4.3.3-1]
#[test]
fn qos_2_goes_over_pubrec_and_pubrel_to_pubcomp() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.publish(1, Qos::ExactlyOnce);
        assert_eq!(
            rig.sent_publish(),
            (Delivery::ExactlyOnce(id(1)), false, b"1".to_vec())
        );
        rig.receive(pubrec(id(1)));
        assert_eq!(rig.sent(), pubrel(id(1)));
        rig.assert_quiet();
        rig.receive(pubcomp(id(1)));
        rig.assert_published(1, ReasonCode::Success);
        rig.assert_quiet();
    }
}

/// [MQTT-4.4.0-2]
#[test]
fn qos_2_is_finished_by_a_pubrec_that_refuses() {
    let mut rig = Rig::persistent(Version::V5);
    rig.publish(1, Qos::ExactlyOnce);
    rig.sent();
    rig.receive(Packet::Pubrec(Ack::of(id(1), ReasonCode::NotAuthorized)));
    rig.assert_published(1, ReasonCode::NotAuthorized);
    rig.assert_quiet();
}

#[test]
fn pubrec_for_nothing_is_released() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.receive(pubrec(id(9)));
        assert_eq!(rig.sent(), Packet::Pubrel(not_found(version, id(9))));
        rig.receive(pubcomp(id(9)));
        rig.assert_quiet();
    }
}

/// [MQTT-2.2.1-3] [v3 MQTT-2.3.1-2]
#[test]
fn publish_subscribe_and_unsubscribe_share_the_packet_identifiers() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.publish(1, Qos::AtLeastOnce);
        rig.subscribe(2, "a", Qos::AtMostOnce);
        rig.unsubscribe(3, "a");
        rig.publish(4, Qos::ExactlyOnce);
        assert_eq!(rig.sent_publish().0, Delivery::AtLeastOnce(id(1)));
        assert!(matches!(rig.sent(), Packet::Subscribe(packet) if packet.packet_id == id(2)));
        assert!(matches!(rig.sent(), Packet::Unsubscribe(packet) if packet.packet_id == id(3)));
        assert_eq!(rig.sent_publish().0, Delivery::ExactlyOnce(id(4)));
    }
}

/// [MQTT-2.2.1-3] [v3 MQTT-2.3.1-2]
#[test]
fn a_packet_identifier_in_use_is_passed_over_when_they_wrap() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.publish(0, Qos::AtLeastOnce);
        rig.sent();
        rig.subscribe(1, "a", Qos::AtMostOnce);
        rig.sent();
        for ticket in 3..=u16::MAX {
            rig.publish(ticket.into(), Qos::AtLeastOnce);
            assert_eq!(rig.sent_publish().0, Delivery::AtLeastOnce(id(ticket)));
            rig.receive(puback(id(ticket)));
            rig.assert_published(ticket.into(), ReasonCode::Success);
        }
        rig.publish(4, Qos::AtLeastOnce);
        assert_eq!(rig.sent_publish().0, Delivery::AtLeastOnce(id(3)));
    }
}

#[test]
fn without_a_free_packet_identifier_the_next_message_waits_for_one() {
    let options = Options {
        inflight: u16::MAX,
        queued: 100_000,
        ..Options::persistent(Version::V3_1_1, text("c"))
    };
    let mut rig = Rig::connected(options);
    rig.subscribe(0, "a", Qos::AtMostOnce);
    rig.sent();
    for ticket in 1..=u64::from(u16::MAX) {
        rig.publish(ticket, Qos::AtLeastOnce);
    }
    for _ in 1..u16::MAX {
        rig.sent();
    }
    rig.assert_quiet();
    rig.receive(suback(id(1), &[ReasonCode::Success]));
    rig.event();
    assert_eq!(rig.sent_publish().0, Delivery::AtLeastOnce(id(1)));
}

/// [MQTT-3.3.4-7] [MQTT-4.9.0-2] [MQTT-4.9.0-3] [MQTT-3.3.4-8]
#[test]
fn the_servers_receive_maximum_holds_back_publish_of_qos_1_and_2_alone() {
    let maximum = std::num::NonZeroU16::new(2).unwrap();
    let connack = one(Property::ReceiveMaximum(maximum));
    let mut rig = Rig::connected_with(Options::new(Version::V5, text("c")), connack);
    for ticket in 1..=4 {
        rig.publish(ticket, Qos::ExactlyOnce);
    }
    assert_eq!(rig.sent_publish().2, b"1");
    assert_eq!(rig.sent_publish().2, b"2");
    rig.assert_quiet();
    rig.receive(pubrec(id(1)));
    assert_eq!(rig.sent(), pubrel(id(1)), "PUBREL needs no quota");
    rig.publish(5, Qos::AtMostOnce);
    assert_eq!(rig.sent_publish().2, b"5");
    rig.assert_published(5, ReasonCode::Success);
    rig.subscribe(6, "a", Qos::AtMostOnce);
    assert!(matches!(rig.sent(), Packet::Subscribe(_)));
    rig.assert_quiet();
    rig.receive(pubcomp(id(1)));
    rig.assert_published(1, ReasonCode::Success);
    assert_eq!(rig.sent_publish().2, b"3", "PUBCOMP gives one back");
    rig.receive(Packet::Pubrec(Ack::of(id(2), ReasonCode::QuotaExceeded)));
    rig.assert_published(2, ReasonCode::QuotaExceeded);
    assert_eq!(rig.sent_publish().2, b"4", "so does a PUBREC that refuses");
    rig.assert_quiet();
}

#[test]
fn the_queue_refuses_one_past_its_bound() {
    for version in Version::ALL {
        let mut rig = Rig::new(Options {
            queued: 2,
            ..Options::new(version, text("c"))
        });
        rig.publish(1, Qos::AtMostOnce);
        assert!(rig.client().takes_messages());
        rig.publish(2, Qos::ExactlyOnce);
        assert!(!rig.client().takes_messages());
        rig.assert_quiet();
        rig.publish(3, Qos::AtLeastOnce);
        rig.assert_misused(3, Misuse::QueueFull(2));
        rig.connect(false, Properties::new());
        assert!(rig.client().takes_messages());
    }
}

/// [MQTT-3.3.4-6]
#[test]
fn a_property_the_client_may_not_send_is_misuse() {
    let subscription_id = squall_proto::SubscriptionId::new(1).unwrap();
    let cases = [
        (
            Version::V5,
            Property::SubscriptionIdentifier(subscription_id),
            Misuse::PropertyNotAllowed,
        ),
        (
            Version::V3_1_1,
            Property::ContentType(text("x")),
            Misuse::NeedsVersion5("properties"),
        ),
    ];
    for (version, property, misuse) in cases {
        let mut rig = Rig::persistent(version);
        let mut message = message(1, Qos::AtLeastOnce);
        message.properties = one(property);
        rig.handle(squall_proto::client::Input::Publish(
            squall_proto::client::Ticket(1),
            message,
        ));
        rig.assert_misused(1, misuse);
        rig.assert_quiet();
    }
}
