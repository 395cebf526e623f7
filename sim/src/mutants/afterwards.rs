//! Some that were invented when everything else stood.

use squall_proto::{Ack, Packet, PacketType, Properties, ReasonCode, Unsuback, Version};

use super::{Mutant, Mutation, caught_by, conn::Way, mutation::sent};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
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
        name: "client-acknowledges-again-after-a-reconnect",
        does: "says its last PUBACK again on the next connection",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: acknowledges_again,
    },
];

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

fn acknowledges_again() -> Mutation {
    let mut last = None;
    Box::new(move |packet, conn| {
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
