//! What a subscription brings, and what it must not.

use squall_proto::{
    Packet, Property, Qos, ReasonCode, RetainHandling, SubscriptionId, SubscriptionOptions, Text, Version,
};

use super::history::{
    History, Wire, dup, property, puback, publish, q0, q1, retain, suback, subscribe, unsuback, unsubscribe,
};

const CLIENTS: &str = "clients: { pub: {}, sub: {} }";

fn at_qos_1() -> SubscriptionOptions {
    SubscriptionOptions {
        qos: Qos::AtLeastOnce,
        ..SubscriptionOptions::default()
    }
}

/// `pub` and `sub` are connected, and `sub` has subscribed to `t` with these options.
fn subscribed(options: SubscriptionOptions) -> (History, Wire, Wire) {
    let mut history = History::of(CLIENTS);
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    ask(&mut history, subscriber, options);
    (history, publisher, subscriber)
}

fn ask(history: &mut History, wire: Wire, options: SubscriptionOptions) {
    let granted = ReasonCode::from_value(options.qos.value()).unwrap();
    history
        .client(wire, subscribe(100, "t", options))
        .broker(wire, suback(100, granted));
}

/// `wire` publishes this at QoS 1, and is answered.
fn publish_from(history: &mut History, wire: Wire, packet_id: u16, packet: Packet) {
    history.client(wire, packet).broker(wire, puback(packet_id));
}

/// This reaches `wire`, which acknowledges it.
fn deliver(history: &mut History, wire: Wire, packet_id: u16, packet: Packet) {
    history.broker(wire, packet).client(wire, puback(packet_id));
}

#[test]
fn properties_that_change_on_the_way_are_found() {
    let text = |text| Text::new(text).unwrap();
    let pair = |value| Property::UserProperty(text("k"), text(value));
    for (delivered, found) in [
        (vec![pair("a"), pair("b")], &[][..]),
        (vec![pair("b"), pair("a")], &["as_published"]),
        (vec![pair("a")], &["as_published"]),
        (vec![], &["as_published"]),
        (
            vec![pair("a"), pair("b"), Property::ContentType(text("c"))],
            &["as_published"],
        ),
    ] {
        let (mut history, publisher, subscriber) = subscribed(at_qos_1());
        let sent = property(property(publish(q1(1), "a"), pair("a")), pair("b"));
        publish_from(&mut history, publisher, 1, sent);
        let packet = delivered.into_iter().fold(publish(q1(1), "a"), property);
        deliver(&mut history, subscriber, 1, packet);
        history.fails(found);
    }
}

#[test]
fn a_lower_qos_than_published_and_granted_is_found() {
    let (mut history, publisher, subscriber) = subscribed(at_qos_1());
    publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
    history.broker(subscriber, publish(q0(), "a"));
    history.fails(&["as_published", "no_loss"]);
}

#[test]
fn of_overlapping_subscriptions_the_highest_qos_is_owed() {
    for (deliveries, found) in [
        (&[q0()][..], &["no_loss"][..]),
        (&[q1(1)], &[]),
        (&[q0(), q1(1)], &[]),
    ] {
        let (mut history, publisher, subscriber) = subscribed(SubscriptionOptions::default());
        history.subscribe(subscriber, "#", Qos::AtLeastOnce);
        publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
        for delivery in deliveries {
            history.broker(subscriber, publish(*delivery, "a"));
            if delivery.packet_id().is_some() {
                history.client(subscriber, puback(1));
            }
        }
        history.fails(found);
    }
}

#[test]
fn one_copy_for_overlapping_subscriptions_comes_at_the_highest_qos() {
    use super::history::{pubcomp, pubrec, pubrel, q2};
    for (copy, found) in [(q1(1), &["no_loss"][..]), (q2(1), &[])] {
        let (mut history, publisher, subscriber) = subscribed(at_qos_1());
        history.subscribe(subscriber, "#", Qos::ExactlyOnce);
        history
            .client(publisher, publish(q2(1), "a"))
            .broker(publisher, pubrec(1))
            .client(publisher, pubrel(1))
            .broker(publisher, pubcomp(1));
        history.broker(subscriber, publish(copy, "a"));
        if copy == q1(1) {
            history.client(subscriber, puback(1));
        } else {
            history
                .client(subscriber, pubrec(1))
                .broker(subscriber, pubrel(1))
                .client(subscriber, pubcomp(1));
        }
        history.fails(found);
    }
}

#[test]
fn an_acknowledgement_that_is_said_again_owes_nothing_more() {
    use super::history::{pubcomp, pubrec, pubrel, q2};
    let (mut history, publisher, subscriber) = subscribed(at_qos_1());
    history
        .client(publisher, publish(q2(1), "a"))
        .broker(publisher, pubrec(1));
    // The connection ends with PUBREL, and PUBCOMP leaves all the same.
    history.client(publisher, pubrel(1)).cut(publisher);
    history.broker(publisher, pubcomp(1));
    let again = history.at(1000).connect("pub", true);
    history.client(again, pubrel(1)).broker(again, pubcomp(1));
    deliver(&mut history, subscriber, 1, publish(q1(1), "a"));
    history.passes();
}

#[test]
fn before_suback_a_lower_qos_may_come() {
    let mut history = History::of(CLIENTS);
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history.client(subscriber, subscribe(100, "t", at_qos_1()));
    publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
    history
        .broker(subscriber, publish(q0(), "a"))
        .broker(subscriber, suback(100, ReasonCode::Success));
    history.passes();
}

#[test]
fn the_same_payload_on_two_topics_is_two_messages() {
    let (mut history, publisher, subscriber) = subscribed(at_qos_1());
    let to_u = |packet| {
        super::history::with(packet, |publish| {
            publish.topic = Some(squall_proto::TopicName::new("u").unwrap());
        })
    };
    publish_from(&mut history, publisher, 1, to_u(publish(q1(1), "a")));
    publish_from(&mut history, publisher, 2, publish(q1(2), "a"));
    deliver(&mut history, subscriber, 1, publish(q1(1), "a"));
    history.passes();
    history
        .broker(subscriber, to_u(publish(q1(2), "a")))
        .client(subscriber, puback(2));
    history.fails(&["as_published"]);
}

#[test]
fn what_is_said_before_connack_is_handled_after_it() {
    let mut history = History::of("clients: { sub: {} }\npeers: { raw: {} }");
    let subscriber = history.connect("sub", false);
    history.subscribe(subscriber, "t", Qos::AtLeastOnce);
    let hasty = history.open("raw");
    let connect = super::history::connect("raw", Version::V5);
    history
        .client(hasty, Packet::Connect(Box::new(connect)))
        .client(hasty, publish(q1(1), "a"))
        .broker(hasty, super::history::connack(false))
        .broker(hasty, puback(1));
    history.fails(&["no_loss"]);
    deliver(&mut history, subscriber, 1, publish(q1(1), "a"));
    history.passes();
}

#[test]
fn a_message_that_came_after_unsuback_is_not_sent() {
    for (is_late, found) in [(false, &[][..]), (true, &["as_published"])] {
        let (mut history, publisher, subscriber) = subscribed(at_qos_1());
        if !is_late {
            publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
        }
        history
            .client(subscriber, unsubscribe(101, "t"))
            .broker(subscriber, unsuback(101));
        if is_late {
            publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
        }
        deliver(&mut history, subscriber, 1, publish(q1(1), "a"));
        history.fails(found);
    }
}

#[test]
fn own_messages_come_unless_they_are_not_wanted() {
    for (no_local, comes, found) in [
        (true, true, &["as_published"][..]),
        (true, false, &[]),
        (false, true, &[]),
        (false, false, &["no_loss"]),
    ] {
        let (mut history, _, subscriber) = subscribed(SubscriptionOptions {
            no_local,
            ..at_qos_1()
        });
        publish_from(&mut history, subscriber, 1, publish(q1(1), "a"));
        if comes {
            deliver(&mut history, subscriber, 1, publish(q1(1), "a"));
        }
        history.fails(found);
    }
}

#[test]
fn subscription_identifiers_are_those_that_were_given() {
    let number = |id| Property::SubscriptionIdentifier(SubscriptionId::new(id).unwrap());
    for (given, carried, found) in [
        (Some(7), Some(7), &[][..]),
        (Some(7), Some(8), &["subscription_id"]),
        (Some(7), None, &["subscription_id"]),
        (None, Some(7), &["subscription_id"]),
        (None, None, &[]),
    ] {
        let mut history = History::of(CLIENTS);
        let publisher = history.connect("pub", false);
        let subscriber = history.connect("sub", false);
        let mut asked = subscribe(100, "t", at_qos_1());
        if let (Packet::Subscribe(asked), Some(id)) = (&mut asked, given) {
            asked.properties.push(number(id));
        }
        history
            .client(subscriber, asked)
            .broker(subscriber, suback(100, ReasonCode::GrantedQos1));
        publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
        let packet = publish(q1(1), "a");
        let packet = carried
            .into_iter()
            .fold(packet, |packet, id| property(packet, number(id)));
        deliver(&mut history, subscriber, 1, packet);
        history.fails(found);
    }
}

/// `pub` has published `a` and then `b` to `t` with RETAIN, and is answered.
fn retained() -> (History, Wire, Wire) {
    let mut history = History::of(CLIENTS);
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    publish_from(&mut history, publisher, 1, retain(publish(q1(1), "a")));
    publish_from(&mut history, publisher, 2, retain(publish(q1(2), "b")));
    (history, publisher, subscriber)
}

#[test]
fn what_is_retained_is_the_last_that_was_published() {
    for (payload, found) in [("b", &[][..]), ("a", &["no_loss", "retained"])] {
        let (mut history, _, subscriber) = retained();
        ask(&mut history, subscriber, at_qos_1());
        deliver(&mut history, subscriber, 1, retain(publish(q1(1), payload)));
        history.fails(found);
    }
}

#[test]
fn what_was_retained_and_does_not_come_is_a_loss() {
    let (mut history, _, subscriber) = retained();
    ask(&mut history, subscriber, at_qos_1());
    history.fails(&["no_loss"]);
}

#[test]
fn what_was_cleared_does_not_come() {
    let (mut history, publisher, subscriber) = retained();
    publish_from(&mut history, publisher, 3, retain(publish(q1(3), "")));
    ask(&mut history, subscriber, at_qos_1());
    history.passes();
    deliver(&mut history, subscriber, 1, retain(publish(q1(1), "b")));
    history.fails(&["retained"]);
}

#[test]
fn of_two_that_were_published_at_once_either_may_be_retained() {
    for payload in ["a", "b"] {
        let mut history = History::of("clients: { one: {}, other: {}, sub: {} }");
        let [one, other, subscriber] = ["one", "other", "sub"].map(|name| history.connect(name, false));
        history
            .client(one, retain(publish(q1(1), "a")))
            .client(other, retain(publish(q1(1), "b")))
            .broker(one, puback(1))
            .broker(other, puback(1));
        ask(&mut history, subscriber, at_qos_1());
        deliver(&mut history, subscriber, 1, retain(publish(q1(1), payload)));
        history.passes();
    }
}

#[test]
fn retained_messages_come_as_retain_handling_says() {
    use RetainHandling::{DoNotSend, Send, SendIfNew};
    for (retain_handling, is_again, comes, found) in [
        (Send, true, true, &[][..]),
        (Send, true, false, &["no_loss"]),
        (SendIfNew, false, true, &[]),
        (SendIfNew, false, false, &["no_loss"]),
        (SendIfNew, true, false, &[]),
        (DoNotSend, false, true, &["retained"]),
        (DoNotSend, false, false, &[]),
    ] {
        let (mut history, _, subscriber) = retained();
        let options = SubscriptionOptions {
            retain_handling,
            ..at_qos_1()
        };
        ask(&mut history, subscriber, options);
        if is_again {
            deliver(&mut history, subscriber, 1, retain(publish(q1(1), "b")));
            ask(&mut history, subscriber, options);
        }
        if comes {
            deliver(&mut history, subscriber, 2, retain(publish(q1(2), "b")));
        }
        history.fails(found);
    }
}

#[test]
fn what_is_older_than_the_subscription_comes_as_retained_or_not_at_all() {
    let (mut history, _, subscriber) = retained();
    ask(&mut history, subscriber, at_qos_1());
    deliver(&mut history, subscriber, 1, publish(q1(1), "b"));
    history.fails(&["as_published"]);
}

#[test]
fn retain_on_what_was_published_without_is_found() {
    let (mut history, publisher, subscriber) = subscribed(at_qos_1());
    publish_from(&mut history, publisher, 1, publish(q1(1), "a"));
    deliver(&mut history, subscriber, 1, retain(publish(q1(1), "a")));
    let found = history.findings();
    assert!(found.contains(&"as_published"), "{found:?}");
}

/// A message that expires 10 s after it came at 0 s, for `sub`, which is back `at` milliseconds after that.
fn expiring(at: u64) -> (History, Wire) {
    let (mut history, publisher, subscriber) = subscribed(at_qos_1());
    history.cut(subscriber);
    let packet = property(publish(q1(1), "a"), Property::MessageExpiryInterval(10));
    publish_from(&mut history, publisher, 1, packet);
    let again = history.at(at).connect("sub", true);
    (history, again)
}

#[test]
fn a_message_comes_with_what_is_left_of_its_expiry() {
    for (at, left, found) in [
        (4000, 6, &[][..]),
        (4000, 7, &[]),
        (4000, 10, &["message_expiry"]),
        (4000, 2, &["message_expiry"]),
        (10_900, 0, &[]),
        (12_000, 0, &["message_expiry"]),
    ] {
        let (mut history, again) = expiring(at);
        let packet = property(publish(q1(1), "a"), Property::MessageExpiryInterval(left));
        deliver(&mut history, again, 1, packet);
        history.fails(found);
    }
}

#[test]
fn what_has_expired_is_not_owed() {
    let (history, _) = expiring(12_000);
    history.passes();
}

#[test]
fn what_was_on_its_way_before_it_expired_may_be_sent_again() {
    let (mut history, again) = expiring(4000);
    let packet = property(publish(q1(1), "a"), Property::MessageExpiryInterval(6));
    history.broker(again, packet.clone());
    history.at(20_000).cut(again);
    let again = history.connect("sub", true);
    deliver(&mut history, again, 1, dup(packet));
    history.passes();
}
