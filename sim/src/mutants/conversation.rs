//! Packets that nobody may say, or not now; bytes that are none; and reads that are taken for packets.

use squall_proto::{Packet, PacketType};

use super::{
    Mutant, Mutation, caught_by, caught_in, caught_in_v3_by,
    conn::Way,
    mutation::{forgives, never_seen, never_sent, sent, sent_twice, wire},
    packets::is,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-sends-malformed-packets",
        does: "sends a PUBLISH of QoS 3",
        stands_for: "MQTT-3.3.1-4",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: || sends_behind_connect_and_connack(b"\x36\x07\x00\x01t\x00\x01\x00x"),
    },
    Mutant {
        name: "broker-sends-connack-twice",
        does: "sends CONNACK twice",
        stands_for: "MQTT-3.2.0-2",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: || sent_twice(is(PacketType::Connack)),
    },
    Mutant {
        name: "broker-speaks-before-connack",
        does: "sends PINGRESP before CONNACK",
        stands_for: "MQTT-3.2.0-1",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: speaks_before_connack,
    },
    Mutant {
        name: "broker-speaks-after-disconnect",
        does: "sends PINGRESP behind its DISCONNECT",
        stands_for: "MQTT-3.14.4-1",
        side: Side::Broker,
        caught_by: caught_by("takeover-under-load-loses-nothing", "well_formed"),
        make: speaks_after_disconnect,
    },
    Mutant {
        name: "broker-says-disconnect-in-3.1.1",
        does: "says DISCONNECT to a client of 3.1.1",
        stands_for: "MQTT-3.14.4-2",
        side: Side::Broker,
        caught_by: caught_in_v3_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: || sends_behind_connect_and_connack(b"\xe0\x00"),
    },
    Mutant {
        name: "broker-reads-one-packet-a-read",
        does: "takes what comes at once for one packet",
        stands_for: "D12",
        side: Side::Broker,
        caught_by: caught_by("packets-that-come-at-once-are-all-read", "expectations"),
        make: || never_seen(|_, conn| !conn.first_of_read()),
    },
    Mutant {
        name: "broker-hangs-up",
        does: "closes a connection at its tenth packet",
        stands_for: "MQTT-3.1.2-22",
        side: Side::Broker,
        caught_by: caught_by("a-quiet-hour-passes-in-peace", "keep_alive"),
        make: hangs_up,
    },
    Mutant {
        name: "client-connects-twice",
        does: "sends CONNECT twice",
        stands_for: "MQTT-3.1.0-2",
        side: Side::Client,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: || sent_twice(is(PacketType::Connect)),
    },
    Mutant {
        name: "client-speaks-before-connect",
        does: "sends PINGREQ before CONNECT",
        stands_for: "MQTT-3.1.0-1",
        side: Side::Client,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: speaks_before_connect,
    },
    Mutant {
        name: "client-speaks-after-disconnect",
        does: "sends PINGREQ behind its DISCONNECT",
        stands_for: "MQTT-3.14.4-1",
        side: Side::Client,
        caught_by: caught_by("session-goes-on-until-it-expires", "well_formed"),
        make: speaks_after_disconnect,
    },
    Mutant {
        name: "client-sends-malformed-packets",
        does: "sends a PUBLISH of QoS 3",
        stands_for: "MQTT-3.3.1-4",
        side: Side::Client,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "well_formed"),
        make: || sends_behind_connect_and_connack(b"\x36\x07\x00\x01t\x00\x01\x00x"),
    },
    Mutant {
        name: "client-does-not-close-after-disconnect",
        does: "leaves the connection open after its DISCONNECT, and unheard",
        stands_for: "MQTT-3.14.4-2",
        side: Side::Client,
        caught_by: caught_by("session-goes-on-until-it-expires", "expectations"),
        make: disconnects_in_thought,
    },
    Mutant {
        name: "broker-answers-connect-late",
        does: "takes ten seconds to answer CONNECT",
        stands_for: "MQTT-3.1.4-5",
        side: Side::Broker,
        caught_by: caught_by("a-quiet-hour-passes-in-peace", "liveness"),
        make: answers_connect_late,
    },
    Mutant {
        name: "broker-does-not-mind-reserved-flags",
        does: "takes a PINGREQ for one whatever its reserved bits are",
        stands_for: "MQTT-2.1.3-1",
        side: Side::Broker,
        caught_by: caught_in(
            "first=CONNECT,then=#10",
            "who-says-what-no-client-may-is-sent-away",
            "expectations",
        ),
        make: || forgives(takes_any_pingreq),
    },
    Mutant {
        name: "broker-closes-without-a-word",
        does: "sends no DISCONNECT before it closes a connection of 5.0",
        stands_for: "3.14.2.1 of 5.0",
        side: Side::Broker,
        caught_by: caught_in("kick", "who-is-sent-away-is-told-why", "expectations"),
        make: || never_sent(is(PacketType::Disconnect)),
    },
    Mutant {
        name: "client-does-not-mind-reserved-flags",
        does: "takes a PINGRESP for one whatever its reserved bits are",
        stands_for: "MQTT-2.1.3-1",
        side: Side::Client,
        caught_by: caught_in(
            "packet=#3",
            "what-is-no-packet-ends-the-connection-and-the-client-comes-back",
            "expectations",
        ),
        make: || forgives(takes_any_pingresp),
    },
];

fn sends_behind_connect_and_connack(bytes: &'static [u8]) -> Mutation {
    sent(move |packet, conn| {
        let kind = packet.packet_type();
        conn.pass(packet);
        if matches!(kind, PacketType::Connect | PacketType::Connack) {
            conn.send_bytes(bytes);
        }
    })
}

fn speaks_before_connack() -> Mutation {
    sent(|packet, conn| {
        if packet.packet_type() == PacketType::Connack {
            conn.pass(Packet::Pingresp);
        }
        conn.pass(packet);
    })
}

fn speaks_before_connect() -> Mutation {
    sent(|packet, conn| {
        if packet.packet_type() == PacketType::Connect {
            conn.pass(Packet::Pingreq);
        }
        conn.pass(packet);
    })
}

fn speaks_after_disconnect() -> Mutation {
    sent(|packet, conn| {
        let is_last = packet.packet_type() == PacketType::Disconnect;
        conn.pass(packet);
        if is_last {
            conn.send_bytes(b"\xd0\x00");
        }
    })
}

fn hangs_up() -> Mutation {
    let mut packets = 0;
    wire(move |packet, conn| {
        packets += u32::from(conn.way() == Way::Seen);
        conn.pass(packet);
        if packets == 10 {
            conn.end();
        }
    })
}

fn disconnects_in_thought() -> Mutation {
    sent(|packet, conn| {
        if packet.packet_type() == PacketType::Disconnect {
            conn.stay_open();
        } else {
            conn.pass(packet);
        }
    })
}

fn answers_connect_late() -> Mutation {
    sent(|packet, conn| match packet {
        Packet::Connack(_) => conn.pass_after(10_000, packet),
        other => conn.pass(other),
    })
}

fn takes_any_pingreq(bytes: &mut [u8]) -> bool {
    match bytes {
        [first @ 0xC1..=0xCF, 0x00, ..] => {
            *first = 0xC0;
            true
        }
        _other => false,
    }
}

fn takes_any_pingresp(bytes: &mut [u8]) -> bool {
    match bytes {
        [first @ 0xD1..=0xDF, 0x00, ..] => {
            *first = 0xD0;
            true
        }
        _other => false,
    }
}
