use squall_proto::{ReasonCode, Version, client::Options};

use super::rig::Wire;
use crate::rig::text;

const MALFORMED: ReasonCode = ReasonCode::MalformedPacket;
const PROTOCOL_ERROR: ReasonCode = ReasonCode::ProtocolError;

/// What is wrong, and the bytes of it.
type Row = (&'static str, &'static str);

/// A connected client closes on each of these.
fn assert_refused(version: Version, reason_code: ReasonCode, rows: &[Row]) {
    for (what, hex) in rows {
        let mut wire = Wire::connected(Options::persistent(version, text("c")));
        wire.receive(hex);
        wire.assert_refused(what, reason_code);
    }
}

/// [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-3.3.2-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19] [MQTT-4.7.3-2] [MQTT-4.13.2-1]
/// [X5-1.5.4-1] [X5-1.5.4-2] [X5-1.5.7-1] [v3 MQTT-1.5.3-1] [v3 MQTT-1.5.3-2] [v3 MQTT-3.3.2-1] [v3 MQTT-4.7.3-2] [v3 MQTT-4.8.0-1]
#[test]
fn text_that_is_none_is_malformed() {
    let v3 = [
        ("topic: no UTF-8", "30 03 00 01 FF"),
        ("topic: a surrogate", "30 05 00 03 ED A0 80"),
        ("topic: U+0000", "30 04 00 02 61 00"),
    ];
    let v5 = [
        ("topic: no UTF-8", "30 04 00 01 FF 00"),
        ("topic: a surrogate", "30 06 00 03 ED A0 80 00"),
        ("topic: U+0000", "30 05 00 02 61 00 00"),
        ("Content Type: no UTF-8", "30 08 00 01 74 04 03 00 01 C0"),
        ("Response Topic: no UTF-8", "30 08 00 01 74 04 08 00 01 C0"),
        (
            "User Property: a name that is no UTF-8",
            "30 0B 00 01 74 07 26 00 01 80 00 01 76",
        ),
        (
            "User Property: a value with U+0000",
            "30 0B 00 01 74 07 26 00 01 6E 00 01 00",
        ),
    ];
    assert_refused(Version::V3_1_1, MALFORMED, &v3);
    assert_refused(Version::V5, MALFORMED, &v5);
}

/// Control characters and non-characters are text: our client takes them. [X5-1.5.4-3]
#[test]
fn control_characters_are_text() {
    let mut wire = Wire::connected(Options::new(Version::V5, text("c")));
    wire.receive("30 07 00 04 01 EF BF BF 00");
    assert_eq!(wire.events().len(), 1);
}

/// [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1] [X5-2.1.3-1] [v3 MQTT-2.2.2-1] [v3 MQTT-2.2.2-2] [v3 MQTT-3.6.1-1]
#[test]
fn fixed_header_flags_that_are_reserved_are_malformed() {
    let both = [
        ("CONNACK", "21 02 00 00"),
        ("PUBACK", "42 02 00 01"),
        ("PUBREC", "54 02 00 01"),
        ("PUBREL", "60 02 00 01"),
        ("PUBREL", "6A 02 00 01"),
        ("PUBCOMP", "78 02 00 01"),
        ("SUBACK", "91 03 00 01 00"),
        ("UNSUBACK", "B2 02 00 01"),
        ("PINGRESP", "D1 00"),
    ];
    for version in Version::ALL {
        assert_refused(version, MALFORMED, &both);
    }
    assert_refused(
        Version::V5,
        MALFORMED,
        &[("DISCONNECT", "E1 00"), ("AUTH", "F2 00")],
    );
}

/// [MQTT-3.3.1-4] [MQTT-3.3.1-2] [MQTT-3.3.2-2] [MQTT-4.7.0-1] [X5-3.3.1.2-1] [v3 MQTT-3.3.1-4] [v3 MQTT-3.3.2-2] [v3 MQTT-4.7.1-1]
#[test]
fn a_publish_that_no_server_may_send_is_malformed() {
    let v3 = [
        ("QoS 3", "36 05 00 01 74 00 01"),
        ("DUP at QoS 0", "38 03 00 01 74"),
        ("a wildcard in the topic", "30 05 00 03 61 2F 23"),
    ];
    let v5 = [
        ("QoS 3", "36 06 00 01 74 00 01 00"),
        ("DUP at QoS 0", "38 04 00 01 74 00"),
        ("a wildcard in the topic", "30 06 00 03 61 2F 2B 00"),
    ];
    assert_refused(Version::V3_1_1, MALFORMED, &v3);
    assert_refused(Version::V5, MALFORMED, &v5);
}

/// [MQTT-2.2.1-4] [MQTT-4.7.3-1] [X5-3.3.2.1-1] [X5-3.3.4-1] [v3 MQTT-2.3.1-1] [v3 MQTT-4.7.3-1]
#[test]
fn a_publish_without_an_identifier_or_a_topic_is_a_protocol_error() {
    let v3 = [
        ("QoS 1 with Packet Identifier 0", "32 05 00 01 74 00 00"),
        ("QoS 2 with Packet Identifier 0", "34 05 00 01 74 00 00"),
        ("no topic", "30 02 00 00"),
    ];
    let v5 = [
        ("QoS 1 with Packet Identifier 0", "32 06 00 01 74 00 00 00"),
        ("QoS 2 with Packet Identifier 0", "34 06 00 01 74 00 00 00"),
        ("no topic and no alias", "30 03 00 00 00"),
    ];
    assert_refused(Version::V3_1_1, PROTOCOL_ERROR, &v3);
    assert_refused(Version::V5, PROTOCOL_ERROR, &v5);
    let mut wire = with_aliases();
    wire.receive("30 06 00 00 03 23 00 02 # alias 2, which nothing was mapped to");
    wire.assert_refused("an alias without a mapping", PROTOCOL_ERROR);
}

fn with_aliases() -> Wire {
    Wire::connected(Options {
        topic_alias_maximum: 2,
        ..Options::new(Version::V5, text("c"))
    })
}

/// [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-8] [MQTT-3.3.2-11] [X5-3.3.2.3.4-1]
#[test]
fn a_topic_alias_outside_what_was_announced_is_invalid() {
    for hex in ["30 07 00 01 74 03 23 00 00", "30 07 00 01 74 03 23 00 03"] {
        let mut wire = with_aliases();
        wire.receive(hex);
        wire.assert_refused(hex, ReasonCode::TopicAliasInvalid);
    }
    let mut wire = Wire::connected(Options::new(Version::V5, text("c")));
    wire.receive("30 07 00 01 74 03 23 00 01");
    wire.assert_refused("an alias, and none was announced", ReasonCode::TopicAliasInvalid);
}

/// [MQTT-3.3.2-14] [X5-2.2.2.2-1]
#[test]
fn properties_of_other_packets_and_response_topics_with_wildcards_are_malformed() {
    let rows = [
        (
            "PUBLISH: Session Expiry Interval",
            "30 09 00 01 74 05 11 00 00 00 01",
        ),
        ("PUBLISH: an identifier that is none", "30 06 00 01 74 02 7F 00"),
        (
            "PUBLISH: a property that is cut off",
            "30 07 00 01 74 03 02 00 00",
        ),
        (
            "PUBLISH: Response Topic a/#",
            "30 0A 00 01 74 06 08 00 03 61 2F 23",
        ),
        ("PUBACK: Topic Alias", "40 07 00 01 00 03 23 00 01"),
        ("PUBREC: Content Type", "50 08 00 01 00 04 03 00 01 61"),
        ("PUBREL: Server Keep Alive", "62 07 00 01 00 03 13 00 01"),
        ("PUBCOMP: Maximum QoS", "70 06 00 01 00 02 24 01"),
        ("SUBACK: Subscription Identifier", "90 06 00 01 02 0B 01 00"),
        ("UNSUBACK: Retain Available", "B0 06 00 01 02 25 01 00"),
        ("DISCONNECT: Receive Maximum", "E0 05 00 03 21 00 01"),
        ("AUTH: Wildcard Subscription Available", "F0 04 18 02 28 01"),
    ];
    assert_refused(Version::V5, MALFORMED, &rows);
}

/// [X5-3.3.2.3-1..4] [X5-3.4.2.2-1] [X5-3.5.2.2-1] [X5-3.6.2.2-1] [X5-3.7.2.2-1] [X5-3.9.2.1-1] [X5-3.11.2.1-1] [X5-3.14.2.2-1..3] [X5-3.15.2.2-1..3]
#[test]
fn a_property_that_comes_twice_is_a_protocol_error() {
    let rows = [
        ("PUBLISH: Topic Alias", "30 0A 00 01 74 06 23 00 01 23 00 01"),
        (
            "PUBLISH: Response Topic",
            "30 0C 00 01 74 08 08 00 01 72 08 00 01 72",
        ),
        (
            "PUBLISH: Correlation Data",
            "30 0C 00 01 74 08 09 00 01 72 09 00 01 72",
        ),
        (
            "PUBLISH: Content Type",
            "30 0C 00 01 74 08 03 00 01 72 03 00 01 72",
        ),
        (
            "PUBACK: Reason String",
            "40 0C 00 01 00 08 1F 00 01 72 1F 00 01 72",
        ),
        (
            "PUBREC: Reason String",
            "50 0C 00 01 00 08 1F 00 01 72 1F 00 01 72",
        ),
        (
            "PUBREL: Reason String",
            "62 0C 00 01 00 08 1F 00 01 72 1F 00 01 72",
        ),
        (
            "PUBCOMP: Reason String",
            "70 0C 00 01 00 08 1F 00 01 72 1F 00 01 72",
        ),
        (
            "SUBACK: Reason String",
            "90 0C 00 01 08 1F 00 01 72 1F 00 01 72 00",
        ),
        (
            "UNSUBACK: Reason String",
            "B0 0C 00 01 08 1F 00 01 72 1F 00 01 72 00",
        ),
        (
            "DISCONNECT: Session Expiry Interval",
            "E0 0C 00 0A 11 00 00 00 01 11 00 00 00 01",
        ),
        ("DISCONNECT: Reason String", "E0 0A 00 08 1F 00 01 72 1F 00 01 72"),
        (
            "DISCONNECT: Server Reference",
            "E0 0A 00 08 1C 00 01 72 1C 00 01 72",
        ),
        (
            "AUTH: Authentication Method",
            "F0 0A 18 08 15 00 01 6D 15 00 01 6D",
        ),
        (
            "AUTH: Authentication Data",
            "F0 0E 18 0C 15 00 01 6D 16 00 01 64 16 00 01 64",
        ),
        (
            "AUTH: Reason String",
            "F0 0E 18 0C 15 00 01 6D 1F 00 01 72 1F 00 01 72",
        ),
    ];
    assert_refused(Version::V5, PROTOCOL_ERROR, &rows);
}

/// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-3.15.2-1] [X5-3.3.2.3.8-1] [X5-3.1.3.2.3-1]
/// [X5-3.15.2.2.2-1] [X5-3.15-1] [X5-3.14.2.2.2-2] [X5-4.13.1-1] [X5-4.13.1-2]
#[test]
fn a_value_that_is_not_listed_is_a_protocol_error() {
    let rows = [
        ("PUBACK: Reason Code 0x92", "40 03 00 01 92"),
        ("PUBREC: Reason Code 0x18", "50 03 00 01 18"),
        ("PUBREL: Reason Code 0x10", "62 03 00 01 10"),
        ("PUBCOMP: Reason Code 0x80", "70 03 00 01 80"),
        ("SUBACK: Reason Code 0x03", "90 04 00 01 00 03"),
        ("UNSUBACK: Reason Code 0x01", "B0 04 00 01 00 01"),
        ("DISCONNECT: Reason Code 0x01", "E0 01 01"),
        (
            "DISCONNECT: Session Expiry Interval from a server",
            "E0 07 00 05 11 00 00 00 01",
        ),
        ("AUTH: Reason Code 0x01", "F0 06 01 04 15 00 01 6D"),
        ("AUTH: no Authentication Method", "F0 02 18 00"),
        (
            "AUTH: a method that CONNECT did not name",
            "F0 06 18 04 15 00 01 6D",
        ),
        ("PUBLISH: Subscription Identifier 0", "30 06 00 01 74 02 0B 00"),
        ("PUBLISH: Payload Format Indicator 2", "30 06 00 01 74 02 01 02"),
    ];
    assert_refused(Version::V5, PROTOCOL_ERROR, &rows);
}

/// [MQTT-1.5.5-1]
#[test]
fn a_length_in_more_bytes_than_it_needs_is_malformed() {
    let rows = [
        ("Remaining Length", "D0 80 00"),
        ("Property Length", "30 05 00 01 74 80 00"),
        ("Subscription Identifier", "30 07 00 01 74 03 0B 81 00"),
    ];
    assert_refused(Version::V5, MALFORMED, &rows);
}

/// [X5-3.1.2.11.4-2] [X5-4.13.1-2]
#[test]
fn a_packet_above_the_maximum_packet_size_is_refused_from_its_fixed_header() {
    let options = Options {
        packet_size_max: 8,
        ..Options::new(Version::V5, text("c"))
    };
    let mut wire = Wire::connected(options.clone());
    wire.receive("30 06 00 01 74 00 61 62 # 8 bytes");
    assert_eq!(wire.events().len(), 1);
    let mut wire = Wire::connected(options);
    wire.receive("30 07 00 01 74 00 61 62 63 # 9 bytes");
    wire.assert_refused("9 bytes", ReasonCode::PacketTooLarge);
}
