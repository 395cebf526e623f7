//! Keep Alive.

use squall_proto::{Packet, PacketType};

use super::{
    Mutant, Mutation, caught_by,
    conn::Way,
    mutation::{never_sent, seen_as, sent, wire},
    packets::is,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-waits-one-and-a-quarter-keep-alives",
        does: "ends silence after one and a quarter Keep Alives",
        stands_for: "D11, MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("keep-alive-lets-1.4-times-pass", "keep_alive"),
        make: || of(|keep_alive| keep_alive * 5 / 6),
    },
    Mutant {
        name: "broker-waits-two-keep-alives",
        does: "ends silence after two Keep Alives",
        stands_for: "D11, MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("keep-alive-ends-silence-at-1.5-times", "keep_alive"),
        make: || of(|keep_alive| keep_alive * 4 / 3),
    },
    Mutant {
        name: "broker-ends-no-silence",
        does: "does not know Keep Alive",
        stands_for: "MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("half-open-connection-is-noticed-and-left", "keep_alive"),
        make: || of(|_| 0),
    },
    Mutant {
        name: "broker-takes-its-own-packets-for-life",
        does: "lets a connection live as long as it sends to it",
        stands_for: "D11, MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("what-the-broker-sends-keeps-nobody-alive", "keep_alive"),
        make: hears_itself,
    },
    Mutant {
        name: "broker-takes-pieces-of-packets-for-life",
        does: "lets a connection live as long as any bytes come",
        stands_for: "D11, MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("bytes-that-make-no-packet-keep-nobody-alive", "keep_alive"),
        make: hears_pieces,
    },
    Mutant {
        name: "broker-does-not-answer-ping",
        does: "never sends PINGRESP",
        stands_for: "MQTT-3.12.4-1",
        side: Side::Broker,
        caught_by: caught_by("a-quiet-hour-passes-in-peace", "expectations"),
        make: || never_sent(is(PacketType::Pingresp)),
    },
    Mutant {
        name: "broker-answers-ping-twice",
        does: "sends each PINGRESP twice",
        stands_for: "MQTT-3.12.4-1",
        side: Side::Broker,
        caught_by: caught_by("a-quiet-hour-passes-in-peace", "well_formed"),
        make: || super::mutation::sent_twice(is(PacketType::Pingresp)),
    },
    Mutant {
        name: "client-never-pings",
        does: "is silent when it has nothing to say",
        stands_for: "MQTT-3.1.2-20",
        side: Side::Client,
        caught_by: caught_by("a-quiet-hour-passes-in-peace", "expectations"),
        make: || {
            sent(|packet, conn| match packet {
                // It believes that it has been answered.
                Packet::Pingreq => conn.show(Packet::Pingresp),
                other => conn.pass(other),
            })
        },
    },
    Mutant {
        name: "client-pings-too-late",
        does: "sends PINGREQ after two Keep Alives",
        stands_for: "MQTT-3.1.2-20",
        side: Side::Client,
        caught_by: caught_by("a-quiet-hour-passes-in-peace", "expectations"),
        make: pings_too_late,
    },
];

/// The node takes the Keep Alive for another, in seconds.
fn of(other: fn(u16) -> u16) -> Mutation {
    seen_as(move |packet, _| {
        if let Packet::Connect(connect) = packet {
            connect.keep_alive = other(connect.keep_alive);
        }
    })
}

/// The node sees a PINGREQ for each PUBLISH that it sends; its answer goes nowhere.
fn hears_itself() -> Mutation {
    let mut owed = 0;
    wire(move |packet, conn| match (conn.way(), &packet) {
        (Way::Sent, Packet::Publish(_)) => {
            owed += 1;
            conn.show(Packet::Pingreq);
            conn.pass(packet);
        }
        (Way::Sent, Packet::Pingresp) if owed > 0 => owed -= 1,
        (Way::Seen | Way::Sent, _) => conn.pass(packet),
    })
}

/// The node sees a PINGREQ whenever something comes that is no whole packet yet; its answer goes nowhere.
fn hears_pieces() -> Mutation {
    wire(|packet, conn| {
        let way = conn.way();
        if packet.packet_type() == PacketType::Connect {
            conn.hear_pieces();
        }
        if way == Way::Seen || packet != Packet::Pingresp || !conn.is_for_a_piece() {
            conn.pass(packet);
        }
    })
}

/// Of its PINGREQs every second one is for nothing.
fn pings_too_late() -> Mutation {
    let mut pings = 0;
    sent(move |packet, conn| match packet {
        Packet::Pingreq => {
            pings += 1;
            match pings % 2 {
                0 => conn.pass(Packet::Pingreq),
                _ => conn.show(Packet::Pingresp),
            }
        }
        other => conn.pass(other),
    })
}
