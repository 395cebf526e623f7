use std::time::Duration;

use squall_proto::{
    Connect, Packet, ReasonCode, Version,
    broker::{Close, Limits},
};

use crate::table::{Seen, Table};

/// [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
#[test]
fn silence_past_one_and_a_half_keep_alives_is_closed() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = Connect {
            keep_alive: 10,
            ..t.clean("a")
        };
        t.connect_as("a", connect);
        t.wait(Duration::from_millis(14_999));
        t.expect_nothing("a");
        t.wait(Duration::from_millis(1));
        t.expect_refused("a", ReasonCode::KeepAliveTimeout);
    }
}

#[test]
fn any_packet_puts_the_close_off() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        let connect = Connect {
            keep_alive: 10,
            ..t.clean("a")
        };
        t.connect_as("a", connect);
        for _ in 0..5 {
            t.wait(Duration::from_secs(14));
            t.send("a", Packet::Pingreq);
            t.expect_packet("a", Packet::Pingresp);
        }
        t.wait(Duration::from_secs(15));
        t.expect_refused("a", ReasonCode::KeepAliveTimeout);
    }
}

#[test]
fn a_keep_alive_of_zero_never_closes() {
    for version in Version::ALL {
        let mut t = Table::new(version);
        t.connect("a");
        t.wait(Duration::from_secs(1_000_000));
        t.expect_nothing("a");
    }
}

/// [MQTT-3.1.2-21]
#[test]
fn the_server_keep_alive_counts_in_place_of_the_clients() {
    let mut t = Table::with_limits(
        Version::V5,
        Limits {
            keep_alive: Some(2),
            ..Limits::default()
        },
    );
    let connect = Connect {
        keep_alive: 100,
        ..t.clean("a")
    };
    t.connect_as("a", connect);
    t.wait(Duration::from_secs(3));
    t.expect_refused("a", ReasonCode::KeepAliveTimeout);
}

#[test]
fn a_connection_without_connect_is_closed_in_time() {
    let mut t = Table::new(Version::V5);
    t.open("a");
    t.wait(Duration::from_millis(9_999));
    t.expect_nothing("a");
    t.wait(Duration::from_millis(1));
    t.expect("a", Seen::Closed(Close::Refused(ReasonCode::UnspecifiedError)));
}
