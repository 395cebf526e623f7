use squall_proto::{Packet, Qos};

use crate::trace::Side;

use super::history::{History, Wire, dup, puback, pubcomp, publish, pubrec, pubrel, q0, q1, q2};

/// `pub` and `sub` are connected, and `sub` has subscribed to `t` at QoS 2. Others are away.
fn connected() -> (History, Wire, Wire) {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::ExactlyOnce);
    (history, publisher, subscriber)
}

fn publish_exactly_once(history: &mut History, wire: Wire, packet_id: u16, payload: &str) {
    history
        .client(wire, publish(q2(packet_id), payload))
        .broker(wire, pubrec(packet_id));
    history
        .client(wire, pubrel(packet_id))
        .broker(wire, pubcomp(packet_id));
}

fn deliver_exactly_once(history: &mut History, wire: Wire, packet_id: u16, payload: &str) {
    history
        .broker(wire, publish(q2(packet_id), payload))
        .client(wire, pubrec(packet_id));
    history
        .broker(wire, pubrel(packet_id))
        .client(wire, pubcomp(packet_id));
}

#[test]
fn a_message_at_each_qos_passes() {
    let (mut history, publisher, subscriber) = connected();
    history
        .client(publisher, publish(q0(), "a"))
        .broker(subscriber, publish(q0(), "a"));
    history
        .client(publisher, publish(q1(1), "b"))
        .broker(publisher, puback(1));
    history
        .broker(subscriber, publish(q1(1), "b"))
        .client(subscriber, puback(1));
    publish_exactly_once(&mut history, publisher, 2, "c");
    deliver_exactly_once(&mut history, subscriber, 2, "c");
    history.passes();
}

#[test]
fn a_message_that_was_acknowledged_and_never_arrives_is_a_loss() {
    let (mut history, publisher, _) = connected();
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history.fails(&["no_loss"]);
}

#[test]
fn a_message_whose_subscriber_is_away_at_the_end_is_not_known_to_be_lost() {
    let (mut history, publisher, subscriber) = connected();
    history.cut(subscriber);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history.fails(&["liveness"]);
}

#[test]
fn what_was_acknowledged_before_the_subscription_is_not_owed() {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history.subscribe(subscriber, "t", Qos::AtLeastOnce);
    history.passes();
}

#[test]
fn a_second_exchange_for_one_qos_2_message_is_a_duplicate() {
    let (mut history, publisher, subscriber) = connected();
    publish_exactly_once(&mut history, publisher, 1, "a");
    deliver_exactly_once(&mut history, subscriber, 1, "a");
    deliver_exactly_once(&mut history, subscriber, 2, "a");
    history.fails(&["exactly_once"]);
}

#[test]
fn a_redelivery_before_pubrel_is_no_duplicate() {
    let (mut history, publisher, subscriber) = connected();
    publish_exactly_once(&mut history, publisher, 1, "a");
    history
        .broker(subscriber, publish(q2(1), "a"))
        .lose(subscriber, Side::Client, pubrec(1));
    history.at(1000).cut(subscriber);
    let again = history.connect("sub", true);
    history
        .broker(again, dup(publish(q2(1), "a")))
        .client(again, pubrec(1));
    history.broker(again, pubrel(1)).client(again, pubcomp(1));
    history.passes();
}

#[test]
fn a_qos_0_message_that_comes_twice_is_found() {
    let (mut history, publisher, subscriber) = connected();
    history.client(publisher, publish(q0(), "a"));
    history
        .broker(subscriber, publish(q0(), "a"))
        .broker(subscriber, publish(q0(), "a"));
    history.fails(&["at_most_once"]);
}

#[test]
fn what_nobody_published_is_found() {
    let (mut history, _, subscriber) = connected();
    history.broker(subscriber, publish(q0(), "from nowhere"));
    history.fails(&["as_published"]);
}

#[test]
fn what_nobody_asked_for_is_found() {
    let (mut history, publisher, _) = connected();
    history
        .client(publisher, publish(q0(), "a"))
        .broker(publisher, publish(q0(), "a"));
    history.fails(&["as_published"]);
}

#[test]
fn a_higher_qos_than_published_is_found() {
    let (mut history, publisher, subscriber) = connected();
    history.client(publisher, publish(q0(), "a"));
    history
        .broker(subscriber, publish(q1(1), "a"))
        .client(subscriber, puback(1));
    history.fails(&["as_published"]);
}

#[test]
fn a_later_message_that_comes_first_is_out_of_order() {
    let (mut history, publisher, subscriber) = connected();
    for (packet_id, payload) in [(1, "a"), (2, "b")] {
        history
            .client(publisher, publish(q1(packet_id), payload))
            .broker(publisher, puback(packet_id));
    }
    for (packet_id, payload) in [(1, "b"), (2, "a")] {
        history
            .broker(subscriber, publish(q1(packet_id), payload))
            .client(subscriber, puback(packet_id));
    }
    history.fails(&["order"]);
}

#[test]
fn messages_of_different_qos_may_overtake_each_other() {
    let (mut history, publisher, subscriber) = connected();
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    history
        .client(publisher, publish(q0(), "b"))
        .broker(subscriber, publish(q0(), "b"));
    history
        .broker(subscriber, publish(q1(1), "a"))
        .client(subscriber, puback(1));
    history.passes();
}

#[test]
fn more_in_flight_than_the_receiver_takes_is_found() {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let mut connect = super::history::connect("sub", squall_proto::Version::V5);
    connect
        .properties
        .push(squall_proto::Property::ReceiveMaximum(std::num::NonZeroU16::MIN));
    let subscriber = history.connect_with(connect, false);
    history.subscribe(subscriber, "t", Qos::AtLeastOnce);
    for (packet_id, payload) in [(1, "a"), (2, "b")] {
        history
            .client(publisher, publish(q1(packet_id), payload))
            .broker(publisher, puback(packet_id));
        history.broker(subscriber, publish(q1(packet_id), payload));
    }
    for packet_id in [1, 2] {
        history.client(subscriber, puback(packet_id));
    }
    history.fails(&["receive_maximum"]);
}

#[test]
fn a_session_that_the_broker_lost_in_a_crash_is_owed_nothing() {
    let (mut history, publisher, subscriber) = connected();
    history
        .client(publisher, publish(q1(1), "a"))
        .broker(publisher, puback(1));
    let host = || crate::model::BROKER.to_owned();
    history.note(crate::trace::What::HostDown {
        host: host(),
        how: crate::trace::Down::Crashed,
        kept: false,
    });
    history.cut(publisher).cut(subscriber);
    history.at(1000).note(crate::trace::What::HostUp {
        host: host(),
        kept: false,
    });
    history.connect("pub", false);
    let again = history.connect("sub", false);
    history.subscribe(again, "t", Qos::ExactlyOnce);
    history.passes();
}

#[test]
fn expected_deliveries_are_judged() {
    let expect = "clients: { pub: {}, sub: {} }\nexpect: [ { delivered: { to: sub, of: pub, exactly: once, within: 5s } } ]";
    let run = |late: u64, copies: u16| {
        let mut history = History::of(expect);
        let publisher = history.connect("pub", false);
        let subscriber = history.connect("sub", false);
        history.subscribe(subscriber, "t", Qos::AtLeastOnce);
        history
            .client(publisher, publish(q1(1), "pub/0/1"))
            .broker(publisher, puback(1));
        history.at(late);
        for packet_id in 1..=copies {
            history
                .broker(subscriber, publish(q1(packet_id), "pub/0/1"))
                .client(subscriber, puback(packet_id));
        }
        history
    };
    run(1000, 1).passes();
    run(6000, 1).fails(&["expectations"]);
    run(1000, 2).fails(&["expectations"]);
    run(1000, 0).fails(&["expectations", "no_loss"]);
}

#[test]
fn an_expected_delivery_of_nothing_is_not_met() {
    let expect =
        "clients: { pub: {}, sub: {} }\nexpect: [ { delivered: { to: sub, of: pub, exactly: once } } ]";
    let mut history = History::of(expect);
    history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history
        .client(subscriber, Packet::Pingreq)
        .broker(subscriber, Packet::Pingresp);
    history.fails(&["expectations"]);
}

#[test]
fn a_peer_that_answers_nothing_waits_by_its_own_doing() {
    for (peers, found) in [("peers: { sub: {} }", &[][..]), ("", &["liveness", "no_loss"])] {
        let clients = if peers.is_empty() {
            "pub: {}, sub: {}"
        } else {
            "pub: {}"
        };
        let mut history = History::of(&format!("clients: {{ {clients} }}\n{peers}"));
        let publisher = history.connect("pub", false);
        let subscriber = history.connect("sub", false);
        history.subscribe(subscriber, "t", Qos::AtLeastOnce);
        for (packet_id, payload) in [(1, "a"), (2, "b")] {
            history
                .client(publisher, publish(q1(packet_id), payload))
                .broker(publisher, puback(packet_id));
        }
        history.broker(subscriber, publish(q1(1), "a"));
        history.fails(found);
    }
}
