//! Acknowledgements that are missing, too many, too early or wrong.

use std::collections::BTreeSet;

use squall_proto::{Ack, Packet, PacketType, Qos};

use super::{
    Mutant, Mutation, caught_by, caught_in,
    conn::Way,
    mutation::{never_sent, seen, sent, sent_as, sent_twice, wire},
    packets::{ack, id_after, id_of, is},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-forgets-what-it-acknowledges",
        does: "acknowledges every fifth QoS 1 message and forgets it before it has kept it",
        stands_for: "D10, MQTT-4.3.2-5",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "no_loss"),
        make: acknowledges_and_forgets,
    },
    Mutant {
        name: "broker-sends-puback-twice",
        does: "sends each PUBACK twice",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: || sent_twice(is(PacketType::Puback)),
    },
    Mutant {
        name: "broker-sends-no-puback",
        does: "never answers QoS 1",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "liveness"),
        make: || never_sent(is(PacketType::Puback)),
    },
    Mutant {
        name: "broker-sends-no-pubcomp",
        does: "never ends an exchange of QoS 2 with PUBCOMP",
        stands_for: "MQTT-4.3.3-11",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "liveness"),
        make: || never_sent(is(PacketType::Pubcomp)),
    },
    Mutant {
        name: "broker-acknowledges-the-next-packet-identifier",
        does: "says in PUBACK the Packet Identifier after that of the PUBLISH",
        stands_for: "MQTT-2.2.1-5",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: || acknowledges_the_next(PacketType::Puback),
    },
    Mutant {
        name: "broker-answers-qos1-with-pubrec",
        does: "answers QoS 1 with PUBREC",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Broker,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: puback_is_pubrec,
    },
    Mutant {
        name: "client-sends-puback-twice",
        does: "sends each PUBACK twice",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: || sent_twice(is(PacketType::Puback)),
    },
    Mutant {
        name: "client-sends-no-puback",
        does: "never answers QoS 1",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "liveness"),
        make: || never_sent(is(PacketType::Puback)),
    },
    Mutant {
        name: "client-sends-no-pubcomp",
        does: "never ends an exchange of QoS 2 with PUBCOMP",
        stands_for: "MQTT-4.3.3-11",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "liveness"),
        make: || never_sent(is(PacketType::Pubcomp)),
    },
    Mutant {
        name: "client-acknowledges-the-next-packet-identifier",
        does: "says in PUBACK the Packet Identifier after that of the PUBLISH",
        stands_for: "MQTT-2.2.1-5",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: || acknowledges_the_next(PacketType::Puback),
    },
    Mutant {
        name: "client-answers-qos1-with-pubrec",
        does: "answers QoS 1 with PUBREC",
        stands_for: "MQTT-4.3.2-4",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "well_formed"),
        make: puback_is_pubrec,
    },
    Mutant {
        name: "client-acknowledges-out-of-order",
        does: "holds every third PUBACK back, so that a later one goes first",
        stands_for: "MQTT-4.6.0-2",
        side: Side::Client,
        caught_by: caught_by("qos1-redelivery-is-marked-dup", "order"),
        make: acknowledges_out_of_order,
    },
    Mutant {
        name: "client-acknowledges-what-nobody-has-handled",
        does: "acknowledges QoS 1 before its application has the message",
        stands_for: "D10, MQTT-4.3.2-4",
        side: Side::Client,
        caught_by: caught_in(
            "qos=1",
            "what-an-application-has-not-handled-comes-again",
            "expectations",
        ),
        make: acknowledges_at_once,
    },
    Mutant {
        name: "broker-takes-any-acknowledgement",
        does: "takes PUBREC for PUBACK",
        stands_for: "MQTT-4.3.2-3",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=1,wrong=PUBREC,right=PUBLISH q1 id 1 dup",
            "an-acknowledgement-of-the-wrong-kind-ends-the-connection-and-nothing-else",
            "expectations",
        ),
        make: takes_any_acknowledgement,
    },
];

fn acknowledges_and_forgets() -> Mutation {
    let mut taken = 0;
    seen(move |packet, conn| {
        let id = id_of(&packet, Qos::AtLeastOnce);
        taken += u32::from(id.is_some());
        match id {
            Some(id) if taken % 5 == 0 => conn.send(Packet::Puback(Ack::success(id))),
            Some(_) | None => conn.pass(packet),
        }
    })
}

fn acknowledges_the_next(kind: PacketType) -> Mutation {
    sent_as(move |packet, _| {
        if packet.packet_type() == kind
            && let Some(ack) = ack(packet)
        {
            ack.packet_id = id_after(ack.packet_id, 1);
        }
    })
}

fn puback_is_pubrec() -> Mutation {
    sent(|packet, conn| {
        conn.pass(match packet {
            Packet::Puback(ack) => Packet::Pubrec(ack),
            other => other,
        });
    })
}

fn acknowledges_out_of_order() -> Mutation {
    let mut sent_so_far = 0;
    sent(move |packet, conn| {
        sent_so_far += u32::from(packet.packet_type() == PacketType::Puback);
        match packet {
            Packet::Puback(_) if sent_so_far % 3 == 0 => conn.pass_after(200, packet),
            other => conn.pass(other),
        }
    })
}

fn acknowledges_at_once() -> Mutation {
    let mut early = BTreeSet::new();
    wire(move |packet, conn| match (conn.way(), &packet) {
        (Way::Seen, _) => {
            let id = id_of(&packet, Qos::AtLeastOnce);
            conn.pass(packet);
            if let Some(id) = id {
                early.insert(id);
                conn.send(Packet::Puback(Ack::success(id)));
            }
        }
        (Way::Sent, Packet::Puback(ack)) if early.remove(&ack.packet_id) => {}
        (Way::Sent, _) => conn.pass(packet),
    })
}

fn takes_any_acknowledgement() -> Mutation {
    let mut sent = BTreeSet::new();
    wire(move |packet, conn| {
        if conn.way() == Way::Sent {
            sent.extend(id_of(&packet, Qos::AtLeastOnce));
        }
        match packet {
            Packet::Pubrec(ack) if sent.remove(&ack.packet_id) => conn.pass(Packet::Puback(ack)),
            other => conn.pass(other),
        }
    })
}
