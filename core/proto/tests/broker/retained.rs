use squall_proto::{Delivery, Packet, Publish, Qos, RetainHandling, SubscriptionOptions, Version};

use crate::table::{Table, id, publish, subscribe};

fn retain(t: &mut Table, topic: &str, payload: &'static str) {
    t.send(
        "pub",
        Packet::Publish(Publish {
            retain: true,
            ..publish(topic, payload, Delivery::AtLeastOnce(id(1)))
        }),
    );
}

fn table(version: Version) -> Table {
    let mut t = Table::new(version);
    t.connect("pub");
    t.connect("sub");
    t
}

/// [MQTT-3.3.1-5] [MQTT-3.3.1-9] [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-6] [v3 MQTT-3.3.1-8]
#[test]
fn a_new_subscription_gets_the_last_retained_message_of_each_topic() {
    for version in Version::ALL {
        let mut t = table(version);
        for (topic, payload) in [("t/1", "old"), ("t/1", "new"), ("t/2", "two"), ("u", "other")] {
            retain(&mut t, topic, payload);
        }
        t.subscribe("sub", "t/#", Qos::AtMostOnce);
        let wanted = [("t/1", "new"), ("t/2", "two")];
        for (topic, payload) in wanted {
            assert_eq!(
                t.next_publish("sub"),
                Publish {
                    retain: true,
                    ..publish(topic, payload, Delivery::AtMostOnce)
                }
            );
        }
        t.expect_nothing("sub");
    }
}

/// [MQTT-3.3.1-6] [MQTT-3.3.1-7] [v3 MQTT-3.3.1-10] [v3 MQTT-3.3.1-11]
#[test]
fn an_empty_payload_deletes_and_is_delivered() {
    for version in Version::ALL {
        let mut t = table(version);
        retain(&mut t, "t", "x");
        t.connect("live");
        t.subscribe("live", "t", Qos::AtMostOnce);
        retain(&mut t, "t", "");
        assert_eq!(t.take_payloads("live"), ["x", ""]);
        t.subscribe("sub", "t", Qos::AtMostOnce);
        t.expect_nothing("sub");
    }
}

/// [MQTT-3.3.1-8] [v3 MQTT-3.3.1-12]
#[test]
fn a_message_without_retain_touches_nothing() {
    for version in Version::ALL {
        let mut t = table(version);
        retain(&mut t, "t", "x");
        t.send("pub", Packet::Publish(publish("t", "y", Delivery::AtMostOnce)));
        t.send("pub", Packet::Publish(publish("t", "", Delivery::AtMostOnce)));
        t.subscribe("sub", "t", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("sub"), ["x"]);
    }
}

/// [MQTT-3.3.1-12] [MQTT-3.3.1-13] [v3 MQTT-3.3.1-9]
#[test]
fn retain_is_forwarded_only_where_a_subscription_asks() {
    for (retain_as_published, wanted) in [(false, false), (true, true)] {
        let mut t = table(Version::V5);
        let options = SubscriptionOptions {
            retain_as_published,
            ..SubscriptionOptions::default()
        };
        t.send("sub", subscribe("t", options));
        t.next_packet("sub");
        retain(&mut t, "t", "x");
        assert_eq!(t.next_publish("sub").retain, wanted);
    }
}

/// [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]
#[test]
fn retain_handling_decides_who_gets_retained_messages_on_subscribing() {
    let cases = [
        (RetainHandling::Send, [true, true]),
        (RetainHandling::SendIfNew, [true, false]),
        (RetainHandling::DoNotSend, [false, false]),
    ];
    for (retain_handling, wanted) in cases {
        let mut t = table(Version::V5);
        retain(&mut t, "t", "x");
        for wanted in wanted {
            t.send(
                "sub",
                subscribe(
                    "t",
                    SubscriptionOptions {
                        retain_handling,
                        ..SubscriptionOptions::default()
                    },
                ),
            );
            t.next_packet("sub");
            assert_eq!(
                t.take_payloads("sub").len(),
                usize::from(wanted),
                "{retain_handling:?}"
            );
        }
    }
}

/// [v3 MQTT-3.1.2-7]
#[test]
fn retained_messages_outlive_the_session_that_published_them() {
    for version in Version::ALL {
        let mut t = table(version);
        retain(&mut t, "t", "x");
        t.next_packet("pub");
        t.disconnect("pub");
        t.subscribe("sub", "t", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("sub"), ["x"]);
    }
}
