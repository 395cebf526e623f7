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
