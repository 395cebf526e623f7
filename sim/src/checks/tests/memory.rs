use squall_proto::{Packet, Qos, ReasonCode, SubscriptionOptions, Version};

use super::history::{
    History, connect, puback, publish, q1, retain, suback, subscribe, unsuback, unsubscribe,
};
use crate::trace::{Held, Stored, What};

/// What the broker holds when `pub` and `sub` are connected and `sub` is subscribed to `t`, which has a retained message.
const RIGHT: Held = Held {
    connections: 2,
    sessions: 2,
    subscriptions: 1,
    retained_messages: 1,
    unfinished_messages: 0,
    stored: None,
};

fn counted(held: Held) -> History {
    let mut history = History::of("clients: { pub: {}, sub: {} }");
    let publisher = history.connect("pub", false);
    let subscriber = history.connect("sub", false);
    history
        .subscribe(subscriber, "t", Qos::AtLeastOnce)
        .subscribe(subscriber, "u", Qos::AtLeastOnce)
        .client(subscriber, unsubscribe(9, "u"))
        .broker(subscriber, unsuback(9));
    history
        .client(publisher, retain(publish(q1(1), "a")))
        .broker(publisher, puback(1))
        .broker(subscriber, publish(q1(1), "a"))
        .client(subscriber, puback(1));
    history.note(What::Held(held));
    history
}

#[test]
fn what_the_wires_say_is_held() {
    counted(RIGHT).passes();
}

#[test]
fn what_is_left_over_or_lacks_is_found() {
    for wrong in [
        Held {
            connections: 3,
            ..RIGHT
        },
        Held {
            connections: 1,
            ..RIGHT
        },
        Held { sessions: 3, ..RIGHT },
        Held { sessions: 1, ..RIGHT },
        Held {
            subscriptions: 2,
            ..RIGHT
        },
        Held {
            subscriptions: 0,
            ..RIGHT
        },
        Held {
            retained_messages: 2,
            ..RIGHT
        },
        Held {
            unfinished_messages: 1,
            ..RIGHT
        },
    ] {
        counted(wrong).fails(&["memory"]);
    }
}

#[test]
fn what_is_on_the_disk_and_not_held_is_found() {
    let right = Stored {
        sessions: 1,
        retained_messages: 1,
        deliveries: 0,
        messages: 1,
    };
    let with = |stored| {
        counted(Held {
            stored: Some(stored),
            ..RIGHT
        })
    };
    with(right).passes();
    for wrong in [
        Stored { sessions: 3, ..right },
        Stored {
            retained_messages: 0,
            ..right
        },
        Stored {
            deliveries: 1,
            ..right
        },
        Stored { messages: 2, ..right },
    ] {
        with(wrong).fails(&["memory"]);
    }
}

#[test]
fn a_session_that_ended_with_its_connection_is_gone() {
    for (sessions, found) in [(0, &[][..]), (1, &["memory"])] {
        let mut history = History::of("peers: { raw: {} }").version(Version::V3_1_1);
        let mut connect = connect("raw", Version::V3_1_1);
        connect.clean_start = true;
        let wire = history.connect_with(connect, false);
        history
            .client(wire, Packet::Pingreq)
            .broker(wire, Packet::Pingresp)
            .cut(wire);
        let nothing = Held {
            connections: 0,
            sessions,
            subscriptions: 0,
            retained_messages: 0,
            unfinished_messages: 0,
            stored: None,
        };
        history.at(1000).note(What::Held(nothing));
        history.fails(found);
    }
}

#[test]
fn an_unsubscribe_that_comes_before_suback_ends_the_subscription_all_the_same() {
    for (subscriptions, found) in [(0, &[][..]), (1, &["memory"])] {
        let mut history = History::of("clients: { sub: {} }");
        let wire = history.connect("sub", false);
        history
            .client(wire, subscribe(1, "t", SubscriptionOptions::default()))
            .client(wire, unsubscribe(2, "t"))
            .broker(wire, suback(1, ReasonCode::Success))
            .broker(wire, unsuback(2));
        history.note(What::Held(Held {
            connections: 1,
            sessions: 1,
            subscriptions,
            retained_messages: 0,
            unfinished_messages: 0,
            stored: None,
        }));
        history.fails(found);
    }
}
