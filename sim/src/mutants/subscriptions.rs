//! Subscriptions, and what they are answered with.

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::{
    Packet, PacketType, Properties, Qos, ReasonCode, Suback, Subscribe, TopicFilter, TopicName, Unsuback,
    Version,
};

use super::{
    Mutant, Mutation, caught_by,
    conn::{Conn, Way},
    mutation::{never_sent, seen, seen_as, sent, sent_as, wire},
    packets::{id_after, is},
    sessions::loses,
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
            "as_published",
        ),
        make: || filters(|filter| filter.strip_suffix('+').map(|levels| format!("{levels}#"))),
    },
    Mutant {
        name: "broker-reads-hash-without-the-level-above",
        does: "does not let `a/#` match `a`",
        stands_for: "MQTT-4.7.1-1",
        side: Side::Broker,
        caught_by: caught_by("a-subscription-gets-what-matches-it-and-nothing-else", "no_loss"),
        make: || filters(|filter| filter.strip_suffix("/#").map(|levels| format!("{levels}/+"))),
    },
    Mutant {
        name: "broker-ignores-unsubscribe",
        does: "answers UNSUBSCRIBE and goes on delivering",
        stands_for: "MQTT-3.10.4-2",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "as_published",
        ),
        make: ignores_unsubscribe,
    },
    Mutant {
        name: "broker-ignores-a-second-subscribe",
        does: "answers SUBSCRIBE to a filter it has already and keeps the old subscription",
        stands_for: "MQTT-3.8.4-3",
        side: Side::Broker,
        caught_by: caught_by("a-subscription-gets-what-matches-it-and-nothing-else", "no_loss"),
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
            "as_published",
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
    Mutant {
        name: "broker-matches-dollar-with-wildcards",
        does: "lets a filter that begins with a wildcard match topics that begin with `$`",
        stands_for: "MQTT-4.7.2-1",
        side: Side::Broker,
        caught_by: caught_by(
            "wildcards-match-no-topic-that-begins-with-a-dollar",
            "as_published",
        ),
        make: || topics(|topic| topic.strip_prefix('$').map(str::to_owned)),
    },
    Mutant {
        name: "broker-drops-what-is-under-way-on-unsubscribe",
        does: "does not finish what it has begun to send when the client unsubscribes",
        stands_for: "MQTT-3.10.4-3",
        side: Side::Broker,
        caught_by: caught_by("unsubscribing-finishes-what-has-begun", "liveness"),
        make: drops_on_unsubscribe,
    },
    Mutant {
        name: "client-does-not-subscribe-again",
        does: "believes that its subscriptions are there though Session Present is 0",
        stands_for: "MQTT-3.2.2-5",
        side: Side::Client,
        caught_by: caught_by(
            "a-client-subscribes-again-when-its-session-was-lost",
            "expectations",
        ),
        make: does_not_subscribe_again,
    },
    Mutant {
        name: "broker-turns-reason-codes-round",
        does: "answers the last filter of a SUBSCRIBE first",
        stands_for: "MQTT-3.8.4-6",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "as_published",
        ),
        make: || suback(|suback| suback.reason_codes.reverse()),
    },
    Mutant {
        name: "broker-forgets-case",
        does: "takes large and small letters of a topic for the same",
        stands_for: "MQTT-4.7.3-4",
        side: Side::Broker,
        caught_by: caught_by("topics-are-compared-letter-by-letter", "as_published"),
        make: || topics(|topic| Some(topic.to_lowercase())),
    },
    Mutant {
        name: "broker-subscribes-late",
        does: "loses the first message that matches a subscription",
        stands_for: "MQTT-3.8.4-1",
        side: Side::Broker,
        caught_by: caught_by("a-subscription-gets-what-matches-it-and-nothing-else", "no_loss"),
        make: subscribes_late,
    },
];

/// The node takes filters for others.
pub(super) fn filters(other: fn(&str) -> Option<String>) -> Mutation {
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
        Packet::Subscribe(subscribe) => match are_new(&subscribe, &mut known) {
            true => conn.pass(Packet::Subscribe(subscribe)),
            false => grant(&subscribe, conn),
        },
        other => conn.pass(other),
    })
}

/// Whether any of the filters is; then all are known.
fn are_new(subscribe: &Subscribe, known: &mut BTreeSet<TopicFilter>) -> bool {
    let filters = subscribe.filters.iter();
    filters.fold(false, |any, (filter, _)| any | known.insert(filter.clone()))
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
    wire(move |mut packet, conn| {
        if let Packet::Subscribe(subscribe) = &mut packet {
            asked = granted(subscribe);
            change(subscribe);
        } else if let Packet::Suback(suback) = &mut packet {
            suback.reason_codes.clone_from(&asked);
        }
        conn.pass(packet);
    })
}

/// The node takes topics for others, and the trace shows what it sends under their own.
fn topics(other: fn(&str) -> Option<String>) -> Mutation {
    let mut real = BTreeMap::new();
    wire(move |mut packet, conn| {
        if let Packet::Publish(publish) = &mut packet {
            match conn.way() {
                Way::Seen => {
                    let read = publish.topic.as_ref().and_then(|topic| other(topic.text()));
                    if let Some(read) = read.and_then(|read| TopicName::new(&read).ok()) {
                        real.insert(publish.payload.clone(), publish.topic.replace(read));
                    }
                }
                Way::Sent => {
                    if let Some(topic) = real.get(&publish.payload) {
                        publish.topic.clone_from(topic);
                    }
                }
            }
        }
        conn.pass(packet);
    })
}

fn drops_on_unsubscribe() -> Mutation {
    let mut unsubscribed = BTreeSet::new();
    wire(move |packet, conn| match (conn.way(), &packet) {
        (Way::Seen, Packet::Unsubscribe(_)) => {
            unsubscribed.insert(conn.client_id().to_owned());
            conn.pass(packet);
        }
        (Way::Sent, Packet::Publish(_) | Packet::Pubrel(_)) if unsubscribed.contains(conn.client_id()) => {}
        (Way::Seen | Way::Sent, _) => conn.pass(packet),
    })
}

fn does_not_subscribe_again() -> Mutation {
    let mut known = BTreeSet::new();
    sent(move |packet, conn| match packet {
        Packet::Subscribe(subscribe) if !are_new(&subscribe, &mut known) => {
            conn.show(Packet::Suback(Suback {
                packet_id: subscribe.packet_id,
                reason_codes: granted(&subscribe),
                properties: Properties::new(),
            }));
        }
        other => conn.pass(other),
    })
}

/// That of each connection on which something was subscribed to.
fn subscribes_late() -> Mutation {
    let mut subscribed = BTreeSet::new();
    let mut lose = loses(|_, _| true);
    wire(move |packet, conn| {
        let connection = (conn.client_id().to_owned(), conn.nth());
        match &packet {
            Packet::Suback(_) => {
                subscribed.insert(connection);
                conn.pass(packet);
            }
            Packet::Publish(_) if conn.way() == Way::Sent && subscribed.remove(&connection) => {
                lose.apply(packet, conn)
            }
            _other => conn.pass(packet),
        }
    })
}
