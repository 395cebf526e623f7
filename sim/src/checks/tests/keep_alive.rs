use squall_proto::{Disconnect, Packet, ReasonCode, Version};

use super::history::{History, Wire, connect};
use crate::trace::{End, Side, What};

/// A peer with a Keep Alive of 10 s, last heard at 2 s.
fn silent(version: Version) -> (History, Wire) {
    let mut history = History::of("peers: { raw: {} }").version(version);
    let mut connect = connect("raw", version);
    connect.keep_alive = 10;
    let wire = history.connect_with(connect, false);
    history
        .at(2000)
        .client(wire, Packet::Pingreq)
        .broker(wire, Packet::Pingresp);
    (history, wire)
}

#[test]
fn a_close_at_one_and_a_half_keep_alives_passes() {
    let (mut history, wire) = silent(Version::V3_1_1);
    history.at(17_000).close(wire, Side::Broker);
    history.passes();
}

#[test]
fn a_close_at_1_2_keep_alives_is_early() {
    let (mut history, wire) = silent(Version::V3_1_1);
    history.at(14_000).close(wire, Side::Broker);
    history.fails(&["keep_alive"]);

    let (mut history, wire) = silent(Version::V5);
    let why = Disconnect::of(ReasonCode::KeepAliveTimeout);
    history
        .at(14_000)
        .broker(wire, Packet::Disconnect(why))
        .close(wire, Side::Broker);
    history.fails(&["keep_alive"]);
}

#[test]
fn a_close_for_another_reason_may_come_at_any_time() {
    let (mut history, wire) = silent(Version::V5);
    let why = Disconnect::of(ReasonCode::AdministrativeAction);
    history
        .at(3000)
        .broker(wire, Packet::Disconnect(why))
        .close(wire, Side::Broker);
    history.passes();

    let (mut history, wire) = silent(Version::V3_1_1);
    history
        .at(3000)
        .client(wire, super::history::disconnect())
        .close(wire, Side::Broker);
    history.passes();

    let (mut history, wire) = silent(Version::V3_1_1);
    let acknowledges_nothing = super::history::puback(9);
    history
        .at(3000)
        .client(wire, acknowledges_nothing)
        .close(wire, Side::Broker);
    history.passes();
}

#[test]
fn a_close_that_leaves_at_once_may_not_be_late() {
    let (mut history, wire) = silent(Version::V3_1_1);
    history.at(18_500).close(wire, Side::Broker);
    history.fails(&["keep_alive"]);
}

#[test]
fn a_close_that_does_not_come_is_late() {
    let (mut history, _) = silent(Version::V5);
    history.at(18_001).note(What::Healed);
    history.fails(&["keep_alive"]);
}

#[test]
fn a_close_without_a_keep_alive_is_found() {
    let mut history = History::of("peers: { raw: {} }").version(Version::V3_1_1);
    let wire = history.connect("raw", false);
    history.at(90_000).note(What::Closed {
        wire,
        by: Side::Broker,
        how: End::Fin,
    });
    history.fails(&["keep_alive"]);
}

#[test]
fn a_close_that_the_network_cannot_let_out_is_a_close() {
    for (let_go_at, found) in [(17_000, &[][..]), (22_900, &[]), (23_100, &["keep_alive"])] {
        let (mut history, wire) = silent(Version::V3_1_1);
        let by = Side::Broker;
        history.at(let_go_at).note(What::LetGo { wire, by });
        history.at(40_000).note(What::Healed);
        history.fails(found);
    }
}

#[test]
fn a_close_that_is_let_out_late_was_early_or_not_when_the_broker_let_go() {
    for (let_go_at, found) in [(17_000, &[][..]), (14_000, &["keep_alive"])] {
        let (mut history, wire) = silent(Version::V3_1_1);
        let by = Side::Broker;
        history.at(let_go_at).note(What::LetGo { wire, by });
        // Nobody reads that any more.
        history.at(17_500).client(wire, Packet::Pingreq);
        history.at(18_000).close(wire, by);
        history.fails(found);
    }
}

/// As [`silent`], with one fault of the broker that is told of by hand.
fn silent_with(fault: &str) -> (History, Wire) {
    let history = History::of(&format!("peers: {{ raw: {{}} }}\nsteps: [ {{ {fault} }} ]"));
    let mut history = history.version(Version::V3_1_1);
    let mut connect = connect("raw", Version::V3_1_1);
    connect.keep_alive = 10;
    let wire = history.connect_with(connect, false);
    (history, wire)
}

const SLOW_READ: &str = "slow_read: { host: broker, bytes: 1, for: 20s }";

fn begins() -> What {
    let what = String::new();
    What::FaultBegan { step: 0, what }
}

const ENDS: What = What::FaultEnded { step: 0, touched: 1 };

#[test]
fn what_the_broker_reads_slowly_it_may_have_heard_late_or_not_at_all() {
    for closed_at in [16_000, 19_900] {
        let (mut history, wire) = silent_with(SLOW_READ);
        history.at(1000).note(begins());
        history.at(9000).client(wire, Packet::Pingreq);
        history.at(closed_at).close(wire, Side::Broker);
        history.passes();
    }
}

#[test]
fn a_broker_that_reads_again_has_heard_what_came() {
    // Within a second after the end of it comes its turn.
    for (closed_at, found) in [(37_900, &[][..]), (38_100, &["keep_alive"])] {
        let (mut history, wire) = silent_with(SLOW_READ);
        history.at(1000).note(begins());
        history.at(9000).client(wire, Packet::Pingreq);
        history.at(21_000).note(ENDS);
        history.broker(wire, Packet::Pingresp);
        history.at(closed_at).close(wire, Side::Broker);
        history.fails(found);
    }
}

#[test]
fn a_broker_that_stood_still_closes_when_it_goes_on() {
    for (closed_at, found) in [(40_900, &[][..]), (41_100, &["keep_alive"])] {
        let (mut history, wire) = silent(Version::V3_1_1);
        let host = || "broker".to_owned();
        history.at(3000).note(What::HostPaused { host: host() });
        history.at(40_000).note(What::HostResumed { host: host() });
        history.at(closed_at).close(wire, Side::Broker);
        history.fails(found);
    }
}

#[test]
fn a_broker_that_was_asked_to_stop_may_close_until_it_is_up_again() {
    let (mut history, wire) = silent_with("stop: { host: broker, down: 1s }");
    history.at(2000).note(begins()).close(wire, Side::Broker);
    history.passes();

    let kept = true;
    let host = "broker".to_owned();
    history.at(3000).note(What::HostUp { host, kept });
    let again = history.connect("raw", true);
    history.at(4000).close(again, Side::Broker);
    history.fails(&["keep_alive"]);
}

#[test]
fn what_is_heard_too_late_does_not_mend_a_close_that_did_not_come() {
    for (heard_at, found) in [(18_000, &[][..]), (18_001, &["keep_alive"])] {
        let (mut history, wire) = silent(Version::V5);
        history.at(heard_at).client(wire, Packet::Pingreq);
        history.broker(wire, Packet::Pingresp);
        history.fails(found);
    }
}

#[test]
fn the_first_packet_of_a_connection_is_heard_when_it_comes() {
    let mut history = History::of("peers: { raw: {} }").version(Version::V3_1_1);
    let mut connect = connect("raw", Version::V3_1_1);
    connect.keep_alive = 10;
    history.at(60_000).connect_with(connect, false);
    history.at(76_000).note(What::Healed);
    history.passes();
}

#[test]
fn what_this_broker_does_not_take_explains_a_close() {
    for (setting, found) in [
        ("retain_available: false", &[][..]),
        ("sessions: 9", &["keep_alive"]),
    ] {
        let mut history = History::of(&format!("peers: {{ raw: {{}} }}\nbroker: {{ {setting} }}"));
        history = history.version(Version::V3_1_1);
        let wire = history.connect("raw", false);
        let packet = super::history::retain(super::history::publish(super::history::q0(), "a"));
        history.client(wire, packet).close(wire, Side::Broker);
        history.fails(found);
    }
}
