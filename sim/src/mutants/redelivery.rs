//! What is sent again, or not, when a session goes on.

use std::collections::BTreeMap;

use squall_proto::{Packet, PacketId, Publish, Qos};

use super::{
    Mutant, Mutation, caught_by,
    conn::Way,
    mutation::{never_sent, sent, sent_as, wire},
    packets::{again, is_resent, publish},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-resends-without-dup",
        does: "sends again as it sent first, with DUP 0",
        stands_for: "D9, MQTT-3.3.1-1",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "dup"),
        make: resends_without_dup,
    },
    Mutant {
        name: "broker-marks-first-deliveries",
        does: "sets DUP on every QoS 1 and 2 message",
        stands_for: "MQTT-3.3.1-1",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "dup"),
        make: marks_all,
    },
    Mutant {
        name: "broker-resends-nothing",
        does: "forgets what was sent and not acknowledged when the connection ends",
        stands_for: "D9, MQTT-4.4.0-1",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "no_loss"),
        make: || never_sent(|packet, _| is_resent(packet)),
    },
    Mutant {
        name: "broker-resends-in-reverse",
        does: "sends again the last message first",
        stands_for: "D9, MQTT-4.6.0-6",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "order"),
        make: resends_in_reverse,
    },
    Mutant {
        name: "broker-resends-on-the-same-connection",
        does: "sends each QoS 1 message again before it can be acknowledged",
        stands_for: "MQTT-4.4.0-1",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "no_redelivery"),
        make: || resends_at_once(Qos::AtLeastOnce),
    },
    Mutant {
        name: "broker-resends-what-was-acknowledged",
        does: "sends its last message again when a session goes on, acknowledged or not",
        stands_for: "MQTT-4.4.0-1",
        side: Side::Broker,
        caught_by: caught_by("retained-is-what-says-so", "dup"),
        make: resends_the_last,
    },
    Mutant {
        name: "client-resends-without-dup",
        does: "sends again as it sent first, with DUP 0",
        stands_for: "D9, MQTT-3.3.1-1",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-publish-reaches-broker", "dup"),
        make: resends_without_dup,
    },
    Mutant {
        name: "client-marks-first-deliveries",
        does: "sets DUP on every QoS 1 and 2 message",
        stands_for: "MQTT-3.3.1-1",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "dup"),
        make: marks_all,
    },
    Mutant {
        name: "client-resends-nothing",
        does: "forgets what was sent and not acknowledged when the connection ends",
        stands_for: "D9, MQTT-4.4.0-1",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-publish-reaches-broker", "liveness"),
        make: || never_sent(|packet, _| is_resent(packet)),
    },
    Mutant {
        name: "client-resends-in-reverse",
        does: "sends again the last message first",
        stands_for: "D9, MQTT-4.6.0-1",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-twice-at-the-same-exchange", "resume"),
        make: resends_in_reverse,
    },
    Mutant {
        name: "client-resends-on-the-same-connection",
        does: "sends each QoS 1 message again before it can be acknowledged",
        stands_for: "MQTT-4.4.0-1",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "no_redelivery"),
        make: || resends_at_once(Qos::AtLeastOnce),
    },
    Mutant {
        name: "client-resends-what-was-acknowledged",
        does: "sends its last message again when a session goes on, acknowledged or not",
        stands_for: "MQTT-4.4.0-1",
        side: Side::Client,
        caught_by: caught_by("qos1-arrives-across-a-partition", "dup"),
        make: resends_the_last,
    },
    Mutant {
        name: "client-keeps-exchanges-of-a-lost-session",
        does: "sends again on a new session what it had in flight in the old one",
        stands_for: "MQTT-3.2.2-5",
        side: Side::Client,
        caught_by: caught_by("everybody-is-back-after-a-broker-restart", "dup"),
        make: resends_to_a_new_session,
    },
];

fn resends_without_dup() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet {
            publish.dup = false;
        }
    })
}

fn marks_all() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet {
            publish.dup = publish.delivery.qos() != Qos::AtMostOnce;
        }
    })
}

/// Each later one a little earlier, up to so many.
fn resends_in_reverse() -> Mutation {
    const LONGEST: u64 = 400;
    let mut waited = LONGEST;
    sent(move |packet, conn| {
        if is_resent(&packet) {
            conn.pass_after(waited, packet);
            waited = waited.saturating_sub(2);
        } else {
            waited = LONGEST;
            conn.pass(packet);
        }
    })
}

fn resends_at_once(qos: Qos) -> Mutation {
    sent(move |packet, conn| {
        let resent = publish(&packet)
            .filter(|publish| publish.delivery.qos() == qos && !publish.dup)
            .cloned();
        conn.pass(packet);
        if let Some(resent) = resent {
            conn.pass(again(resent));
        }
    })
}

/// The last message of each session that was acknowledged.
fn resends_the_last() -> Mutation {
    let mut published: BTreeMap<(String, PacketId), Publish> = BTreeMap::new();
    let mut acknowledged: BTreeMap<String, Publish> = BTreeMap::new();
    wire(move |packet, conn| {
        let client_id = conn.client_id().to_owned();
        let mut resent = None;
        match (conn.way(), &packet) {
            (Way::Sent, Packet::Publish(publish)) => {
                let key = publish.delivery.packet_id().map(|id| (client_id, id));
                published.extend(key.map(|key| (key, publish.clone())));
            }
            (Way::Seen, Packet::Puback(ack) | Packet::Pubcomp(ack)) => {
                let publish = published.remove(&(client_id.clone(), ack.packet_id));
                acknowledged.extend(publish.map(|publish| (client_id, publish)));
            }
            (_, Packet::Connack(connack)) if connack.session_present => {
                resent = acknowledged.remove(&client_id);
            }
            (Way::Seen | Way::Sent, _) => {}
        }
        conn.pass(packet);
        if let Some(publish) = resent {
            conn.send(again(publish));
        }
    })
}

fn resends_to_a_new_session() -> Mutation {
    let mut last: Option<Publish> = None;
    wire(move |packet, conn| {
        if let (Way::Sent, Some(publish)) = (conn.way(), publish(&packet))
            && publish.delivery.packet_id().is_some()
        {
            last = Some(publish.clone());
        }
        let is_new = matches!(&packet, Packet::Connack(connack) if !connack.session_present);
        conn.pass(packet);
        if let (true, Some(publish)) = (is_new, &last) {
            conn.send(again(publish.clone()));
        }
    })
}
