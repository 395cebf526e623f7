use squall_proto::{Connack, Packet, Properties, Property, ReasonCode, Version};

use super::history::{History, Wire, connack, connect};
use crate::trace::{Side, What};

/// A client with a Keep Alive of 10 s, whose CONNECT left at 0 s and whose CONNACK came at 2 s.
fn connected(parts: &str, connack: Packet) -> (History, Wire) {
    let mut history = History::of(parts);
    let mut connect = connect("dev", Version::V5);
    connect.keep_alive = 10;
    let wire = history.open("dev");
    history.client(wire, Packet::Connect(Box::new(connect)));
    history.at(2000).broker(wire, connack);
    (history, wire)
}

const DEV: &str = "clients: { dev: {} }";

fn ping(history: &mut History, wire: Wire) {
    history
        .client(wire, Packet::Pingreq)
        .broker(wire, Packet::Pingresp);
}

#[test]
fn a_client_that_says_something_every_keep_alive_passes() {
    let (mut history, wire) = connected(DEV, connack(false));
    for at in [10_000, 20_000, 25_000, 35_000] {
        ping(history.at(at), wire);
    }
    history.passes();
}

#[test]
fn silence_past_the_keep_alive_is_found() {
    for said in [&[10_001][..], &[10_000, 20_001], &[5_000, 15_001]] {
        let (mut history, wire) = connected(DEV, connack(false));
        for at in said {
            ping(history.at(*at), wire);
        }
        history.fails(&["pings"]);
    }
}

#[test]
fn a_server_keep_alive_counts_for_more() {
    let mut properties = Properties::new();
    properties.push(Property::ServerKeepAlive(4));
    let accepted = Packet::Connack(Connack {
        session_present: false,
        reason_code: ReasonCode::Success,
        properties,
    });
    for (at, found) in [(4_000, &[][..]), (4_001, &["pings"])] {
        let (mut history, wire) = connected(DEV, accepted.clone());
        ping(history.at(at), wire);
        history.fails(found);
    }
}

#[test]
fn nobody_is_judged_while_a_fault_is_at_work() {
    let (mut history, wire) = connected(
        &format!("{DEV}\nsteps: [ {{ pause: {{ host: dev, for: 11s }} }} ]"),
        connack(false),
    );
    let what = String::new();
    history.at(3000).note(What::FaultBegan { step: 0, what });
    history.at(9_000).note(What::FaultEnded { step: 0, touched: 1 });
    ping(history.at(13_999), wire);
    history.passes();
    ping(history.at(24_000), wire);
    history.fails(&["pings"]);
}

#[test]
fn what_does_not_arrive_may_stop_what_is_said_next() {
    let (mut history, wire) = connected(DEV, connack(false));
    history.at(5_000).lose(wire, Side::Client, Packet::Pingreq);
    history.at(18_000).note(What::Healed);
    assert!(!history.findings().contains(&"pings"));
}

#[test]
fn a_connection_that_is_over_and_a_peer_need_not_speak() {
    let (mut history, wire) = connected(DEV, connack(false));
    history.at(9_000).close(wire, Side::Client);
    history.at(30_000).connect("dev", true);
    assert!(!history.findings().contains(&"pings"));

    let (mut history, _) = connected("peers: { dev: {} }", connack(false));
    history.at(20_000).note(What::Healed);
    assert!(!history.findings().contains(&"pings"));
}
