//! What comes to a client, and what its application gets.

use bytes::Bytes;
use squall_proto::{Qos, TopicName};

use super::history::{History, Wire, dup, puback, pubcomp, publish, pubrec, pubrel, q0, q1, q2};
use crate::trace::{Down, Side, Told, What};

/// `a` and `b` have come to `sub`: they are published at QoS 2, and QoS 2 is granted.
fn published() -> (History, Wire) {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::ExactlyOnce);
    tell_of_connection(&mut history);
    for payload in ["a", "b"] {
        history
            .client(publisher, publish(q2(1), payload))
            .broker(publisher, pubrec(1))
            .client(publisher, pubrel(1))
            .broker(publisher, pubcomp(1));
    }
    (history, subscriber)
}

fn tell_of_connection(history: &mut History) {
    let told = Told::Connected {
        session_present: false,
    };
    let client = "sub".to_owned();
    history.note(What::Application { client, told });
}

/// The application of `sub` gets this.
fn hand(history: &mut History, payload: &str) {
    let told = Told::Message {
        topic: TopicName::new("t").unwrap(),
        qos: Qos::ExactlyOnce,
        retain: false,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    };
    let client = "sub".to_owned();
    history.note(What::Application { client, told });
}

fn go_down(history: &mut History, kept: bool) {
    let (host, how) = ("sub".to_owned(), Down::Crashed);
    history.note(What::HostDown { host, how, kept });
    let host = "sub".to_owned();
    history.note(What::HostUp { host, kept });
}

/// PUBREL and PUBCOMP.
fn release(history: &mut History, wire: Wire, packet_id: u16) {
    history
        .broker(wire, pubrel(packet_id))
        .client(wire, pubcomp(packet_id));
}

fn judged(history: &History) -> Vec<&'static str> {
    let mut found = history.findings();
    found.retain(|check| *check == "handed");
    found
}

#[test]
fn what_comes_is_handed_over_and_acknowledged() {
    let (mut history, wire) = published();
    for (packet_id, payload) in [(1, "a"), (2, "b")] {
        history.broker(wire, publish(q2(packet_id), payload));
        hand(&mut history, payload);
        history.client(wire, pubrec(packet_id));
        release(&mut history, wire, packet_id);
    }
    history.passes();
}

#[test]
fn what_is_handed_over_twice_is_found() {
    let (mut history, wire) = published();
    history.broker(wire, publish(q2(1), "a"));
    hand(&mut history, "a");
    hand(&mut history, "a");
    assert_eq!(judged(&history), ["handed"]);
}

#[test]
fn what_never_came_is_not_handed_over() {
    let (mut history, _) = published();
    hand(&mut history, "a");
    assert_eq!(judged(&history), ["handed"]);
}

#[test]
fn what_is_acknowledged_and_not_handed_over_is_found() {
    for (delivery, answer) in [(q1(1), puback(1)), (q2(1), pubrec(1))] {
        let (mut history, wire) = published();
        history.broker(wire, publish(delivery, "a")).client(wire, answer);
        assert_eq!(judged(&history), ["handed"]);
    }
}

#[test]
fn a_qos_1_message_is_handed_over_as_often_as_it_comes() {
    let (mut history, wire) = published();
    history.broker(wire, publish(q1(1), "a"));
    hand(&mut history, "a");
    history.cut(wire);
    let again = history.at(1000).connect("sub", true);
    history.broker(again, dup(publish(q1(1), "a")));
    hand(&mut history, "a");
    history.client(again, puback(1));
    assert_eq!(judged(&history), [""; 0]);
    hand(&mut history, "a");
    assert_eq!(judged(&history), ["handed"]);
}

#[test]
fn a_qos_0_message_is_handed_over_once() {
    let (mut history, wire) = published();
    history.broker(wire, publish(q0(), "a"));
    hand(&mut history, "a");
    assert_eq!(judged(&history), [""; 0]);
    hand(&mut history, "a");
    assert_eq!(judged(&history), ["handed"]);
}

/// A QoS 2 message comes, is handed over, and comes again on the next connection, where it is handed over again.
fn handed_again(answered: bool, down: Option<bool>) -> History {
    let (mut history, wire) = published();
    history.broker(wire, publish(q2(1), "a"));
    hand(&mut history, "a");
    if answered {
        history.lose(wire, Side::Client, pubrec(1));
    }
    if let Some(kept) = down {
        go_down(&mut history, kept);
    }
    history.cut(wire);
    let again = history.at(1000).connect("sub", true);
    history.broker(again, dup(publish(q2(1), "a")));
    hand(&mut history, "a");
    history.client(again, pubrec(1));
    release(&mut history, again, 1);
    history
}

#[test]
fn a_qos_2_message_is_handed_over_once_over_all_connections() {
    assert_eq!(judged(&handed_again(false, None)), ["handed"]);
    assert_eq!(judged(&handed_again(true, None)), ["handed"]);
}

#[test]
fn who_has_no_store_has_forgotten_what_it_received() {
    assert_eq!(judged(&handed_again(false, Some(false))), [""; 0]);
    assert_eq!(judged(&handed_again(true, Some(false))), [""; 0]);
}

#[test]
fn who_has_a_store_knows_what_it_has_answered() {
    assert_eq!(judged(&handed_again(false, Some(true))), [""; 0]);
    assert_eq!(judged(&handed_again(true, Some(true))), ["handed"]);
}

#[test]
fn an_application_that_is_busy_may_get_what_was_acknowledged_later() {
    let mut history = History::of("clients: { pub: {}, sub: { application: { takes: 1s } } }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::AtLeastOnce);
    tell_of_connection(&mut history);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1))
        .broker(subscriber, publish(q1(1), "a"))
        .client(subscriber, puback(1));
    history.note(What::Healed);
    history.passes();
}
