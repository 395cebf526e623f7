use std::num::NonZeroU32;

use squall_proto::{Property, Qos, Version};

use super::history::{
    History, Wire, connect, disconnect, dup, puback, pubcomp, publish, pubrec, pubrel, q0, q1, q2,
};
use crate::trace::Side;

const SHARED: &str = "$share/g/t";

/// `pub` is connected, and `one` and `two` share a subscription to `t`.
fn group(qos: Qos) -> (History, Wire, Wire, Wire) {
    let mut history = History::of("clients: { pub: {}, one: {}, two: {} }");
    let publisher = history.connect("pub", false);
    let one = history.connect("one", false);
    history.subscribe(one, SHARED, qos);
    let two = history.connect("two", false);
    history.subscribe(two, SHARED, qos);
    (history, publisher, one, two)
}

/// `one` is sent a message and does not answer.
fn begun(qos: Qos) -> (History, Wire, Wire, Wire) {
    let (mut history, publisher, one, two) = group(qos);
    let delivery = if qos == Qos::ExactlyOnce { q2(1) } else { q1(1) };
    history
        .client(publisher, publish(q2(1), "a"))
        .broker(publisher, pubrec(1));
    history.client(publisher, pubrel(1));
    history.broker(publisher, pubcomp(1));
    history.broker(one, publish(delivery, "a"));
    (history, publisher, one, two)
}

/// The session of `one` ends: it comes back with a clean start.
fn end(history: &mut History, one: Wire) {
    end_of(history, "one", one);
}

fn end_of(history: &mut History, name: &str, wire: Wire) {
    history.cut(wire);
    let mut clean = connect(name, Version::V5);
    clean.clean_start = true;
    history.connect_with(clean, false);
}

#[test]
fn one_member_gets_the_message() {
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
        let (mut history, publisher, one, two) = group(qos);
        for (packet_id, member, payload) in [(1, one, "a"), (2, two, "b")] {
            history.client(publisher, publish(q1(packet_id), payload));
            history.broker(publisher, puback(packet_id));
            if qos == Qos::AtMostOnce {
                history.broker(member, publish(q0(), payload));
            } else {
                history.broker(member, publish(q1(1), payload));
                history.client(member, puback(1));
            }
        }
        history.passes();
    }
}

#[test]
fn two_members_that_get_one_message_are_one_too_many() {
    let (mut history, _, one, two) = begun(Qos::AtLeastOnce);
    history.client(one, puback(1));
    history.broker(two, publish(q1(1), "a")).client(two, puback(1));
    history.fails(&["one_member"]);
}

#[test]
fn a_message_that_no_member_gets_is_a_loss() {
    let (mut history, publisher, _, _) = group(Qos::AtLeastOnce);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history.fails(&["no_shared_loss"]);
}

#[test]
fn a_member_that_is_away_may_have_it_waiting() {
    let (mut history, publisher, one, _) = group(Qos::AtLeastOnce);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history.client(one, disconnect()).close(one, Side::Client);
    history.fails(&["liveness"]);
}

#[test]
fn the_session_of_a_member_hands_on_when_it_ends_and_not_before() {
    let (mut history, _, one, two) = begun(Qos::AtLeastOnce);
    end(&mut history, one);
    history.broker(two, publish(q1(1), "a")).client(two, puback(1));
    history.passes();

    let (mut history, _, one, two) = begun(Qos::AtLeastOnce);
    history.cut(one);
    history.broker(two, publish(q1(1), "a")).client(two, puback(1));
    let one = history.connect("one", true);
    history
        .broker(one, dup(publish(q1(1), "a")))
        .client(one, puback(1));
    history.fails(&["one_member"]);
}

#[test]
fn what_was_begun_at_qos_2_is_handed_on_to_nobody() {
    let (mut history, _, one, _) = begun(Qos::ExactlyOnce);
    end(&mut history, one);
    history.passes();

    let (mut history, _, one, two) = begun(Qos::ExactlyOnce);
    end(&mut history, one);
    history.broker(two, publish(q2(1), "a")).client(two, pubrec(1));
    history.broker(two, pubrel(1));
    history.client(two, pubcomp(1));
    history.fails(&["one_member"]);
}

#[test]
fn what_waits_is_owed_by_those_who_stay() {
    let (mut history, publisher, one, _) = group(Qos::AtLeastOnce);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    end(&mut history, one);
    history.fails(&["no_shared_loss"]);
}

#[test]
fn what_may_be_too_large_for_a_member_may_be_dropped() {
    let mut history = History::of("clients: { pub: {}, one: {}, two: {} }");
    let publisher = history.connect("pub", false);
    let mut small = connect("one", Version::V5);
    let max = NonZeroU32::new(16).unwrap();
    small.properties.push(Property::MaximumPacketSize(max));
    for connect in [small, connect("two", Version::V5)] {
        let wire = history.connect_with(connect, false);
        history.subscribe(wire, SHARED, Qos::AtLeastOnce);
    }
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history.passes();
}

#[test]
fn what_another_subscription_may_have_brought_counts_for_nobody() {
    let (mut history, publisher, one, two) = group(Qos::AtLeastOnce);
    history.subscribe(one, "t", Qos::AtLeastOnce);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    for member in [one, two] {
        history
            .broker(member, publish(q1(1), "a"))
            .client(member, puback(1));
    }
    history.passes();
}

#[test]
fn who_joins_may_be_handed_what_was_published_before() {
    let (mut history, _, one, two) = begun(Qos::AtLeastOnce);
    let three = history.at(1000).connect("three", false);
    history.subscribe(three, SHARED, Qos::AtLeastOnce);
    end(&mut history, one);
    end_of(&mut history, "two", two);
    history
        .broker(three, publish(q1(1), "a"))
        .client(three, puback(1));
    history.passes();
}
