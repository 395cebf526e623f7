use std::time::Duration;

use squall_proto::{
    Delivery, Packet, Properties, Property, Qos, Version,
    client::{Event, Input, Options, Why},
};

use crate::rig::{Rig, incoming, one, text};

fn options(version: Version) -> Options {
    Options {
        keep_alive: 10,
        ping_timeout: Duration::from_secs(4),
        ..Options::new(version, text("c"))
    }
}

/// [MQTT-3.1.2-20] [v3 MQTT-3.1.2-23]
#[test]
fn silence_for_the_keep_alive_sends_pingreq_and_not_a_moment_before() {
    for version in Version::ALL {
        let mut rig = Rig::connected(options(version));
        rig.wait(9_999);
        rig.assert_quiet();
        rig.wait(1);
        assert_eq!(rig.sent(), Packet::Pingreq);
        rig.receive(Packet::Pingresp);
        rig.wait(9_999);
        rig.assert_quiet();
    }
}

/// [MQTT-3.1.2-20] [v3 MQTT-3.1.2-23]
#[test]
fn the_keep_alive_counts_from_connect_however_long_connack_takes() {
    for version in Version::ALL {
        for (connack_after, left) in [(3_000, 7_000), (12_000, 0)] {
            let mut rig = Rig::new(Options {
                connect_timeout: Duration::from_secs(30),
                ..options(version)
            });
            rig.open();
            rig.wait(connack_after);
            rig.accept(false, Properties::new());
            rig.assert_quiet();
            rig.wait(left);
            assert_eq!(rig.sent(), Packet::Pingreq);
        }
    }
}

#[test]
fn what_is_sent_puts_pingreq_off_as_long_as_the_server_is_heard() {
    for version in Version::ALL {
        let mut rig = Rig::connected(options(version));
        rig.wait(6_000);
        rig.publish(1, Qos::AtMostOnce);
        rig.discard();
        rig.receive(Packet::Publish(incoming(Delivery::AtMostOnce, "m")));
        rig.event();
        rig.wait(9_999);
        rig.assert_quiet();
        rig.wait(1);
        assert_eq!(rig.sent(), Packet::Pingreq);
    }
}

#[test]
fn a_client_that_sends_and_hears_nothing_asks_whether_anybody_is_there() {
    for version in Version::ALL {
        let mut rig = Rig::connected(options(version));
        rig.wait(6_000);
        rig.publish(1, Qos::AtMostOnce);
        rig.discard();
        rig.wait(4_000);
        assert_eq!(rig.sent(), Packet::Pingreq);
    }
}

#[test]
fn a_missing_pingresp_ends_the_connection() {
    for version in Version::ALL {
        let mut rig = Rig::connected(options(version));
        rig.wait(13_999);
        assert_eq!(rig.sent(), Packet::Pingreq);
        rig.assert_quiet();
        rig.wait(1);
        assert_eq!(rig.event(), Event::Disconnected(Why::PingrespTimeout));
        assert!(rig.is_closed());
    }
}

#[test]
fn an_owner_that_does_not_read_does_not_blame_the_server() {
    for version in Version::ALL {
        let mut rig = Rig::connected(options(version));
        rig.wait(13_000);
        assert_eq!(rig.sent(), Packet::Pingreq);
        for _ in 0..5 {
            let deadline = rig.client().next_deadline().unwrap();
            let millis = u64::try_from((deadline - rig.now()).as_millis()).unwrap();
            rig.wait(millis.saturating_sub(1));
            rig.handle(Input::Tick { reading: false });
        }
        assert!(!rig.is_closed());
    }
}

#[test]
fn pings_go_on_while_a_pingresp_is_late() {
    for version in Version::ALL {
        let mut rig = Rig::connected(Options {
            ping_timeout: Duration::from_secs(25),
            ..options(version)
        });
        rig.wait(34_999);
        for _ in 0..3 {
            assert_eq!(rig.sent(), Packet::Pingreq);
        }
        rig.assert_quiet();
        rig.wait(1);
        assert!(rig.is_closed());
    }
}

/// [MQTT-3.1.2-21] [MQTT-3.2.2-21]
#[test]
fn server_keep_alive_replaces_ours() {
    for (server, pings) in [(5, true), (0, false)] {
        let connack = one(Property::ServerKeepAlive(server));
        let mut rig = Rig::connected_with(options(Version::V5), connack);
        rig.wait(5_000);
        assert_eq!(rig.client().next_deadline().is_some(), pings);
        if pings {
            assert_eq!(rig.sent(), Packet::Pingreq);
        }
    }
}

#[test]
fn without_keep_alive_there_is_no_pingreq() {
    for version in Version::ALL {
        let mut rig = Rig::connected(Options {
            keep_alive: 0,
            ..options(version)
        });
        rig.wait(1_000_000_000);
        rig.assert_quiet();
    }
}
