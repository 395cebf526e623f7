//! What peers and scripted brokers put on the wire, byte by byte.

use squall_proto::Version;
use squall_sim::scenario::{RawPacket, Speaker};

fn packet(yaml: &str) -> RawPacket {
    serde_saphyr::from_str(yaml).expect("a packet")
}

fn bytes(yaml: &str, version: Version) -> String {
    let speaker = Speaker {
        name: "raw",
        version,
        n: 3,
        answers: None,
        session_present: false,
    };
    hex::encode(packet(yaml).bytes(&speaker))
}

fn without_spaces(hex: &str) -> String {
    hex.split_whitespace().collect()
}

#[test]
fn every_packet_is_written_as_the_standard_lays_it_out() {
    for (yaml, v3, v5) in [
        (
            "CONNECT",
            "10 0f 0004 4d515454 04 02 0000 0003 726177",
            "10 10 0004 4d515454 05 02 0000 00 0003 726177",
        ),
        ("CONNACK", "20 02 00 00", "20 03 00 00 00"),
        (
            "{ PUBLISH: { topic: t, payload: x } }",
            "30 04 0001 74 78",
            "30 05 0001 74 00 78",
        ),
        (
            "{ PUBLISH: { topic: t, qos: 2, packet_id: 7, dup: true, retain: true } }",
            "3d 05 0001 74 0007",
            "3d 06 0001 74 0007 00",
        ),
        ("PUBACK", "40 02 0001", "40 02 0001"),
        (
            "PUBREC: { packet_id: 9, reason: 0x80 }",
            "50 02 0009",
            "50 03 0009 80",
        ),
        ("PUBREL: 7", "62 02 0007", "62 02 0007"),
        (
            "PUBCOMP: { reason: 0, properties: { reason_string: a } }",
            "70 02 0001",
            "70 08 0001 00 04 1f 0001 61",
        ),
        (
            "SUBSCRIBE: { filters: { a/#: 2 } }",
            "82 08 0001 0003 612f23 02",
            "82 09 0001 00 0003 612f23 02",
        ),
        ("SUBACK: { reasons: [1] }", "90 03 0001 01", "90 04 0001 00 01"),
        (
            "UNSUBSCRIBE: { filters: [a] }",
            "a2 05 0001 0001 61",
            "a2 06 0001 00 0001 61",
        ),
        ("UNSUBACK: { reasons: [0x11] }", "b0 02 0001", "b0 04 0001 00 11"),
        ("PINGREQ", "c0 00", "c0 00"),
        ("PINGRESP", "d0 00", "d0 00"),
        ("DISCONNECT", "e0 00", "e0 00"),
        ("DISCONNECT: { reason: 4 }", "e0 00", "e0 02 04 00"),
        (
            "AUTH: { reason: 0x18, properties: { authentication_method: m } }",
            "f0 00",
            "f0 06 18 04 15 0001 6d",
        ),
    ] {
        assert_eq!(
            bytes(yaml, Version::V3_1_1),
            without_spaces(v3),
            "{yaml} in 3.1.1"
        );
        assert_eq!(bytes(yaml, Version::V5), without_spaces(v5), "{yaml} in 5.0");
    }
}

#[test]
fn every_field_may_be_wrong() {
    for (yaml, expected) in [
        // A Protocol Name and Level that nobody knows, the reserved Connect Flag, no Client Identifier.
        (
            "CONNECT: { protocol_name: MQIsdp, protocol_level: 255, connect_flags: 0x01, client_id: '' }",
            "10 0f 0006 4d5149736470 ff 01 0000 00 0000",
        ),
        // A Will at QoS 3.
        (
            "CONNECT: { client_id: a, will: { topic: w, payload: p, qos: 3 } }",
            "10 15 0004 4d515454 05 1e 0000 00 0001 61 00 0001 77 0001 70",
        ),
        // Packet Identifier 0 at QoS 3.
        (
            "PUBLISH: { topic: 'a/#', qos: 3, packet_id: 0 }",
            "36 08 0003 612f23 0000 00",
        ),
        // A Reason Code that no CONNACK has, reserved acknowledge flags.
        (
            "CONNACK: { acknowledge_flags: 0xfe, reason: 0x7f }",
            "20 03 fe 7f 00",
        ),
        // No Topic Filter.
        ("SUBSCRIBE", "82 03 0001 00"),
        // Reserved bits of the Subscription Options, and options by their names.
        (
            "SUBSCRIBE: { packet_id: 0, filters: { a: 0xc0, b: { qos: 1, no_local: true, retain_handling: 2 } } }",
            "82 0b 0000 00 0001 61 c0 0001 62 25",
        ),
        // A property twice, and one of a packet that has none such.
        (
            "PUBACK: { properties: [{ receive_maximum: 0 }, { receive_maximum: 1 }] }",
            "40 0a 0001 00 06 210000 210001",
        ),
        // Reserved flags, a length that lies, bytes that belong to nothing, half a packet.
        ("{ PINGREQ: {}, flags: 0xf }", "cf 00"),
        ("{ PINGREQ: {}, remaining_length: 268435456 }", "c0 8080808001"),
        ("{ PUBREL: 7, append: ff ff }", "62 04 0007 ffff"),
        (
            "{ PUBLISH: { topic: t, payload: xyz }, truncate: 4 }",
            "30 07 00 01",
        ),
        // Another version than that of the run.
        ("{ CONNACK: {}, version: 3.1.1 }", "20 02 00 00"),
        ("hex: \"30 00 # a PUBLISH of nothing\"", "30 00"),
    ] {
        assert_eq!(bytes(yaml, Version::V5), without_spaces(expected), "{yaml}");
    }
}

#[test]
fn every_property_has_its_identifier_and_its_kind() {
    for (property, expected) in [
        ("payload_format_indicator: 2", "01 02"),
        ("message_expiry_interval: 1", "02 00000001"),
        ("content_type: a", "03 0001 61"),
        ("response_topic: 'a/#'", "08 0003 612f23"),
        ("correlation_data: a", "09 0001 61"),
        ("subscription_identifier: 0", "0b 00"),
        ("session_expiry_interval: 0xffffffff", "11 ffffffff"),
        ("assigned_client_identifier: a", "12 0001 61"),
        ("server_keep_alive: 10", "13 000a"),
        ("authentication_method: a", "15 0001 61"),
        ("authentication_data: a", "16 0001 61"),
        ("request_problem_information: 2", "17 02"),
        ("will_delay_interval: 1", "18 00000001"),
        ("request_response_information: 2", "19 02"),
        ("response_information: a", "1a 0001 61"),
        ("server_reference: a", "1c 0001 61"),
        ("reason_string: a", "1f 0001 61"),
        ("receive_maximum: 0", "21 0000"),
        ("topic_alias_maximum: 1", "22 0001"),
        ("topic_alias: 0", "23 0000"),
        ("maximum_qos: 2", "24 02"),
        ("retain_available: 0", "25 00"),
        ("user_property: [a, b]", "26 0001 61 0001 62"),
        ("maximum_packet_size: 0", "27 00000000"),
        ("wildcard_subscription_available: 0", "28 00"),
        ("subscription_identifier_available: 0", "29 00"),
        ("shared_subscription_available: 0", "2a 00"),
    ] {
        let expected = without_spaces(expected);
        let yaml = format!("CONNACK: {{ properties: {{ {property} }} }}");
        let length = expected.len() / 2;
        let packet = format!("20{:02x}0000{length:02x}{expected}", length + 3);
        assert_eq!(bytes(&yaml, Version::V5), packet, "{property}");
    }
}

#[test]
fn a_packet_says_who_sends_it_and_for_which_time() {
    let yaml = "PUBLISH: { topic: '{client}/t', payload: 'm {n}' }";
    assert_eq!(
        bytes(yaml, Version::V3_1_1),
        hex::encode(b"\x30\x0a\x00\x05raw/tm 3")
    );
}

#[test]
fn a_packet_is_written_as_it_was_read() {
    for yaml in [
        "PINGREQ",
        "{PUBREL: 7}",
        "{PUBREC: {packet_id: null, reason: 128, properties: {}}}",
        "{hex: 30 00}",
    ] {
        let read = packet(yaml);
        let written = serde_json::to_string(&read).expect("plain values");
        assert_eq!(packet(&written), read, "{written}");
    }
}
