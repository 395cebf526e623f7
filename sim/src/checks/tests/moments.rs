//! What happens within one moment, or reaches the broker in another order than it began.

use squall_proto::{Packet, Property, Qos, Version};

use super::history::{History, Wire, connack, connect, disconnect, dup, puback, publish, q1, to_will, will};
use crate::trace::{End, Side, What};

const CLIENTS: &str = "clients: { pub: {}, sub: {} }";
/// Whom nothing is owed.
const ALONE: &str = "peers: { sub: {} }";

/// `sub` is subscribed, and was sent a QoS 1 message at 0 s that it has not acknowledged.
fn unacknowledged(version: Version) -> (History, Wire) {
    let mut history = History::of(CLIENTS).version(version);
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::AtLeastOnce);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1))
        .broker(subscriber, publish(q1(7), "a"));
    (history, subscriber)
}

/// Another connection of `sub`, whose CONNECT has arrived.
fn come_again(history: &mut History, version: Version) -> Wire {
    let wire = history.open("sub");
    history.client(wire, Packet::Connect(Box::new(connect("sub", version))));
    wire
}

fn closes(wire: Wire) -> What {
    What::Closed {
        wire,
        by: Side::Broker,
        how: End::Fin,
    }
}

#[test]
fn an_acknowledgement_that_comes_with_who_takes_over_may_have_gone_unread() {
    for (acknowledged_at, found) in [(1000, &[][..]), (999, &["dup"])] {
        for is_closed_first in [true, false] {
            let (mut history, older) = unacknowledged(Version::V3_1_1);
            history.at(acknowledged_at).client(older, puback(7)).at(1000);
            let newer = come_again(&mut history, Version::V3_1_1);
            if is_closed_first {
                history.note(closes(older));
            }
            history
                .broker(newer, connack(true))
                .broker(newer, dup(publish(q1(7), "a")));
            if !is_closed_first {
                history.note(closes(older));
            }
            history.client(newer, puback(7));
            history.fails(found);
        }
    }
}

#[test]
fn who_began_to_connect_first_takes_over_when_its_connect_arrives_last() {
    let (mut history, _) = unacknowledged(Version::V3_1_1);
    let slow = history.at(1000).open("sub");
    let quick = history.open("sub");
    let packet = || Packet::Connect(Box::new(connect("sub", Version::V3_1_1)));
    history
        .at(1010)
        .client(quick, packet())
        .broker(quick, connack(true))
        .broker(quick, dup(publish(q1(7), "a")));
    history
        .at(1012)
        .client(slow, packet())
        .broker(slow, connack(true))
        .note(closes(quick));
    history
        .broker(slow, dup(publish(q1(7), "a")))
        .at(1020)
        .client(slow, puback(7));
    history.note(closes(WIRE_OF_UNACKNOWLEDGED));
    history.passes();
    history
        .at(1030)
        .broker(slow, dup(publish(q1(7), "a")))
        .client(slow, puback(7));
    history.fails(&["dup"]);
}

/// The connection that [`unacknowledged`] gives: the second of its history.
const WIRE_OF_UNACKNOWLEDGED: Wire = crate::trace::WireId(1);

#[test]
fn of_two_that_connect_in_one_moment_the_one_that_is_closed_was_the_first() {
    for (of_first, of_second, found) in [(false, true, &[][..]), (true, true, &["session_present"])] {
        let mut history = History::of(ALONE).version(Version::V3_1_1);
        let [one, other] = [(); 2].map(|()| come_again(&mut history, Version::V3_1_1));
        history
            .lose(one, Side::Broker, connack(of_second))
            .lose(other, Side::Broker, connack(of_first))
            .note(closes(other));
        history.at(1000).subscribe(one, "t", Qos::AtLeastOnce);
        history.fails(found);
    }
}

#[test]
fn a_session_goes_on_or_not_when_its_end_comes_with_who_connects() {
    for (ended_at, session_present, found) in [
        (1000, true, &[][..]),
        (1000, false, &[]),
        (900, true, &["session_present"]),
    ] {
        let mut history = History::of(ALONE);
        let older = history.connect("sub", false);
        let mut goodbye = squall_proto::Disconnect::of(squall_proto::ReasonCode::Success);
        goodbye.properties.push(Property::SessionExpiryInterval(0));
        history
            .at(ended_at)
            .client(older, Packet::Disconnect(goodbye))
            .close(older, Side::Client)
            .at(1000);
        let newer = come_again(&mut history, Version::V5);
        history.broker(newer, connack(session_present));
        history.fails(found);
    }
}

#[test]
fn who_is_taken_over_is_not_ended_for_silence() {
    let mut history = History::of(ALONE).version(Version::V3_1_1);
    let slow = history.open("sub");
    let quick = history.open("sub");
    let packet = || Packet::Connect(Box::new(connect("sub", Version::V3_1_1)));
    history
        .client(quick, packet())
        .broker(quick, connack(false))
        .at(2);
    history
        .client(slow, packet())
        .note(closes(quick))
        .broker(slow, connack(true));
    history.passes();

    // The other way round nobody took over, whoever began first.
    history.at(1000).note(closes(slow));
    history.fails(&["keep_alive"]);
}

#[test]
fn a_disconnect_that_comes_with_who_takes_over_may_leave_the_will() {
    for (goodbye_at, found) in [(1000, &[][..]), (990, &["one_will"])] {
        let mut history = History::of("clients: { watcher: {} }\npeers: { sub: {} }");
        let watcher = history.connect("watcher", false);
        history.subscribe(watcher, "will", Qos::AtLeastOnce);
        let mut with_will = connect("sub", Version::V5);
        with_will.will = Some(will("sub"));
        let older = history.connect_with(with_will, false);
        history
            .at(goodbye_at)
            .client(older, disconnect())
            .close(older, Side::Client)
            .at(1000);
        let newer = come_again(&mut history, Version::V5);
        history
            .lose(newer, Side::Broker, connack(true))
            .broker(watcher, to_will(publish(q1(9), "sub/will")))
            .client(watcher, puback(9));
        history.at(2000).note(What::Healed);
        history.fails(found);
    }
}
