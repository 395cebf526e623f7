//! The way of a segment: it waits where a fault stops it, is under way as long as the link says, and arrives in order.

use std::net::IpAddr;

use squall_proto::Instant;
use turmoil_net::{Packet as Datagram, TcpFlags, TcpSegment, Transport};

use super::{Flight, Network, TICK};
use crate::{
    trace::{Side, WireId},
    world::{
        link::{Direction, Effect, Parcel},
        wire::{Held, peer},
    },
};

/// What a turn of the driver delivered.
pub(super) enum Delivered {
    Nothing,
    /// All that was due.
    All,
    /// One segment, and more may be due as soon as tasks have had their turn.
    OneAlone,
}

impl Network {
    /// Sends a segment on its way, or lets it wait, or lets it vanish.
    pub(super) fn transmit(&mut self, wire: WireId, from: Side, segment: TcpSegment) {
        let since = self.now();
        let direction = self.direction(wire, from);
        let stopped = if self.is_off(direction.1) {
            Some(Effect::Block)
        } else {
            self.links.stopped(direction)
        };
        let lane = self.wires.lane(wire, from);
        if stopped == Some(Effect::Vanish) && !segment.flags.syn {
            lane.vanish();
        }
        if lane.vanishes || (stopped == Some(Effect::Block) && segment.flags.rst) {
            return;
        }
        if stopped.is_some() || !lane.held.is_empty() {
            lane.held.push_back(Held { since, segment });
        } else {
            self.fly(wire, from, segment, since);
        }
    }

    /// Sends a segment on its way at `sent`, in pieces where a fault cuts it.
    pub(super) fn fly(&mut self, wire: WireId, from: Side, mut segment: TcpSegment, sent: Instant) {
        let direction = self.direction(wire, from);
        let pieces = self.links.pieces(direction, segment.payload.len());
        let alone = pieces.is_some();
        for piece in pieces.into_iter().flatten() {
            if piece < segment.payload.len() {
                let first = split_off(&mut segment, piece);
                self.launch(wire, from, first, sent, alone);
            }
        }
        self.launch(wire, from, segment, sent, alone);
    }

    fn launch(&mut self, wire: WireId, from: Side, segment: TcpSegment, sent: Instant, alone: bool) {
        let direction = self.direction(wire, from);
        let way = self.links.way(direction, Parcel::of(&segment), sent);
        let flight = Flight {
            wire,
            from,
            segment,
            way,
            alone,
        };
        self.is_due(flight);
    }

    /// Has a segment arrive, behind what its side has sent before.
    pub(super) fn is_due(&mut self, flight: Flight) {
        let lane = self.wires.lane(flight.wire, flight.from);
        let mut arrives = lane.last_arrival.max(flight.way.arrives());
        if flight.segment.flags.rst {
            // An RST takes what the receiver has not read. Nobody is so slow that data of the moment before are lost to it.
            arrives = arrives.max(lane.last_arrival + TICK);
        }
        lane.last_arrival = arrives;
        self.due.insert((arrives, self.next_flight), Box::new(flight));
        self.next_flight += 1;
    }

    /// Delivers what is due, up to a segment that is to be read before the next.
    pub(super) fn deliver_due(&mut self) -> Delivered {
        let now = self.now();
        let mut delivered = Delivered::Nothing;
        while let Some(entry) = self.due.first_entry()
            && entry.key().0 <= now
        {
            let flight = *entry.remove();
            let alone = flight.alone;
            self.deliver(flight);
            if alone {
                return Delivered::OneAlone;
            }
            delivered = Delivered::All;
        }
        delivered
    }

    pub(super) fn deliver(&mut self, flight: Flight) {
        let Flight {
            wire, from, segment, ..
        } = flight;
        let connection = self.wires.wire(wire);
        let to = peer(from);
        let (src, dst) = (connection.address.of(from).ip(), connection.address.of(to).ip());
        let (host, is_gone) = (*connection.host.of(to), connection.lane.of(to).is_gone);
        if self.is_off(host) {
            return self.lose(wire, from, segment);
        }
        if is_gone {
            return self.answer_for_gone(wire, to, &segment);
        }
        if segment.flags.rst && to == Side::Broker {
            self.finish_handshake(wire);
        }
        let connection = self.wires.wire(wire);
        let nobody_there = connection.lane.of(to).resetting || connection.lane.of(to).was_reset;
        let lane = connection.lane.of_mut(from);
        lane.arrived += segment.payload.len() as u64;
        let whole = lane.arriving.partition_point(|(ends, _)| *ends <= lane.arrived);
        if nobody_there {
            lane.arriving.drain(..whole);
        } else {
            self.note_arrivals(wire, from, whole);
            self.note_end(wire, to, &segment);
        }
        self.hand_over(src, dst, segment);
    }

    /// A segment reaches a host without power. What moves its sender's sequence number on is sent again.
    fn lose(&mut self, wire: WireId, from: Side, segment: TcpSegment) {
        let since = self.now();
        if sequence_length(&segment) > 0 {
            let held = &mut self.wires.lane(wire, from).held;
            held.push_back(Held { since, segment });
        }
    }

    pub(super) fn hand_over(&self, src: IpAddr, dst: IpAddr, segment: TcpSegment) {
        self.guard.deliver(Datagram {
            src,
            dst,
            ttl: 64,
            payload: Transport::Tcp(segment),
        });
    }

    pub(super) fn direction(&mut self, wire: WireId, from: Side) -> Direction {
        let host = self.wires.wire(wire).host;
        (*host.of(from), *host.of(peer(from)))
    }
}

/// How far a segment moves its sender's sequence number on. What does not move it is never sent again.
pub(super) fn sequence_length(segment: &TcpSegment) -> u32 {
    let payload = u32::try_from(segment.payload.len()).expect("a segment fits its MTU");
    payload + u32::from(segment.flags.syn) + u32::from(segment.flags.fin)
}

/// Takes the first bytes off a segment: a segment that comes right before it.
fn split_off(segment: &mut TcpSegment, bytes: usize) -> TcpSegment {
    let payload = segment.payload.split_to(bytes);
    let first = TcpSegment {
        flags: TcpFlags {
            fin: false,
            ..segment.flags
        },
        payload,
        ..segment.clone()
    };
    segment.seq = segment.seq.wrapping_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    first
}
