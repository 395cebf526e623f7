use squall_proto::{Packet, Property, Qos, ReasonCode, SubscriptionOptions, Will};

use super::history::{
    History, Wire, connect, disconnect, puback, publish, q1, retain, suback, subscribe, to_will, will,
};
use crate::trace::{Side, What};

/// `sub` has subscribed to `will`, and `dev` is connected with a Will of that topic.
fn with_will(delay: u32) -> (History, Wire, Wire) {
    let mut history = History::of("clients: { sub: {}, dev: { reconnect: never } }");
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "will", Qos::AtLeastOnce);
    let mut connect = connect("dev", squall_proto::Version::V5);
    let mut will = will("dev");
    will.properties.push(Property::WillDelayInterval(delay));
    connect.will = Some(will);
    let wire = history.connect_with(connect, false);
    history.at(1000);
    (history, subscriber, wire)
}

fn deliver(history: &mut History, wire: Wire, packet_id: u16) {
    let packet = to_will(publish(q1(packet_id), "dev/will"));
    history.broker(wire, packet).client(wire, puback(packet_id));
}

fn end(history: &mut History) {
    history.at(60_000).note(What::Healed);
}

#[test]
fn a_will_that_comes_once_after_a_cut_passes() {
    let (mut history, subscriber, wire) = with_will(0);
    history.cut(wire);
    deliver(&mut history, subscriber, 1);
    end(&mut history);
    history.passes();
}

#[test]
fn a_will_that_does_not_come_is_found() {
    let (mut history, _, wire) = with_will(0);
    history.cut(wire);
    end(&mut history);
    history.fails(&["one_will"]);
}

#[test]
fn a_will_that_comes_twice_is_found() {
    let (mut history, subscriber, wire) = with_will(0);
    history.cut(wire);
    deliver(&mut history, subscriber, 1);
    deliver(&mut history, subscriber, 2);
    end(&mut history);
    history.fails(&["one_will"]);
}

#[test]
fn a_will_after_disconnect_is_found() {
    let (mut history, subscriber, wire) = with_will(0);
    history.client(wire, disconnect()).close(wire, Side::Client);
    deliver(&mut history, subscriber, 1);
    end(&mut history);
    history.fails(&["one_will"]);
}

#[test]
fn no_will_after_disconnect_passes() {
    let (mut history, _, wire) = with_will(0);
    history.client(wire, disconnect()).close(wire, Side::Client);
    end(&mut history);
    history.passes();
}

#[test]
fn a_delayed_will_before_its_time_is_found() {
    let (mut history, subscriber, wire) = with_will(20);
    history.cut(wire).at(5000);
    deliver(&mut history, subscriber, 1);
    end(&mut history);
    history.fails(&["one_will"]);
}

#[test]
fn a_client_that_is_back_before_the_delay_has_no_will() {
    let (mut history, _, wire) = with_will(20);
    history.cut(wire).at(5000);
    let again = history.connect("dev", true);
    history
        .at(40_000)
        .client(again, Packet::Pingreq)
        .broker(again, Packet::Pingresp);
    end(&mut history);
    history.passes();
}

/// `sub` keeps RETAIN as it was published, and `dev` has a Will with RETAIN.
fn with_retained_will() -> (History, Wire, Wire) {
    let mut history = History::of("clients: { sub: {}, dev: { reconnect: never } }");
    let subscriber = history.connect("sub", false);
    let options = SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        retain_as_published: true,
        ..SubscriptionOptions::default()
    };
    history
        .client(subscriber, subscribe(100, "will", options))
        .broker(subscriber, suback(100, ReasonCode::GrantedQos1));
    let mut connect = connect("dev", squall_proto::Version::V5);
    connect.will = Some(Will {
        retain: true,
        ..will("dev")
    });
    let wire = history.connect_with(connect, false);
    history.at(1000);
    (history, subscriber, wire)
}

#[test]
fn a_will_that_keeps_retain_as_published_has_come() {
    let (mut history, subscriber, wire) = with_retained_will();
    history.cut(wire);
    let packet = retain(to_will(publish(q1(1), "dev/will")));
    history.broker(subscriber, packet).client(subscriber, puback(1));
    end(&mut history);
    history.passes();

    let (mut history, _, wire) = with_retained_will();
    history.cut(wire);
    end(&mut history);
    history.fails(&["one_will"]);
}
