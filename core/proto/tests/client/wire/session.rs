use squall_proto::{
    Property, Qos, Version,
    client::{Input, Options, Ticket},
};

use super::rig::{Wire, plain};
use crate::rig::{message, one, text};

fn by_version(version: Version, v3: &'static str, v5: &'static str) -> &'static str {
    match version {
        Version::V3_1_1 => v3,
        Version::V5 => v5,
    }
}

/// [MQTT-3.1.2-23] [MQTT-3.1.3-2] [MQTT-4.1.0-1] [MQTT-4.4.0-1] [v3 MQTT-2.3.1-3] [v3 MQTT-3.1.2-4] [v3 MQTT-3.1.3-2] [v3 MQTT-4.1.0-1]
/// [v3 MQTT-4.1.0-2] [v3 MQTT-4.4.0-1]
#[test]
fn a_session_goes_on_under_its_client_identifier_with_its_packet_identifiers() {
    for version in Version::ALL {
        let mut wire = Wire::connected(Options::persistent(version, text("c")));
        wire.handle(Input::Publish(Ticket(1), message(1, Qos::AtLeastOnce)));
        wire.handle(Input::Publish(Ticket(2), message(2, Qos::ExactlyOnce)));
        wire.sent();
        let connect = by_version(
            version,
            "10 0D 00 04 4D 51 54 54 04 00 00 3C 00 01 63",
            "10 13 00 04 4D 51 54 54 05 00 00 3C 05 11 FF FF FF FF 00 01 63",
        );
        assert_eq!(wire.reopen(5), plain(connect));
        wire.receive(by_version(version, "20 02 01 00", "20 03 01 00 00"));
        let again = by_version(
            version,
            "3A 06 00 01 74 00 01 31   3C 06 00 01 74 00 02 32",
            "3A 07 00 01 74 00 01 00 31   3C 07 00 01 74 00 02 00 32",
        );
        assert_eq!(wire.sent(), plain(again), "the same identifiers, with DUP");
        wire.handle(Input::Publish(Ticket(3), message(3, Qos::AtLeastOnce)));
        let third = by_version(version, "32 06 00 01 74 00 03 33", "32 07 00 01 74 00 03 00 33");
        assert_eq!(wire.sent(), plain(third), "an identifier that is free");
    }
}

/// [MQTT-4.3.3-7]
#[test]
fn a_qos_2_message_that_was_sent_does_not_expire() {
    let mut wire = Wire::connected(Options::persistent(Version::V5, text("c")));
    let mut short = message(1, Qos::ExactlyOnce);
    short.properties = one(Property::MessageExpiryInterval(1));
    wire.handle(Input::Publish(Ticket(1), short));
    assert_eq!(wire.sent(), plain("34 0C 00 01 74 00 01 05 02 00 00 00 01 31"));
    wire.reopen(60);
    wire.receive("20 03 01 00 00");
    let again = wire.sent();
    assert!(again.starts_with("3C 0C 00 01 74 00 01 05 02"), "{again}");
    assert!(again.ends_with("31"), "{again}");
}

/// [MQTT-4.3.3-13]
#[test]
fn a_qos_2_exchange_is_finished_after_its_message_expired() {
    let mut wire = Wire::connected(Options::persistent(Version::V5, text("c")));
    wire.receive("34 0C 00 01 74 00 07 05 02 00 00 00 01 61 # Message Expiry Interval 1");
    assert_eq!(wire.sent(), plain("50 02 00 07"));
    wire.wait(30);
    wire.receive("62 02 00 07 # PUBREL");
    assert_eq!(wire.sent(), plain("70 02 00 07"));
}
