//! What one side takes from the other, and the identifiers of their exchanges.

use std::num::{NonZeroU16, NonZeroU32};

use squall_proto::{Connack, Packet, Property, Qos, ReasonCode, SubscriptionOptions, TopicAlias, Version};

use super::history::{
    History, Wire, connect, dup, property, puback, publish, pubrec, pubrel, q0, q1, q2, suback, subscribe,
    unsubscribe, with,
};
use crate::trace::Side;

const CLIENTS: &str = "clients: { pub: {}, sub: {} }";

/// `pub` and `sub` are connected; each side says `properties` of itself to the other.
fn saying(properties: &[Property]) -> (History, Wire, Wire) {
    let mut history = History::of(CLIENTS);
    let [publisher, subscriber] = ["pub", "sub"].map(|name| {
        let wire = history.open(name);
        let mut connect = connect(name, Version::V5);
        let mut answer = squall_proto::Properties::new();
        for property in properties {
            connect.properties.push(property.clone());
            answer.push(property.clone());
        }
        history.client(wire, Packet::Connect(Box::new(connect)));
        let answer = Connack {
            session_present: false,
            reason_code: ReasonCode::Success,
            properties: answer,
        };
        history.broker(wire, Packet::Connack(answer));
        wire
    });
    history.subscribe(subscriber, "t", Qos::AtMostOnce);
    (history, publisher, subscriber)
}

#[test]
fn a_packet_of_the_size_that_is_taken_passes_and_a_larger_one_is_found() {
    // PUBLISH of `t` at QoS 0: 6 bytes and its payload.
    for (payload, found) in [
        ("abcdefghijkl", &[][..]),
        ("abcdefghijklm", &["maximum_packet_size"]),
    ] {
        let size = Property::MaximumPacketSize(NonZeroU32::new(18).unwrap());
        let (mut history, publisher, _) = saying(&[size]);
        history.client(publisher, publish(q0(), payload));
        history.fails(found);

        let size = Property::MaximumPacketSize(NonZeroU32::new(18).unwrap());
        let (mut history, _, subscriber) = saying(&[size]);
        let peer = history.connect("raw", false);
        history
            .client(peer, publish(q0(), payload))
            .broker(subscriber, publish(q0(), payload));
        history.fails(found);
    }
}

#[test]
fn more_in_flight_than_the_broker_takes_is_found() {
    for (max, found) in [(2, &[][..]), (1, &["receive_maximum"])] {
        let (mut history, publisher, _) = saying(&[Property::ReceiveMaximum(NonZeroU16::new(max).unwrap())]);
        history
            .client(publisher, publish(q1(1), "a"))
            .client(publisher, publish(q1(2), "b"))
            .broker(publisher, puback(1))
            .broker(publisher, puback(2));
        history.fails(found);
    }
}

fn aliased(packet: Packet, alias: u16, is_given: bool) -> Packet {
    let packet = property(packet, Property::TopicAlias(TopicAlias::new(alias).unwrap()));
    with(packet, |publish| {
        if !is_given {
            publish.topic = None;
        }
    })
}

#[test]
fn a_topic_alias_within_bounds_passes_and_one_beyond_is_found() {
    for (alias, found) in [(3, &[][..]), (4, &["topic_alias"])] {
        let (mut history, publisher, subscriber) = saying(&[Property::TopicAliasMaximum(3)]);
        history
            .client(publisher, publish(q0(), "a"))
            .broker(subscriber, aliased(publish(q0(), "a"), alias, true));
        history.fails(found);

        let (mut history, publisher, subscriber) = saying(&[Property::TopicAliasMaximum(3)]);
        history
            .client(publisher, aliased(publish(q0(), "a"), alias, true))
            .broker(subscriber, publish(q0(), "a"));
        history.fails(found);
    }
}

#[test]
fn a_topic_alias_of_another_connection_is_found() {
    let (mut history, publisher, subscriber) = saying(&[Property::TopicAliasMaximum(3)]);
    history
        .client(publisher, publish(q0(), "a"))
        .broker(subscriber, aliased(publish(q0(), "a"), 1, true))
        .client(publisher, publish(q0(), "b"))
        .broker(subscriber, aliased(publish(q0(), "b"), 1, false));
    history.passes();
    history.cut(subscriber);
    let mut again = connect("sub", Version::V5);
    again.properties.push(Property::TopicAliasMaximum(3));
    let again = history.connect_with(again, true);
    history
        .client(publisher, publish(q0(), "c"))
        .broker(again, aliased(publish(q0(), "c"), 1, false));
    history.fails(&["topic_alias"]);
}

#[test]
fn a_request_with_an_identifier_in_use_is_found() {
    let options = SubscriptionOptions::default();
    let first = [
        subscribe(1, "a", options),
        unsubscribe(1, "a"),
        publish(q1(1), "a"),
    ];
    for packet in &first {
        for again in [
            subscribe(1, "b", options),
            unsubscribe(1, "b"),
            publish(q2(1), "b"),
        ] {
            let mut history = History::of("clients: { pub: {} }");
            let wire = history.connect("pub", false);
            history.client(wire, packet.clone()).client(wire, again);
            let found = history.findings();
            assert!(found.contains(&"packet_id"), "{found:?}");
        }
    }
}

#[test]
fn an_identifier_that_was_answered_is_free() {
    let options = SubscriptionOptions::default();
    let mut history = History::of("clients: { pub: {} }");
    let wire = history.connect("pub", false);
    history
        .client(wire, subscribe(1, "a", options))
        .broker(wire, suback(1, ReasonCode::Success))
        .client(wire, publish(q1(1), "x"))
        .broker(wire, puback(1))
        .client(wire, subscribe(1, "b", options))
        .broker(wire, suback(1, ReasonCode::Success));
    history.passes();
}

#[test]
fn acknowledgements_out_of_order_are_found() {
    for (order, found) in [([1, 2], &[][..]), ([2, 1], &["order"])] {
        let (mut history, publisher, _) = saying(&[]);
        let subscriber = history.connect("raw", false);
        history.subscribe(subscriber, "t", Qos::AtLeastOnce);
        for (packet_id, payload) in [(1, "a"), (2, "b")] {
            history
                .client(publisher, publish(q1(packet_id), payload))
                .broker(publisher, puback(packet_id))
                .broker(subscriber, publish(q1(packet_id), payload));
        }
        for packet_id in order {
            history.client(subscriber, puback(packet_id));
        }
        history.fails(found);
    }
}

#[test]
fn what_a_client_sends_again_in_another_order_is_found() {
    for (order, found) in [
        ([(1, "a"), (2, "b")], &[][..]),
        ([(2, "b"), (1, "a")], &["resume"]),
    ] {
        let mut history = History::of("clients: { pub: {} }");
        let wire = history.connect("pub", false);
        history
            .lose(wire, Side::Client, publish(q1(1), "a"))
            .lose(wire, Side::Client, publish(q1(2), "b"));
        let again = history.at(1000).cut(wire).connect("pub", true);
        for (packet_id, payload) in order {
            history
                .client(again, dup(publish(q1(packet_id), payload)))
                .broker(again, puback(packet_id));
        }
        history.fails(found);
    }
}

/// `sub` was sent a QoS 2 message and is back at 1 s; it is heard at 1 s and 20 s, and gone at 21 s.
fn resumed(goes_on: bool) -> History {
    let mut history = History::of("clients: { pub: {}, sub: { reconnect: never } }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::ExactlyOnce);
    history
        .client(publisher, publish(q2(1), "a"))
        .broker(publisher, pubrec(1))
        .client(publisher, pubrel(1))
        .broker(publisher, super::history::pubcomp(1));
    history.broker(subscriber, publish(q2(7), "a"));
    let again = history.at(1000).cut(subscriber).connect("sub", true);
    if goes_on {
        history.lose(again, Side::Broker, dup(publish(q2(7), "a")));
    }
    history
        .at(20_000)
        .client(again, Packet::Pingreq)
        .broker(again, Packet::Pingresp);
    history.at(21_000).cut(again);
    history
}

#[test]
fn a_connection_that_does_not_go_on_with_what_is_unfinished_is_found() {
    resumed(true).passes();
    resumed(false).fails(&["resume"]);
}

#[test]
fn what_was_too_large_for_an_earlier_connection_is_not_owed() {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let mut small = connect("sub", Version::V5);
    let max = NonZeroU32::new(16).unwrap();
    small.properties.push(Property::MaximumPacketSize(max));
    let subscriber = history.connect_with(small, false);
    history.subscribe(subscriber, "t", Qos::AtLeastOnce);
    history
        .client(publisher, publish(q1(1), "much longer than sixteen bytes"))
        .broker(publisher, puback(1));
    history.cut(subscriber);
    history.connect("sub", true);
    history.passes();
}
