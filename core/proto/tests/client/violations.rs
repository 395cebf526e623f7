use squall_proto::{
    Ack, Auth, DecodeError, Delivery, Disconnect, Packet, PacketType, Position, Properties, Property,
    Publish, Qos, ReasonCode, Subscribe, TextError, Unsuback, Version, Violation,
    client::{Event, Input, Options, Why},
};

use crate::rig::{Rig, connack, id, incoming, one, puback, pubcomp, suback, text};

/// The client has closed for this reason, after DISCONNECT in 5.0, and without a word in 3.1.1.
fn assert_violated(rig: &mut Rig, version: Version, violation: Violation) {
    assert_eq!(rig.event(), Event::Disconnected(Why::Violated(violation)));
    if version == Version::V5 {
        let disconnect = Disconnect::of(violation.reason_code());
        assert_eq!(rig.sent(), Packet::Disconnect(disconnect));
    }
    assert!(rig.is_closed());
    rig.assert_quiet();
}

/// [MQTT-3.2.0-2] [MQTT-4.12.0-6]
#[test]
fn a_packet_a_server_does_not_send_is_a_violation() {
    let auth = Packet::Auth(Auth {
        reason_code: ReasonCode::ContinueAuthentication,
        properties: Properties::new(),
    });
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id(1),
        filters: vec![],
        properties: Properties::new(),
    });
    let second = connack(false, ReasonCode::Success, Properties::new());
    let cases = [
        (Packet::Pingreq, Violation::WrongDirection(PacketType::Pingreq)),
        (subscribe, Violation::WrongDirection(PacketType::Subscribe)),
        (second, Violation::SecondConnack),
        (auth, Violation::AuthWithoutMethod),
    ];
    for version in Version::ALL {
        for (packet, violation) in cases.clone() {
            let mut rig = Rig::persistent(version);
            rig.receive(packet);
            assert_violated(&mut rig, version, violation);
        }
    }
}

/// [MQTT-3.2.0-1] [MQTT-3.14.0-1] [v3 MQTT-3.2.0-1]
#[test]
fn anything_before_connack_is_a_violation() {
    let packets = [
        Packet::Publish(incoming(Delivery::AtMostOnce, "early")),
        Packet::Pingresp,
        Packet::Disconnect(Disconnect::of(ReasonCode::ServerBusy)),
    ];
    for version in Version::ALL {
        for packet in packets.clone() {
            let mut rig = Rig::new(Options::new(version, text("c")));
            rig.open();
            let violation = Violation::NotConnected(packet.packet_type());
            rig.receive(packet);
            assert_violated(&mut rig, version, violation);
        }
    }
}

#[test]
fn an_acknowledgement_of_another_exchange_is_a_violation() {
    let pubrec_refused = Packet::Pubrec(Ack::of(id(1), ReasonCode::UnspecifiedError));
    let cases = [
        (Qos::AtLeastOnce, pubcomp(id(1)), PacketType::Pubcomp),
        (Qos::AtLeastOnce, pubrec_refused, PacketType::Pubrec),
        (Qos::ExactlyOnce, puback(id(1)), PacketType::Puback),
        (Qos::ExactlyOnce, pubcomp(id(1)), PacketType::Pubcomp),
    ];
    for version in Version::ALL {
        for (qos, packet, packet_type) in cases.clone() {
            let mut rig = Rig::persistent(version);
            rig.publish(1, qos);
            rig.sent();
            rig.receive(packet);
            assert_violated(&mut rig, version, Violation::WrongAcknowledgement(packet_type));
        }
    }
}

/// [MQTT-2.2.1-6] [v3 MQTT-2.3.1-7]
#[test]
fn a_suback_for_nothing_or_with_too_few_reason_codes_is_a_violation() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        rig.receive(suback(id(1), &[ReasonCode::Success]));
        assert_violated(
            &mut rig,
            version,
            Violation::WrongAcknowledgement(PacketType::Suback),
        );

        let mut rig = Rig::persistent(version);
        rig.subscribe(1, "a", Qos::AtMostOnce);
        rig.sent();
        rig.receive(suback(id(1), &[]));
        assert_violated(
            &mut rig,
            version,
            Violation::WrongReasonCodeCount(PacketType::Suback),
        );
    }
}

#[test]
fn a_request_that_is_answered_wrongly_is_asked_again() {
    let wrong = [
        Packet::Unsuback(Unsuback {
            packet_id: id(1),
            reason_codes: Vec::new(),
            properties: Properties::new(),
        }),
        suback(id(1), &[]),
    ];
    for wrong in wrong {
        let mut rig = Rig::persistent(Version::V5);
        rig.subscribe(7, "a", Qos::AtMostOnce);
        rig.sent();
        rig.receive(wrong);
        rig.discard();
        rig.handle(Input::Lost);
        rig.connect(true, Properties::new());
        let Packet::Subscribe(again) = rig.sent() else {
            panic!("no subscribe")
        };
        assert_eq!(&*again.filters[0].0, "a");
    }
}

#[test]
fn a_disconnect_from_the_server_is_told_and_closed_in_5_0_and_a_violation_in_3_1_1() {
    let disconnect = Disconnect::of(ReasonCode::SessionTakenOver);
    let mut rig = Rig::persistent(Version::V5);
    rig.receive(Packet::Disconnect(disconnect.clone()));
    assert_eq!(rig.event(), Event::Disconnected(Why::Server(disconnect.clone())));
    assert!(rig.is_closed());
    rig.assert_quiet();

    let mut rig = Rig::persistent(Version::V3_1_1);
    rig.receive(Packet::Disconnect(disconnect));
    let violation = Violation::WrongDirection(PacketType::Disconnect);
    assert_violated(&mut rig, Version::V3_1_1, violation);
}

/// [MQTT-3.14.2-2]
#[test]
fn a_session_expiry_interval_from_the_server_in_disconnect_is_a_violation() {
    let mut rig = Rig::persistent(Version::V5);
    rig.receive(Packet::Disconnect(Disconnect {
        reason_code: ReasonCode::ServerBusy,
        properties: one(Property::SessionExpiryInterval(1)),
    }));
    assert_violated(&mut rig, Version::V5, Violation::SessionExpiryFromServer);
}

/// [MQTT-4.13.2-1] [MQTT-1.5.4-1] [v3 MQTT-1.5.3-1]
#[test]
fn malformed_bytes_end_the_connection() {
    for version in Version::ALL {
        let mut rig = Rig::persistent(version);
        let position = Position {
            packet_type: PacketType::Publish,
            offset: 2,
        };
        let error = DecodeError::Text(position, TextError::NotUtf8);
        rig.handle(Input::Malformed(error));
        assert_eq!(rig.event(), Event::Disconnected(Why::Malformed(error)));
        if version == Version::V5 {
            let disconnect = Disconnect::of(ReasonCode::MalformedPacket);
            assert_eq!(rig.sent(), Packet::Disconnect(disconnect));
        }
        assert!(rig.is_closed());
        rig.assert_quiet();
    }
}

/// DISCONNECT has no Reason Code for a protocol that is not supported.
#[test]
fn a_connect_of_another_protocol_is_answered_as_any_packet_a_server_does_not_send() {
    let mut rig = Rig::persistent(Version::V5);
    rig.handle(Input::Malformed(DecodeError::UnsupportedProtocolLevel(9)));
    let disconnect = Disconnect::of(ReasonCode::ProtocolError);
    assert_eq!(rig.sent(), Packet::Disconnect(disconnect));
    assert!(rig.is_closed());
}

#[test]
fn a_publish_without_topic_and_alias_is_a_violation() {
    let mut rig = Rig::persistent(Version::V5);
    let nameless = Publish {
        topic: None,
        ..incoming(Delivery::AtMostOnce, "m")
    };
    rig.receive(Packet::Publish(nameless));
    assert_violated(&mut rig, Version::V5, Violation::UnknownTopicAlias);
}
