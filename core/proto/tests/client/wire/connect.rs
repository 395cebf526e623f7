use squall_proto::{
    Binary, Properties, Property, Qos, Version, Will,
    client::{Input, Options, Ticket},
};

use super::rig::{Wire, plain};
use crate::rig::{message, one, text, topic};

fn will(qos: Qos, retain: bool, properties: Properties) -> Option<Will> {
    Some(Will {
        topic: topic("w"),
        payload: Binary::new("x").expect("short"),
        qos,
        retain,
        properties,
    })
}

fn assert_connect(options: Options, hex: &str) {
    assert_eq!(Wire::open(options).sent(), plain(hex));
}

/// [MQTT-3.1.0-1] [MQTT-3.1.2-1] [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-3.1.3-3] [MQTT-2.2.2-1]
/// [v3 MQTT-3.1.0-1] [v3 MQTT-3.1.2-11] [v3 MQTT-3.1.2-13] [v3 MQTT-3.1.2-15] [v3 MQTT-3.1.2-18] [v3 MQTT-3.1.2-20] [v3 MQTT-3.1.3-3]
#[test]
fn connect_has_no_field_that_its_flags_do_not_announce() {
    assert_connect(
        Options::new(Version::V3_1_1, text("c")),
        "10 0D                    # CONNECT, 13 bytes follow
         00 04 4D 51 54 54 04     # MQTT, level 4
         02 00 3C                 # Clean Session alone, Keep Alive 60
         00 01 63                 # Client Identifier c",
    );
    assert_connect(
        Options::new(Version::V5, text("c")),
        "10 0E                    # CONNECT, 14 bytes follow
         00 04 4D 51 54 54 05     # MQTT, level 5
         02 00 3C 00              # Clean Start alone, Keep Alive 60, no properties
         00 01 63                 # Client Identifier c",
    );
}

/// [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.3-1] [MQTT-3.1.3-11] [MQTT-3.1.3-12]
/// [v3 MQTT-3.1.2-9] [v3 MQTT-3.1.2-19] [v3 MQTT-3.1.2-21] [v3 MQTT-3.1.3-1] [v3 MQTT-3.1.3-10] [v3 MQTT-3.1.3-11]
#[test]
fn connect_has_every_field_that_its_flags_announce_in_the_order_of_the_standard() {
    let with_all = |version, properties| Options {
        will: will(Qos::AtLeastOnce, true, properties),
        user_name: Some(text("ü")),
        password: Binary::new(b"\0\xFF".as_slice()).ok(),
        ..Options::new(version, text("c"))
    };
    assert_connect(
        with_all(Version::V3_1_1, Properties::new()),
        "10 1B
         00 04 4D 51 54 54 04
         EE 00 3C                 # User Name, Password, Will Retain, Will QoS 1, Will, Clean Session
         00 01 63                 # Client Identifier c
         00 01 77                 # Will Topic w
         00 01 78                 # Will Message x
         00 02 C3 BC              # User Name ü
         00 02 00 FF              # Password, which is no text",
    );
    assert_connect(
        with_all(Version::V5, one(Property::WillDelayInterval(7))),
        "10 22
         00 04 4D 51 54 54 05
         EE 00 3C 00              # User Name, Password, Will Retain, Will QoS 1, Will, Clean Start; no properties
         00 01 63                 # Client Identifier c
         05 18 00 00 00 07        # Will Properties: Will Delay Interval 7
         00 01 77                 # Will Topic w
         00 01 78                 # Will Payload x
         00 02 C3 BC              # User Name ü
         00 02 00 FF              # Password",
    );
}

/// [MQTT-3.1.2-12] [v3 MQTT-3.1.2-14]
#[test]
fn the_will_has_the_qos_and_retain_it_was_given() {
    for (qos, retain, flags) in [
        (Qos::AtMostOnce, false, "06"),
        (Qos::AtLeastOnce, false, "0E"),
        (Qos::ExactlyOnce, false, "16"),
        (Qos::ExactlyOnce, true, "36"),
    ] {
        for version in Version::ALL {
            let options = Options {
                will: will(qos, retain, Properties::new()),
                ..Options::new(version, text("c"))
            };
            let sent = Wire::open(options).sent();
            assert_eq!(sent.split(' ').nth(9), Some(flags), "{version}: {sent}");
        }
    }
}

/// [MQTT-3.1.2-16] [MQTT-3.1.2-19]
#[test]
fn a_password_stands_alone_in_5_0() {
    assert_connect(
        Options {
            password: Binary::new("p").ok(),
            ..Options::new(Version::V5, text("c"))
        },
        "10 11 00 04 4D 51 54 54 05
         42 00 3C 00              # Password, Clean Start
         00 01 63                 # Client Identifier c
         00 01 70                 # Password p",
    );
}

/// [MQTT-3.1.3-4] [v3 MQTT-3.1.3-4] [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3]
#[test]
fn the_client_identifier_goes_out_byte_for_byte() {
    let options = Options::new(Version::V3_1_1, text("\u{feff}é"));
    assert_connect(
        options,
        "10 11 00 04 4D 51 54 54 04 02 00 3C
         00 05 EF BB BF C3 A9     # U+FEFF, é",
    );
}

/// [MQTT-3.1.2-30] [MQTT-4.12.0-7]
#[test]
fn nothing_but_connect_goes_out_before_connack() {
    for version in Version::ALL {
        let mut wire = Wire::open(Options::new(version, text("c")));
        wire.sent();
        wire.handle(Input::Publish(Ticket(1), message(1, Qos::AtMostOnce)));
        wire.handle(Input::Publish(Ticket(2), message(2, Qos::AtLeastOnce)));
        assert_eq!(wire.sent(), "");
    }
}
