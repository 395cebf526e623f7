use squall_proto::{
    Qos, ReasonCode, Version,
    client::{Event, Input, Options, Ticket, Why},
};

use super::rig::{Wire, plain};
use crate::rig::{message, text};

/// A client that waits for CONNACK closes on each of these.
fn assert_refused(version: Version, reason_code: ReasonCode, rows: &[(&str, &str)]) {
    for (what, hex) in rows {
        let mut wire = Wire::open(Options::persistent(version, text("c")));
        wire.sent();
        wire.receive(hex);
        wire.assert_refused(what, reason_code);
    }
}

/// [X5-3.2.2.3-1..16]
#[test]
fn a_property_that_comes_twice_in_connack_is_a_protocol_error() {
    let rows = [
        (
            "Session Expiry Interval",
            "20 0D 00 00 0A 11 00 00 00 01 11 00 00 00 01",
        ),
        ("Receive Maximum", "20 09 00 00 06 21 00 01 21 00 01"),
        ("Maximum QoS", "20 07 00 00 04 24 01 24 01"),
        ("Retain Available", "20 07 00 00 04 25 01 25 01"),
        (
            "Maximum Packet Size",
            "20 0D 00 00 0A 27 00 00 01 00 27 00 00 01 00",
        ),
        (
            "Assigned Client Identifier",
            "20 0B 00 00 08 12 00 01 61 12 00 01 61",
        ),
        ("Topic Alias Maximum", "20 09 00 00 06 22 00 01 22 00 01"),
        ("Reason String", "20 0B 00 00 08 1F 00 01 61 1F 00 01 61"),
        ("Wildcard Subscription Available", "20 07 00 00 04 28 01 28 01"),
        ("Subscription Identifiers Available", "20 07 00 00 04 29 01 29 01"),
        ("Shared Subscription Available", "20 07 00 00 04 2A 01 2A 01"),
        ("Server Keep Alive", "20 09 00 00 06 13 00 01 13 00 01"),
        ("Response Information", "20 0B 00 00 08 1A 00 01 61 1A 00 01 61"),
        ("Server Reference", "20 0B 00 00 08 1C 00 01 61 1C 00 01 61"),
        ("Authentication Method", "20 0B 00 00 08 15 00 01 61 15 00 01 61"),
        (
            "Authentication Data",
            "20 0F 00 00 0C 15 00 01 61 16 00 01 61 16 00 01 61",
        ),
    ];
    assert_refused(Version::V5, ReasonCode::ProtocolError, &rows);
}

/// [MQTT-3.2.2-6] [MQTT-3.2.2-8] [X5-3.1.2.11.3-1] [X5-3.1.2.11.4-1] [X5-3.2.2.3.4-1] [X5-3.2.2.3.5-1] [X5-3.2.2.3.11-1] [X5-3.2.2.3.12-1] [X5-3.2.2.3.13-1]
#[test]
fn a_value_that_no_connack_may_have_is_a_protocol_error() {
    let rows = [
        ("Receive Maximum 0", "20 06 00 00 03 21 00 00"),
        ("Maximum Packet Size 0", "20 08 00 00 05 27 00 00 00 00"),
        ("Maximum QoS 2", "20 05 00 00 02 24 02"),
        ("Retain Available 2", "20 05 00 00 02 25 02"),
        ("Wildcard Subscription Available 2", "20 05 00 00 02 28 02"),
        ("Subscription Identifiers Available 2", "20 05 00 00 02 29 02"),
        ("Shared Subscription Available 2", "20 05 00 00 02 2A 02"),
        (
            "Authentication Data without a method",
            "20 07 00 00 04 16 00 01 61",
        ),
        ("a Reason Code of SUBACK", "20 03 00 02 00"),
        ("Session Present beside a refusal", "20 03 01 87 00"),
    ];
    assert_refused(Version::V5, ReasonCode::ProtocolError, &rows);
}

/// [MQTT-3.2.2-1] [X5-2.2.2.2-1]
#[test]
fn reserved_flags_and_properties_of_other_packets_in_connack_are_malformed() {
    let rows = [
        ("Connect Acknowledge Flags 2", "20 03 02 00 00"),
        ("Connect Acknowledge Flags 0x81", "20 03 81 00 00"),
        ("Topic Alias", "20 06 00 00 03 23 00 01"),
        ("Will Delay Interval", "20 08 00 00 05 18 00 00 00 01"),
    ];
    assert_refused(Version::V5, ReasonCode::MalformedPacket, &rows);
}

/// [MQTT-4.13.2-1] [X5-4.13.1-1]
#[test]
fn a_refusal_is_told_and_closed_without_a_word() {
    for (version, hex, reason_code) in [
        (Version::V3_1_1, "20 02 00 05", ReasonCode::NotAuthorized),
        (Version::V5, "20 03 00 87 00", ReasonCode::NotAuthorized),
    ] {
        let mut wire = Wire::open(Options::new(version, text("c")));
        wire.sent();
        wire.receive(hex);
        let events = wire.events();
        assert!(
            matches!(events.as_slice(), [Event::Disconnected(Why::Refused(connack))] if connack.reason_code == reason_code),
            "{events:?}"
        );
        assert_eq!((wire.is_closed(), wire.sent().as_str()), (true, ""));
    }
}

/// [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-3.3.4-7]
#[test]
fn the_send_quota_begins_at_the_servers_receive_maximum() {
    let mut wire = Wire::open(Options::new(Version::V5, text("c")));
    wire.sent();
    wire.receive("20 06 00 00 03 21 00 02 # Receive Maximum 2");
    for ticket in 1..=3 {
        wire.handle(Input::Publish(Ticket(ticket), message(ticket, Qos::AtLeastOnce)));
    }
    assert_eq!(
        wire.sent(),
        plain("32 07 00 01 74 00 01 00 31   32 07 00 01 74 00 02 00 32")
    );
    wire.receive("40 02 00 02 # PUBACK of the second");
    assert_eq!(wire.sent(), plain("32 07 00 01 74 00 03 00 33"));
}
