//! I17: everything accepted ends. When all faults have healed and the time to settle has passed, who wants to be connected is, and
//! no exchange and no request is open.

use std::{collections::BTreeMap, time::Duration};

use squall_proto::{Instant, Packet, PacketId, PacketType, Text};

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What, WireId},
};

/// What the broker has been asked and has not answered.
pub(super) struct Liveness {
    asked: BTreeMap<(WireId, PacketType, Option<PacketId>), (Instant, usize)>,
}

/// What came in the last moment of a run need not be answered in it.
const LAST_MOMENT: Duration = Duration::from_secs(1);

impl Liveness {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            asked: BTreeMap::new(),
        }
    }

    /// No request of a connection that is still up is open.
    fn unanswered(&self, now: &Now<'_>, found: &mut Vec<Found>) {
        for ((wire, request, _), (at, index)) in &self.asked {
            let is_up = |wire: &&crate::model::Wire| wire.is_up() && !wire.client_at_fault;
            let Some(wire) = now.model.wires.get(*wire).filter(is_up) else {
                continue;
            };
            if *at + LAST_MOMENT < now.at {
                let expected = format!("the {request} of `{}` to be answered", wire.name);
                found.push(now.found(&[*index], expected, "no answer"));
            }
        }
    }

    fn answered(&mut self, wire: WireId, request: PacketType, packet_id: Option<PacketId>) {
        self.asked.remove(&(wire, request, packet_id));
    }

    fn ask(&mut self, now: &Now<'_>, wire: WireId, packet: &Packet) {
        let packet_id = match packet {
            Packet::Subscribe(subscribe) => Some(subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.packet_id),
            Packet::Connect(_) | Packet::Pingreq => None,
            _other_packets => return,
        };
        self.asked
            .entry((wire, packet.packet_type(), packet_id))
            .or_insert((now.at, now.index));
    }
}

/// Both ends of every session that is connected have finished what they began.
fn unfinished(now: &Now<'_>, found: &mut Vec<Found>) {
    for (client_id, session) in now.model.sessions.iter() {
        let is_up = now
            .model
            .wires
            .get(session.wire)
            .is_some_and(|wire| wire.is_up() && !now.model.scenario.is_peer(&wire.name));
        if is_up {
            found.extend(of_session(now, client_id, Side::Broker));
            found.extend(of_session(now, client_id, Side::Client));
        }
    }
}

fn of_session(now: &Now<'_>, client_id: &Text, side: Side) -> Option<Found> {
    let mut unfinished = now.model.exchanges.unfinished(client_id, side);
    let (packet_id, sent) = unfinished.next()?;
    let more = unfinished.count();
    let sender = match side {
        Side::Client => format!("`{client_id}`"),
        Side::Broker => format!("the broker to `{client_id}`"),
    };
    let message = super::shown(&sent.payload);
    let expected = format!("what {sender} sends to be finished: {message}, Packet Identifier {packet_id}");
    let got = match more {
        0 => format!("{} is missing", sent.awaits()),
        more => format!("{} is missing, and {more} more are unfinished", sent.awaits()),
    };
    Some(now.found(&[], expected, got))
}

impl Checker for Liveness {
    fn observe(&mut self, now: &Now<'_>, _: &mut Vec<Found>) {
        match &now.event.what {
            What::Arrived {
                wire,
                from: Side::Client,
                packet,
            } => self.ask(now, *wire, packet),
            What::Sent {
                wire,
                from: Side::Broker,
                packet,
            } => match packet {
                Packet::Connack(_) => self.answered(*wire, PacketType::Connect, None),
                Packet::Pingresp => self.answered(*wire, PacketType::Pingreq, None),
                Packet::Suback(suback) => self.answered(*wire, PacketType::Subscribe, Some(suback.packet_id)),
                Packet::Unsuback(unsuback) => {
                    self.answered(*wire, PacketType::Unsubscribe, Some(unsuback.packet_id));
                }
                _other_packets => {}
            },
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.unanswered(now, found);
        unfinished(now, found);
        absent(now, found);
    }
}

/// A client of ours that connects again by itself, and was not told to stay away, is connected.
fn absent(now: &Now<'_>, found: &mut Vec<Found>) {
    for (name, client) in &now.model.scenario.clients {
        if !client.stays() || now.model.scenario.sends_away(name) {
            continue;
        }
        for member in now.model.scenario.members(name) {
            let mut wires = now.model.wires.iter().map(|(_, wire)| wire);
            if !wires.any(|wire| wire.name == member && wire.is_up()) {
                found.push(now.found(&[], format!("`{member}` to be connected"), "it is not"));
            }
        }
    }
}
