//! Receive Maximum.

use std::{collections::BTreeMap, num::NonZeroU16};

use squall_proto::{Ack, Packet, Properties, Property};

use super::{
    Mutant, Mutation, caught_by,
    conn::Way,
    mutation::{never_seen, seen_as, sent_as, wire},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-ignores-receive-maximum",
        does: "sends as many messages at a time as it likes",
        stands_for: "D4, MQTT-3.3.4-9",
        side: Side::Broker,
        caught_by: caught_by("receive-maximum-holds-back-what-is-too-many", "receive_maximum"),
        make: || seen_as(|packet, _| forget(packet)),
    },
    Mutant {
        name: "broker-counts-qos2-until-pubrec",
        does: "takes a QoS 2 message for finished as soon as it has sent PUBREL",
        stands_for: "D4, MQTT-3.3.4-9",
        side: Side::Broker,
        caught_by: caught_by("receive-maximum-holds-back-what-is-too-many", "receive_maximum"),
        make: counts_until_pubrec,
    },
    Mutant {
        name: "broker-keeps-the-old-receive-maximum",
        does: "holds a session to the Receive Maximum of its first connection",
        stands_for: "D4, MQTT-3.3.4-9",
        side: Side::Broker,
        caught_by: caught_by("receive-maximum-is-each-connections-own", "receive_maximum"),
        make: keeps_the_first,
    },
    Mutant {
        name: "broker-never-gives-quota-back",
        does: "does not take messages for finished after a reconnect, and stands still with all quota gone",
        stands_for: "D4, MQTT-4.9.0-2",
        side: Side::Broker,
        caught_by: caught_by("receive-maximum-holds-back-what-is-too-many", "no_loss"),
        make: || never_seen(|packet, _| matches!(packet, Packet::Puback(_) | Packet::Pubcomp(_))),
    },
    Mutant {
        name: "client-ignores-receive-maximum",
        does: "sends as many messages at a time as it likes",
        stands_for: "D4, MQTT-3.3.4-7",
        side: Side::Client,
        caught_by: caught_by(
            "receive-maximum-of-a-server-holds-its-clients-back",
            "receive_maximum",
        ),
        make: || seen_as(|packet, _| forget(packet)),
    },
    Mutant {
        name: "broker-echoes-receive-maximum",
        does: "says the client's Receive Maximum in CONNACK in place of its own",
        stands_for: "D4, MQTT-3.3.4-7",
        side: Side::Broker,
        caught_by: caught_by(
            "receive-maximum-of-a-server-holds-its-clients-back",
            "expectations",
        ),
        make: echoes_receive_maximum,
    },
    Mutant {
        name: "broker-stands-still-with-a-full-window",
        does: "answers nothing while a client has as much unfinished as it takes",
        stands_for: "D4, MQTT-4.9.0-3",
        side: Side::Broker,
        caught_by: caught_by("a-full-window-holds-back-nothing-else", "expectations"),
        make: stands_still,
    },
];

fn forget(packet: &mut Packet) {
    if let Some(properties) = properties(packet) {
        properties.retain(|property| !matches!(property, Property::ReceiveMaximum(_)));
    }
}

fn properties(packet: &mut Packet) -> Option<&mut Properties> {
    match packet {
        Packet::Connect(connect) => Some(&mut connect.properties),
        Packet::Connack(connack) => Some(&mut connack.properties),
        _other => None,
    }
}

/// The node is told of a PUBCOMP as soon as it sends PUBREL, and not when it comes.
fn counts_until_pubrec() -> Mutation {
    wire(|packet, conn| match (conn.way(), packet) {
        (Way::Sent, Packet::Pubrel(ack)) => {
            conn.show(Packet::Pubcomp(Ack::success(ack.packet_id)));
            conn.pass(Packet::Pubrel(ack));
        }
        (Way::Seen, Packet::Pubcomp(_)) => {}
        (Way::Seen | Way::Sent, other) => conn.pass(other),
    })
}

fn keeps_the_first() -> Mutation {
    let mut first = BTreeMap::new();
    seen_as(move |packet, _| {
        if let Packet::Connect(connect) = packet {
            let now = connect.properties.receive_maximum();
            let kept = *first.entry(connect.client_id.clone()).or_insert(now);
            forget(packet);
            if let (Some(kept), Some(properties)) = (kept, properties(packet)) {
                properties.push(Property::ReceiveMaximum(kept));
            }
        }
    })
}

fn echoes_receive_maximum() -> Mutation {
    sent_as(|packet, conn| {
        let theirs = conn
            .connect()
            .and_then(|connect| connect.properties.receive_maximum());
        if let Packet::Connack(connack) = packet {
            forget_own(&mut connack.properties, theirs);
        }
    })
}

fn forget_own(properties: &mut Properties, theirs: Option<NonZeroU16>) {
    properties.retain(|property| !matches!(property, Property::ReceiveMaximum(_)));
    if let Some(theirs) = theirs {
        properties.push(Property::ReceiveMaximum(theirs));
    }
}

fn stands_still() -> Mutation {
    let mut unfinished: BTreeMap<String, u16> = BTreeMap::new();
    wire(move |packet, conn| {
        let unfinished = unfinished.entry(conn.client_id().to_owned()).or_default();
        let maximum = conn
            .connect()
            .and_then(|connect| connect.properties.receive_maximum());
        let is_full = maximum.is_some_and(|maximum| *unfinished >= maximum.get());
        match (conn.way(), &packet) {
            (Way::Sent, Packet::Publish(publish)) => {
                *unfinished += u16::from(publish.delivery.packet_id().is_some());
                conn.pass(packet);
            }
            (Way::Seen, Packet::Puback(_) | Packet::Pubcomp(_)) => {
                *unfinished = unfinished.saturating_sub(1);
                conn.pass(packet);
            }
            (Way::Sent, Packet::Puback(_) | Packet::Suback(_) | Packet::Pingresp) if is_full => {}
            (Way::Seen | Way::Sent, _) => conn.pass(packet),
        }
    })
}
