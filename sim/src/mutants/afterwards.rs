//! Ten that were invented when everything else stood: seven were caught by what there was, three asked for a scenario.

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::{
    Ack, Delivery, Packet, PacketType, Properties, Property, Publish, ReasonCode, Unsuback, Version,
};

use super::{
    Mutant, Mutation, caught_by,
    conn::Way,
    mutation::{seen, seen_as, sent, sent_as, wire},
    packets::publish,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-unsubscribes-from-everything",
        does: "ends all subscriptions of a client with the first that it unsubscribes from",
        stands_for: "MQTT-3.10.4-1",
        side: Side::Broker,
        caught_by: caught_by("unsubscribing-ends-one-subscription-alone", "no_loss"),
        make: unsubscribes_from_everything,
    },
    Mutant {
        name: "broker-asks-for-pubrel-again",
        does: "sends PUBREC once more when it has sent PUBCOMP",
        stands_for: "MQTT-4.3.3-11",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "well_formed"),
        make: asks_for_pubrel_again,
    },
    Mutant {
        name: "client-unsubscribes-in-thought",
        does: "tells its application that it has unsubscribed and tells the server nothing",
        stands_for: "MQTT-3.10.4-4",
        side: Side::Client,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "expectations",
        ),
        make: unsubscribes_in_thought,
    },
    Mutant {
        name: "broker-mixes-retained-messages-up",
        does: "sends with each retained message the payload of the one before",
        stands_for: "MQTT-3.3.1-9",
        side: Side::Broker,
        caught_by: caught_by("retained-message-outlives-its-publisher", "as_published"),
        make: mixes_retained_messages_up,
    },
    Mutant {
        name: "broker-ends-sessions-at-half-time",
        does: "lets a session expire after half its Session Expiry Interval",
        stands_for: "D5, MQTT-3.1.2-23",
        side: Side::Broker,
        caught_by: caught_by("a-will-comes-when-its-session-ends-before-its-delay", "one_will"),
        make: ends_sessions_at_half_time,
    },
    Mutant {
        name: "broker-ignores-the-expiry-of-disconnect",
        does: "does not see the Session Expiry Interval of DISCONNECT",
        stands_for: "D5, 3.14.2.2.2 of 5.0",
        side: Side::Broker,
        caught_by: caught_by("disconnect-may-say-how-long-the-session-lasts", "session_present"),
        make: || seen_as(|packet, _| without_expiry(packet)),
    },
    Mutant {
        name: "client-acknowledges-again-after-a-reconnect",
        does: "says its last PUBACK again on the next connection",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: acknowledges_again,
    },
    Mutant {
        name: "broker-forgets-keep-alive-after-a-reconnect",
        does: "knows the Keep Alive of the first connection of a client alone",
        stands_for: "D11, MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("a-session-outlives-many-takeovers-of-both-kinds", "keep_alive"),
        make: || {
            seen_as(|packet, conn| {
                if let Packet::Connect(connect) = packet
                    && conn.nth() > 1
                {
                    connect.keep_alive = 0;
                }
            })
        },
    },
    Mutant {
        name: "broker-repeats-qos0-on-resume",
        does: "sends the last QoS 0 message again when a session goes on",
        stands_for: "D8, MQTT-4.3.1-1",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "at_most_once",
        ),
        make: repeats_qos0,
    },
    Mutant {
        name: "broker-publishes-one-will-a-client",
        does: "publishes the first Will of a client and none that follows",
        stands_for: "D7, MQTT-3.1.2-8",
        side: Side::Broker,
        caught_by: caught_by("each-connection-has-a-will-of-its-own", "one_will"),
        make: publishes_one_will,
    },
];

fn unsubscribes_from_everything() -> Mutation {
    let mut filters: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let mut asked = Vec::new();
    wire(move |mut packet, conn| {
        let known = filters.entry(conn.client_id().to_owned()).or_default();
        match &mut packet {
            Packet::Subscribe(subscribe) => {
                known.extend(subscribe.filters.iter().map(|(filter, _)| filter.clone()))
            }
            Packet::Unsubscribe(unsubscribe) => {
                asked.push((unsubscribe.packet_id, unsubscribe.filters.len()));
                unsubscribe.filters.append(known);
            }
            Packet::Unsuback(unsuback) => {
                let of = asked.iter().position(|(id, _)| *id == unsuback.packet_id);
                let (_, filters) = of.map_or((unsuback.packet_id, 0), |at| asked.remove(at));
                unsuback.reason_codes.truncate(filters);
            }
            _other => {}
        }
        conn.pass(packet);
    })
}

fn asks_for_pubrel_again() -> Mutation {
    sent(|packet, conn| {
        let done = match &packet {
            Packet::Pubcomp(ack) => Some(ack.packet_id),
            _other => None,
        };
        conn.pass(packet);
        if let Some(id) = done {
            conn.send(Packet::Pubrec(Ack::success(id)));
        }
    })
}

fn unsubscribes_in_thought() -> Mutation {
    sent(|packet, conn| match packet {
        Packet::Unsubscribe(unsubscribe) => {
            let codes = match conn.version() {
                Version::V5 => vec![ReasonCode::Success; unsubscribe.filters.len()],
                Version::V3_1_1 => Vec::new(),
            };
            conn.show(Packet::Unsuback(Unsuback {
                packet_id: unsubscribe.packet_id,
                reason_codes: codes,
                properties: Properties::new(),
            }));
        }
        other => conn.pass(other),
    })
}

fn mixes_retained_messages_up() -> Mutation {
    let mut before = None;
    sent_as(move |packet, _| {
        if let Packet::Publish(publish) = packet
            && publish.retain
        {
            let mine = publish.payload.clone();
            publish.payload = before.replace(mine.clone()).unwrap_or(mine);
        }
    })
}

fn ends_sessions_at_half_time() -> Mutation {
    seen_as(|packet, _| {
        if let Packet::Connect(connect) = packet
            && let Some(expiry) = connect.properties.session_expiry_interval()
        {
            let is_expiry = |property: &Property| matches!(property, Property::SessionExpiryInterval(_));
            connect.properties.retain(|property| !is_expiry(property));
            connect
                .properties
                .push(Property::SessionExpiryInterval(expiry / 2));
        }
    })
}

fn without_expiry(packet: &mut Packet) {
    if let Packet::Disconnect(disconnect) = packet {
        let is_expiry = |property: &Property| matches!(property, Property::SessionExpiryInterval(_));
        disconnect.properties.retain(|property| !is_expiry(property));
    }
}

fn acknowledges_again() -> Mutation {
    let mut last = None;
    wire(move |packet, conn| {
        let resumes = packet.packet_type() == PacketType::Connack && conn.resumed();
        if let Packet::Puback(ack) = &packet
            && conn.way() == Way::Sent
        {
            last = Some(ack.clone());
        }
        conn.pass(packet);
        if let Some(ack) = last.take_if(|_| resumes) {
            conn.send(Packet::Puback(ack));
        }
    })
}

fn repeats_qos0() -> Mutation {
    let mut last: BTreeMap<String, Publish> = BTreeMap::new();
    sent(move |packet, conn| {
        let resumes = packet.packet_type() == PacketType::Connack && conn.resumed();
        if let Some(publish) = publish(&packet).filter(|publish| publish.delivery == Delivery::AtMostOnce) {
            last.insert(conn.client_id().to_owned(), publish.clone());
        }
        conn.pass(packet);
        if resumes && let Some(publish) = last.remove(conn.client_id()) {
            conn.pass(Packet::Publish(publish));
        }
    })
}

fn publishes_one_will() -> Mutation {
    let mut had = BTreeSet::new();
    seen(move |mut packet, conn| {
        if let Packet::Connect(connect) = &mut packet
            && connect.will.is_some()
            && !had.insert(connect.client_id.clone())
        {
            connect.will = None;
        }
        conn.pass(packet);
    })
}
