//! Subscriptions, and what they are answered with.

use std::collections::BTreeSet;

use squall_proto::{
    Packet, PacketType, Properties, Qos, ReasonCode, Suback, Subscribe, TopicFilter, Unsuback, Version,
};

use super::{
    Mutant, Mutation, caught_by,
    conn::Conn,
    mutation::{never_sent, seen, seen_as, sent_as},
    packets::{id_after, is},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-reads-plus-as-hash",
        does: "lets a `+` at the end match any number of levels",
        stands_for: "MQTT-3.3.2-3",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "at_most_once",
        ),
        make: || filters(|filter| filter.strip_suffix('+').map(|levels| format!("{levels}#"))),
    },
    Mutant {
        name: "broker-reads-hash-without-the-level-above",
        does: "does not let `a/#` match `a`",
        stands_for: "MQTT-4.7.1-1",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "expectations",
        ),
        make: || filters(|filter| filter.strip_suffix("/#").map(|levels| format!("{levels}/+"))),
    },
    Mutant {
        name: "broker-ignores-unsubscribe",
        does: "answers UNSUBSCRIBE and goes on delivering",
        stands_for: "MQTT-3.10.4-2",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "expectations",
        ),
        make: ignores_unsubscribe,
    },
    Mutant {
        name: "broker-ignores-a-second-subscribe",
        does: "answers SUBSCRIBE to a filter it has already and keeps the old subscription",
        stands_for: "MQTT-3.8.4-3",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "expectations",
        ),
        make: ignores_a_second_subscribe,
    },
    Mutant {
        name: "broker-reads-one-filter-a-subscribe",
        does: "sees the first filter of a SUBSCRIBE alone",
        stands_for: "MQTT-3.8.4-5",
        side: Side::Broker,
        caught_by: caught_by("a-subscription-gets-what-matches-it-and-nothing-else", "no_loss"),
        make: sees_the_first_filter,
    },
    Mutant {
        name: "broker-sends-no-suback",
        does: "never answers SUBSCRIBE",
        stands_for: "MQTT-3.8.4-1",
        side: Side::Broker,
        caught_by: caught_by("a-subscription-gets-what-matches-it-and-nothing-else", "liveness"),
        make: || never_sent(is(PacketType::Suback)),
    },
    Mutant {
        name: "broker-answers-another-subscribe",
        does: "says in SUBACK the Packet Identifier after that of the SUBSCRIBE",
        stands_for: "MQTT-3.8.4-2",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "well_formed",
        ),
        make: || {
            suback(|suback| {
                suback.packet_id = id_after(suback.packet_id, 1);
            })
        },
    },
    Mutant {
        name: "broker-answers-with-a-reason-code-too-many",
        does: "says in SUBACK one Reason Code more than there are filters",
        stands_for: "MQTT-3.8.4-6",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "well_formed",
        ),
        make: || suback(|suback| suback.reason_codes.push(ReasonCode::Success)),
    },
    Mutant {
        name: "broker-grants-less-than-it-sends",
        does: "grants QoS 0 and sends at the QoS that was asked for",
        stands_for: "MQTT-3.8.4-7",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "at_most_once",
        ),
        make: || suback(|suback| suback.reason_codes.fill(ReasonCode::Success)),
    },
    Mutant {
        name: "broker-grants-qos2-and-subscribes-at-qos0",
        does: "grants what is asked for and sends at QoS 0",
        stands_for: "MQTT-3.8.4-8",
        side: Side::Broker,
        caught_by: caught_by("a-subscription-gets-what-matches-it-and-nothing-else", "no_loss"),
        make: grants_and_forgets_the_qos,
    },
];

/// The node takes filters for others.
fn filters(other: fn(&str) -> Option<String>) -> Mutation {
    seen_as(move |packet, _| {
        if let Packet::Subscribe(subscribe) = packet {
            for (filter, _) in &mut subscribe.filters {
                let read = other(filter.text()).and_then(|read| TopicFilter::new(&read).ok());
                *filter = read.unwrap_or_else(|| filter.clone());
            }
        }
    })
}

fn suback(change: fn(&mut Suback)) -> Mutation {
    sent_as(move |packet, _| {
        if let Packet::Suback(suback) = packet {
            change(suback);
        }
    })
}

fn ignores_unsubscribe() -> Mutation {
    seen(|packet, conn| match packet {
        Packet::Unsubscribe(unsubscribe) => {
            let codes = match conn.version() {
                Version::V5 => vec![ReasonCode::Success; unsubscribe.filters.len()],
                Version::V3_1_1 => Vec::new(),
            };
            conn.send(Packet::Unsuback(Unsuback {
                packet_id: unsubscribe.packet_id,
                reason_codes: codes,
                properties: Properties::new(),
            }));
        }
        other => conn.pass(other),
    })
}

/// As if it had been subscribed to.
pub(super) fn grant(subscribe: &Subscribe, conn: &mut Conn) {
    conn.send(Packet::Suback(Suback {
        packet_id: subscribe.packet_id,
        reason_codes: granted(subscribe),
        properties: Properties::new(),
    }));
}

/// What says that all of it was granted.
fn granted(subscribe: &Subscribe) -> Vec<ReasonCode> {
    let code = |qos| match qos {
        Qos::AtMostOnce => ReasonCode::Success,
        Qos::AtLeastOnce => ReasonCode::GrantedQos1,
        Qos::ExactlyOnce => ReasonCode::GrantedQos2,
    };
    let filters = subscribe.filters.iter();
    filters.map(|(_, options)| code(options.qos)).collect()
}

fn ignores_a_second_subscribe() -> Mutation {
    let mut known = BTreeSet::new();
    seen(move |packet, conn| match packet {
        Packet::Subscribe(subscribe) => {
            let is_new = subscribe
                .filters
                .iter()
                .fold(false, |any, (filter, _)| any | known.insert(filter.clone()));
            match is_new {
                true => conn.pass(Packet::Subscribe(subscribe)),
                false => grant(&subscribe, conn),
            }
        }
        other => conn.pass(other),
    })
}

/// SUBACK says what was asked for.
fn sees_the_first_filter() -> Mutation {
    grants_and(|subscribe| subscribe.filters.truncate(1))
}

/// SUBACK says what was asked for.
fn grants_and_forgets_the_qos() -> Mutation {
    grants_and(|subscribe| {
        for (_, options) in &mut subscribe.filters {
            options.qos = Qos::AtMostOnce;
        }
    })
}

fn grants_and(change: fn(&mut Subscribe)) -> Mutation {
    let mut asked = Vec::new();
    Box::new(move |mut packet, conn| {
        if let Packet::Subscribe(subscribe) = &mut packet {
            asked = granted(subscribe);
            change(subscribe);
        } else if let Packet::Suback(suback) = &mut packet {
            suback.reason_codes.clone_from(&asked);
        }
        conn.pass(packet);
    })
}
