use squall_proto::{
    Disconnect, Properties, Property, Qos, ReasonCode, TopicFilter, TopicName, Version,
    client::{Event, Input, Message, Options, Subscription, Ticket, Unsubscription},
};

use super::rig::{Wire, plain};
use crate::rig::{filter, message, text, topic};

/// Bytes with the empty property list of 5.0, and without it.
struct Said {
    v3: &'static str,
    v5: &'static str,
}

impl Said {
    const fn same(both: &'static str) -> Self {
        Self { v3: both, v5: both }
    }

    fn of(&self, version: Version) -> String {
        plain(match version {
            Version::V3_1_1 => self.v3,
            Version::V5 => self.v5,
        })
    }
}

fn persistent(version: Version) -> Wire {
    Wire::connected(Options::persistent(version, text("c")))
}

/// [MQTT-2.2.1-2] [MQTT-3.3.1-2] [MQTT-3.3.2-1] [MQTT-4.3.1-1] [v3 MQTT-2.3.1-5] [v3 MQTT-3.3.1-2] [v3 MQTT-3.3.2-1] [v3 MQTT-4.3.1-1]
#[test]
fn a_qos_0_publish_is_its_topic_and_its_payload() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        wire.handle(Input::Publish(Ticket(1), message(1, Qos::AtMostOnce)));
        let said = Said {
            v3: "30 04 00 01 74 31",
            v5: "30 05 00 01 74 00 31",
        };
        assert_eq!(wire.sent(), said.of(version));
    }
}

/// [MQTT-2.2.1-3] [MQTT-3.3.1-4] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-2.2.1-5] [MQTT-3.6.1-1] [MQTT-2.1.3-1]
/// [v3 MQTT-2.3.1-1] [v3 MQTT-2.3.1-6] [v3 MQTT-3.3.1-4] [v3 MQTT-3.6.1-1] [v3 MQTT-2.2.2-1]
#[test]
fn qos_1_and_2_have_identifiers_of_their_own_which_pubrel_repeats() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        wire.handle(Input::Publish(Ticket(1), message(1, Qos::AtLeastOnce)));
        wire.handle(Input::Publish(Ticket(2), message(2, Qos::ExactlyOnce)));
        let said = Said {
            v3: "32 06 00 01 74 00 01 31   34 06 00 01 74 00 02 32",
            v5: "32 07 00 01 74 00 01 00 31   34 07 00 01 74 00 02 00 32",
        };
        assert_eq!(wire.sent(), said.of(version));
        wire.receive("50 02 00 02 # PUBREC of 2");
        assert_eq!(wire.sent(), "62 02 00 02");
    }
}

/// [MQTT-3.8.1-1] [MQTT-3.8.3-1] [MQTT-3.8.3-2] [v3 MQTT-3.8.1-1] [v3 MQTT-3.8.3-1] [v3 MQTT-3.8.3-3]
#[test]
fn subscribe_has_its_flags_and_a_filter_with_its_options() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        let subscription = Subscription::new(filter("é/#"), Qos::ExactlyOnce);
        wire.handle(Input::Subscribe(Ticket(1), subscription));
        let said = Said {
            v3: "82 09 00 01 00 04 C3 A9 2F 23 02",
            v5: "82 0A 00 01 00 00 04 C3 A9 2F 23 02",
        };
        assert_eq!(wire.sent(), said.of(version));
    }
}

/// [MQTT-3.10.1-1] [MQTT-3.10.3-1] [MQTT-3.10.3-2] [v3 MQTT-3.10.1-1] [v3 MQTT-3.10.3-1] [v3 MQTT-3.10.3-2]
#[test]
fn unsubscribe_has_its_flags_and_its_filters_one_after_another() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        let mut unsubscription = Unsubscription::new(filter("a"));
        unsubscription.filters.push(filter("ü"));
        wire.handle(Input::Unsubscribe(Ticket(1), unsubscription));
        let said = Said {
            v3: "A2 09 00 01 00 01 61 00 02 C3 BC",
            v5: "A2 0A 00 01 00 00 01 61 00 02 C3 BC",
        };
        assert_eq!(wire.sent(), said.of(version));
    }
}

/// [MQTT-3.3.4-1] [MQTT-4.5.0-2] [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-2.2.1-5] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.7.2-1]
/// [v3 MQTT-3.3.4-1] [v3 MQTT-4.5.0-2] [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3] [v3 MQTT-2.3.1-6]
#[test]
fn every_publish_is_answered_as_its_qos_demands_in_the_order_they_came() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        let publishes = Said {
            v3: "32 06 00 01 74 00 09 61   34 06 00 01 74 00 08 62   30 04 00 01 74 63
                 34 06 00 01 74 00 03 64   32 06 00 01 74 00 02 65",
            v5: "32 07 00 01 74 00 09 00 61   34 07 00 01 74 00 08 00 62   30 05 00 01 74 00 63
                 34 07 00 01 74 00 03 00 64   32 07 00 01 74 00 02 00 65",
        };
        wire.receive(&publishes.of(version));
        let acknowledged = Said::same("40 02 00 09  50 02 00 08  50 02 00 03  40 02 00 02");
        assert_eq!(wire.sent(), acknowledged.of(version));
        assert_eq!(wire.events().len(), 5);
        wire.receive("62 02 00 03   62 02 00 08 # PUBREL");
        assert_eq!(wire.sent(), plain("70 02 00 03   70 02 00 08"));
    }
}

/// [MQTT-3.14.2-1] [MQTT-3.14.4-1] [MQTT-3.14.4-2] [v3 MQTT-3.14.4-1] [v3 MQTT-3.14.4-2]
#[test]
fn disconnect_is_the_last_packet_before_the_close() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        wire.handle(Input::Disconnect(Disconnect::of(ReasonCode::Success)));
        assert_eq!(wire.sent(), "E0 00");
        assert!(wire.is_closed());
        wire.handle(Input::Publish(Ticket(1), message(1, Qos::AtMostOnce)));
        let publish = Said {
            v3: "32 06 00 01 74 00 09 61",
            v5: "32 07 00 01 74 00 09 00 61",
        };
        wire.receive(&publish.of(version));
        assert_eq!(wire.sent(), "");
    }
}

/// [MQTT-1.5.4-3] [v3 MQTT-1.5.3-3] [MQTT-1.5.7-1]
#[test]
fn text_from_the_server_is_told_byte_for_byte() {
    for version in Version::ALL {
        let mut wire = persistent(version);
        let publish = Said {
            v3: "30 06 00 04 EF BB BF 74",
            v5: "30 10 00 04 EF BB BF 74
                 09 26 00 03 EF BB BF 00 01 76   # User Property U+FEFF = v",
        };
        wire.receive(&publish.of(version));
        let events = wire.events();
        let [Event::Message { message, .. }] = events.as_slice() else {
            panic!("a message is told: {events:?}")
        };
        assert_eq!(&*message.topic, "\u{feff}t");
        let properties: Properties = match version {
            Version::V3_1_1 => Properties::new(),
            Version::V5 => [Property::UserProperty(text("\u{feff}"), text("v"))]
                .into_iter()
                .collect(),
        };
        assert_eq!(message.properties, properties);
    }
}

/// [MQTT-1.5.5-1]
#[test]
fn lengths_take_as_few_bytes_as_they_can() {
    for (payload, header) in [
        (122, "30 7F"),
        (123, "30 80 01"),
        (16_378, "30 FF 7F"),
        (16_379, "30 80 80 01"),
    ] {
        let mut wire = persistent(Version::V5);
        let message = Message::new(topic("ab"), vec![0; payload].into(), Qos::AtMostOnce);
        wire.handle(Input::Publish(Ticket(1), message));
        let sent = wire.sent();
        assert!(
            sent.starts_with(&format!("{header} 00 02 61 62 00 00")),
            "{payload}"
        );
    }
}

/// What is no legal topic does not construct, so that a client cannot send it.
///
/// [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3] [MQTT-4.8.2-1] [MQTT-4.8.2-2]
/// [v3 MQTT-3.3.2-2] [v3 MQTT-4.7.1-1] [v3 MQTT-4.7.1-2] [v3 MQTT-4.7.1-3] [v3 MQTT-4.7.3-1] [v3 MQTT-4.7.3-2] [v3 MQTT-4.7.3-3]
#[test]
fn a_topic_that_is_none_cannot_be_asked_for() {
    let long = "a".repeat(65_536);
    for name in ["", "a/+", "#", "a\0", &long] {
        assert!(TopicName::new(name).is_err(), "{name:?}");
    }
    for name in [
        "",
        "a#",
        "a/#/b",
        "a+",
        "+a/b",
        "a\0",
        "$share/g",
        "$share/g/",
        "$share//a",
        "$share/+/a",
        "$share/g#/a",
        &long,
    ] {
        assert!(TopicFilter::new(name).is_err(), "{name:?}");
    }
}
