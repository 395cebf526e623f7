use std::time::Duration;

use squall_proto::{
    Binary, Connect, Delivery, Disconnect, Packet, Properties, Property, Qos, ReasonCode, TopicName, Version,
    Will, broker::Close,
};

use crate::table::{Seen, Table, publish};

fn will(delay: u32) -> Will {
    let mut properties = Properties::new();
    if delay > 0 {
        properties.push(Property::WillDelayInterval(delay));
    }
    Will {
        topic: TopicName::new("will").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties,
    }
}

/// A watcher, and a client with a Will and a session to keep.
fn table(version: Version, delay: u32) -> Table {
    let mut t = Table::new(version);
    t.connect("watcher");
    t.subscribe("watcher", "will", Qos::AtMostOnce);
    let connect = with_will(&t, delay);
    t.connect_as("a", connect);
    t
}

fn with_will(t: &Table, delay: u32) -> Connect {
    Connect {
        will: Some(will(delay)),
        keep_alive: 10,
        ..t.persistent("a")
    }
}

/// [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8]
#[test]
fn a_lost_connection_publishes_the_will_once() {
    for version in Version::ALL {
        let mut t = table(version, 0);
        t.cut("a");
        assert_eq!(
            t.next_publish("watcher"),
            publish("will", "gone", Delivery::AtMostOnce)
        );
        let connect = t.persistent("a");
        t.connect_as("a", connect);
        t.cut("a");
        t.expect_nothing("watcher");
    }
}

/// [MQTT-3.1.2-8] [v3 MQTT-3.1.2-8]
#[test]
fn a_keep_alive_time_out_publishes_the_will() {
    for version in Version::ALL {
        let mut t = table(version, 0);
        t.wait(Duration::from_secs(15));
        assert_eq!(t.take_payloads("watcher"), ["gone"]);
        t.cut("a");
        t.expect_nothing("watcher");
    }
}

/// [MQTT-3.14.4-3] [v3 MQTT-3.14.4-3]
#[test]
fn disconnect_publishes_no_will() {
    for version in Version::ALL {
        let mut t = table(version, 0);
        t.disconnect("a");
        t.wait(Duration::from_secs(100));
        t.expect_nothing("watcher");
    }
}

#[test]
fn disconnect_with_will_message_publishes_it() {
    let mut t = table(Version::V5, 0);
    t.send(
        "a",
        Packet::Disconnect(Disconnect::of(ReasonCode::DisconnectWithWillMessage)),
    );
    t.expect("a", Seen::Closed(Close::Disconnected));
    assert_eq!(t.take_payloads("watcher"), ["gone"]);
}

/// [MQTT-3.1.2-8] [MQTT-3.1.3-9]
#[test]
fn a_delayed_will_waits_and_a_reconnect_in_time_cancels_it() {
    for (seconds, wanted) in [(4, 0), (5, 1)] {
        let mut t = table(Version::V5, 5);
        t.cut("a");
        t.expect_nothing("watcher");
        t.wait(Duration::from_secs(seconds));
        let connect = t.persistent("a");
        t.connect_as("a", connect);
        t.wait(Duration::from_secs(100));
        assert_eq!(t.take_payloads("watcher").len(), wanted);
    }
}

/// [MQTT-3.1.2-8]
#[test]
fn the_end_of_the_session_publishes_a_delayed_will() {
    let mut t = table(Version::V5, 50);
    t.cut("a");
    let clean = t.clean("a");
    t.connect_as("a", clean);
    assert_eq!(t.take_payloads("watcher"), ["gone"]);

    let mut t = Table::new(Version::V5);
    t.connect("watcher");
    t.subscribe("watcher", "will", Qos::AtMostOnce);
    let connect = Connect {
        will: Some(will(50)),
        ..t.clean("a")
    };
    t.connect_as("a", connect);
    t.cut("a");
    assert_eq!(t.take_payloads("watcher"), ["gone"]);
}

/// [MQTT-3.1.2-15] [v3 MQTT-3.1.2-17]
#[test]
fn a_will_with_retain_is_kept() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = Connect {
            will: Some(Will {
                retain: true,
                ..will(0)
            }),
            ..t.clean("a")
        };
        t.connect_as("a", connect);
        t.cut("a");
        t.connect("late");
        t.subscribe("late", "will", Qos::AtMostOnce);
        assert_eq!(t.take_payloads("late"), ["gone"]);
    }
}

#[test]
fn a_takeover_publishes_the_will_of_the_connection_that_ends() {
    for version in Version::ALL {
        let mut t = table(version, 0);
        let connect = t.persistent("a");
        t.connect_as("second", connect);
        assert_eq!(t.take_payloads("watcher"), ["gone"]);
        t.cut("a");
        t.expect_nothing("watcher");
    }
}
