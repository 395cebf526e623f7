//! Retained messages.

use std::collections::BTreeMap;

use squall_proto::{Ack, Delivery, Packet, Publish, Qos};

use super::{
    Mutant, Mutation, caught_by,
    conn::Conn,
    mutation::{never_sent, seen, seen_as, sent, sent_as},
    packets::publish,
    sessions::loses,
    subscriptions::filters,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-retains-nothing",
        does: "does not keep what is published with RETAIN",
        stands_for: "MQTT-3.3.1-5",
        side: Side::Broker,
        caught_by: caught_by("retained-message-outlives-its-publisher", "no_loss"),
        make: || seen_as(|packet, _| retain(packet, |_| false)),
    },
    Mutant {
        name: "broker-retains-everything",
        does: "keeps what is published without RETAIN, too",
        stands_for: "MQTT-3.3.1-8",
        side: Side::Broker,
        caught_by: caught_by("retained-is-what-says-so", "retained"),
        make: || seen_as(|packet, _| retain(packet, |_| true)),
    },
    Mutant {
        name: "broker-sends-nothing-retained",
        does: "keeps what is retained and sends it to nobody who subscribes",
        stands_for: "MQTT-3.3.1-9",
        side: Side::Broker,
        caught_by: caught_by("retained-message-outlives-its-publisher", "no_loss"),
        make: || never_sent(|packet, _| publish(packet).is_some_and(|publish| publish.retain)),
    },
    Mutant {
        name: "broker-sends-retained-messages-as-new",
        does: "sends what is retained with RETAIN 0",
        stands_for: "D8, MQTT-3.3.1-9",
        side: Side::Broker,
        caught_by: caught_by("retained-message-outlives-its-publisher", "as_published"),
        make: || sent_as(|packet, _| retain(packet, |_| false)),
    },
    Mutant {
        name: "broker-forwards-with-retain",
        does: "forwards every message with RETAIN 1",
        stands_for: "D8, MQTT-3.3.1-12",
        side: Side::Broker,
        caught_by: caught_by("retained-is-what-says-so", "as_published"),
        make: || sent_as(|packet, _| retain(packet, |_| true)),
    },
    Mutant {
        name: "broker-does-not-clear",
        does: "does nothing about a retained message without payload",
        stands_for: "MQTT-3.3.1-6",
        side: Side::Broker,
        caught_by: caught_by("retained-message-outlives-its-publisher", "retained"),
        make: does_not_clear,
    },
    Mutant {
        name: "broker-keeps-the-first-retained-message",
        does: "does not replace a retained message with a newer one",
        stands_for: "MQTT-3.3.1-5",
        side: Side::Broker,
        caught_by: caught_by("retained-is-what-says-so", "retained"),
        make: keeps_the_first,
    },
    Mutant {
        name: "broker-sends-retained-messages-on-resume",
        does: "sends what is retained again whenever a session goes on",
        stands_for: "MQTT-3.3.1-9",
        side: Side::Broker,
        caught_by: caught_by("retained-is-what-says-so", "as_published"),
        make: sends_on_resume,
    },
    Mutant {
        name: "broker-does-not-forward-an-empty-retained-message",
        does: "clears what is retained and tells nobody",
        stands_for: "MQTT-3.3.1-6",
        side: Side::Broker,
        caught_by: caught_by(
            "an-empty-retained-message-reaches-subscribers-and-clears",
            "no_loss",
        ),
        make: || loses(|_, publish| publish.payload.is_empty()),
    },
    Mutant {
        name: "broker-sends-retained-messages-to-groups",
        does: "sends what is retained to who subscribes to a shared subscription",
        stands_for: "D8, MQTT-3.3.1-9",
        side: Side::Broker,
        caught_by: caught_by("a-shared-subscription-gets-no-retained-messages", "retained"),
        make: || {
            filters(|filter| {
                let levels = filter.strip_prefix("$share/")?;
                levels.split_once('/').map(|(_, levels)| levels.to_owned())
            })
        },
    },
];

fn retain(packet: &mut Packet, change: fn(bool) -> bool) {
    if let Packet::Publish(publish) = packet {
        publish.retain = change(publish.retain);
    }
}

/// The message is answered and not kept.
fn swallow(publish: &Publish, conn: &mut Conn) {
    match publish.delivery {
        Delivery::AtMostOnce => {}
        Delivery::AtLeastOnce(id) => conn.send(Packet::Puback(Ack::success(id))),
        Delivery::ExactlyOnce(id) => conn.send(Packet::Pubrec(Ack::success(id))),
    }
}

fn does_not_clear() -> Mutation {
    seen(|packet, conn| match packet {
        Packet::Publish(publish) if publish.retain && publish.payload.is_empty() => swallow(&publish, conn),
        other => conn.pass(other),
    })
}

fn keeps_the_first() -> Mutation {
    let mut first = BTreeMap::new();
    seen_as(move |packet, _| {
        if let Packet::Publish(publish) = packet
            && publish.retain
        {
            let kept: &mut bytes::Bytes = first
                .entry(publish.topic.clone())
                .or_insert_with(|| publish.payload.clone());
            publish.retain = *kept == publish.payload;
        }
    })
}

fn sends_on_resume() -> Mutation {
    let mut retained: BTreeMap<String, Publish> = BTreeMap::new();
    sent(move |packet, conn| {
        if let Packet::Publish(publish) = &packet
            && publish.retain
        {
            let mut kept = publish.clone();
            kept.delivery = Delivery::AtMostOnce;
            kept.dup = false;
            retained.insert(conn.client_id().to_owned(), kept);
        }
        let is_resumed = matches!(&packet, Packet::Connack(connack) if connack.session_present);
        conn.pass(packet);
        if let (true, Some(kept)) = (is_resumed, retained.get(conn.client_id())) {
            debug_assert_eq!(kept.delivery.qos(), Qos::AtMostOnce, "made so above");
            conn.pass(Packet::Publish(kept.clone()));
        }
    })
}
