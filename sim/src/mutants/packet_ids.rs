//! Packet Identifiers that are taken though they are in use.

use squall_proto::{Packet, PacketId, Publish};

use super::{
    Mutant, Mutation, caught_by,
    conn::{Conn, Way},
    mutation::wire,
    packets::{ack, rename},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-knows-one-packet-identifier",
        does: "gives every message the Packet Identifier 1",
        stands_for: "D3, MQTT-2.2.1-4",
        side: Side::Broker,
        caught_by: caught_by("takeover-under-load-loses-nothing", "packet_id"),
        make: || renames(|_, _, _| Some(PacketId::MIN)),
    },
    Mutant {
        name: "broker-counts-anew-on-reconnect",
        does: "gives new messages Packet Identifiers from 1 on each connection, whatever is in flight",
        stands_for: "D3, MQTT-2.2.1-4",
        side: Side::Broker,
        caught_by: caught_by("takeover-under-load-loses-nothing", "packet_id"),
        make: counts_anew,
    },
    Mutant {
        name: "broker-takes-an-identifier-back-before-pubcomp",
        does: "gives the Packet Identifier of what is released to the next message",
        stands_for: "D3, MQTT-2.2.1-4",
        side: Side::Broker,
        caught_by: caught_by("takeover-under-load-loses-nothing", "packet_id"),
        make: || renames(|_, _, exchanges| released(exchanges)),
    },
    Mutant {
        name: "client-knows-one-packet-identifier",
        does: "gives every message the Packet Identifier 1",
        stands_for: "D3, MQTT-2.2.1-3",
        side: Side::Client,
        caught_by: caught_by("takeover-under-load-loses-nothing", "packet_id"),
        make: || renames(|_, _, _| Some(PacketId::MIN)),
    },
    Mutant {
        name: "client-counts-anew-on-reconnect",
        does: "gives new messages Packet Identifiers from 1 on each connection, whatever is in flight",
        stands_for: "D3, MQTT-2.2.1-3",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-broker", "packet_id"),
        make: counts_anew,
    },
    Mutant {
        name: "client-takes-an-identifier-back-before-pubcomp",
        does: "gives the Packet Identifier of what is released to the next message",
        stands_for: "D3, MQTT-2.2.1-3",
        side: Side::Client,
        caught_by: caught_by("qos2-two-hundred-in-flight-survive-a-partition", "packet_id"),
        make: || renames(|_, _, exchanges| released(exchanges)),
    },
    Mutant {
        name: "client-numbers-subscribe-apart",
        does: "counts the Packet Identifiers of SUBSCRIBE apart from those of PUBLISH",
        stands_for: "D3, MQTT-2.2.1-3",
        side: Side::Client,
        caught_by: caught_by("packet-identifiers-are-one-sequence", "packet_id"),
        make: numbers_subscribe_apart,
    },
];

/// A message on its way: the Packet Identifier it has for the node, and the one it has on the wire.
struct Exchange {
    client_id: String,
    real: PacketId,
    wire: PacketId,
    received: bool,
}

/// Says which Packet Identifier a new message has on the wire, if not its own; shown what its client has unfinished.
type Choose = fn(&Publish, &Conn, &[&Exchange]) -> Option<PacketId>;

fn renames(choose: Choose) -> Mutation {
    let mut exchanges: Vec<Exchange> = Vec::new();
    wire(move |mut packet, conn| {
        match conn.way() {
            Way::Sent => send(&mut exchanges, &mut packet, conn, choose),
            Way::Seen => see(&mut exchanges, &mut packet, conn),
        }
        conn.pass(packet);
    })
}

fn send(exchanges: &mut Vec<Exchange>, packet: &mut Packet, conn: &Conn, choose: Choose) {
    let wire_of = |id: PacketId, exchanges: &[Exchange]| {
        let mut of_client = exchanges.iter().filter(|it| it.client_id == conn.client_id());
        of_client.find(|it| it.real == id).map(|it| it.wire)
    };
    if let Packet::Publish(publish) = packet
        && let Some(real) = publish.delivery.packet_id()
    {
        let wire = wire_of(real, exchanges).unwrap_or_else(|| {
            let of_client: Vec<&Exchange> = exchanges
                .iter()
                .filter(|it| it.client_id == conn.client_id())
                .collect();
            let wire = choose(publish, conn, &of_client).unwrap_or(real);
            exchanges.push(Exchange {
                client_id: conn.client_id().to_owned(),
                real,
                wire,
                received: false,
            });
            wire
        });
        rename(publish, wire);
    } else if let Packet::Pubrel(ack) = packet {
        ack.packet_id = wire_of(ack.packet_id, exchanges).unwrap_or(ack.packet_id);
    }
}

fn see(exchanges: &mut Vec<Exchange>, packet: &mut Packet, conn: &Conn) {
    let (is_received, ends) = match packet {
        Packet::Puback(_) => (false, true),
        Packet::Pubrec(ack) => (false, ack.reason_code.is_error()),
        Packet::Pubcomp(_) => (true, true),
        _other => return,
    };
    let Some(ack) = ack(packet) else { return };
    let place = exchanges.iter().position(|it| {
        it.client_id == conn.client_id() && it.wire == ack.packet_id && it.received == is_received
    });
    if let Some(exchange) = place.and_then(|place| exchanges.get_mut(place)) {
        ack.packet_id = exchange.real;
        exchange.received = true;
    }
    if let (true, Some(place)) = (ends, place) {
        exchanges.remove(place);
    }
}

fn counts_anew() -> Mutation {
    renames(|publish, conn, exchanges| {
        let lowest = exchanges.iter().map(|it| it.wire).min();
        lowest.filter(|_| conn.nth() > 1 && !publish.dup)
    })
}

fn released(exchanges: &[&Exchange]) -> Option<PacketId> {
    exchanges.iter().find(|it| it.received).map(|it| it.wire)
}

fn numbers_subscribe_apart() -> Mutation {
    let mut in_flight: Vec<PacketId> = Vec::new();
    let mut real = None;
    wire(move |mut packet, conn| {
        match (conn.way(), &mut packet) {
            (Way::Sent, Packet::Publish(publish)) => in_flight.extend(publish.delivery.packet_id()),
            (Way::Sent, Packet::Subscribe(subscribe)) => {
                if let Some(taken) = in_flight.first() {
                    real = Some((*taken, subscribe.packet_id));
                    subscribe.packet_id = *taken;
                }
            }
            (Way::Seen, Packet::Puback(ack) | Packet::Pubcomp(ack)) => {
                in_flight.retain(|id| *id != ack.packet_id);
            }
            (Way::Seen, Packet::Suback(suback)) => {
                if let Some((_, real)) = real.filter(|(wire, _)| *wire == suback.packet_id) {
                    suback.packet_id = real;
                }
            }
            (Way::Seen | Way::Sent, _) => {}
        }
        conn.pass(packet);
    })
}
