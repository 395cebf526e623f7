//! The way of a segment: it waits where a fault stops it, is under way as long as the link says, and arrives in order.

use std::{mem, net::IpAddr};

use squall_proto::Instant;
use turmoil_net::{Packet as Datagram, TcpSegment, Transport};

use super::{Flight, Network, TICK, touch};
use crate::{
    trace::{Side, What, WireId},
    world::{
        link::{Direction, Effect, retransmission},
        wire::{Held, peer},
    },
};

impl Network {
    /// Sends a segment on its way, or lets it wait.
    pub(super) fn transmit(&mut self, wire: WireId, from: Side, segment: TcpSegment) {
        let since = self.now();
        let direction = self.direction(wire, from);
        let stopped = self.links.stopped(direction);
        let lane = self.wires.lane(wire, from);
        if stopped == Some(Effect::Block) && segment.flags.rst {
            return;
        }
        if stopped.is_some() || !lane.held.is_empty() {
            lane.held.push_back(Held { since, segment });
        } else {
            self.fly(wire, from, segment, since);
        }
    }

    /// Sends a segment on its way at `departs`.
    pub(super) fn fly(&mut self, wire: WireId, from: Side, segment: TcpSegment, departs: Instant) {
        let lossy = sequence_length(&segment) > 0;
        let direction = self.direction(wire, from);
        let delay = self.links.delay(direction, lossy, segment.flags.syn);
        let lane = self.wires.lane(wire, from);
        let mut arrives = lane.last_arrival.max(departs + delay);
        if segment.flags.rst {
            // An RST takes what the receiver has not read. Nobody is so slow that data of the moment before are lost to it.
            arrives = arrives.max(lane.last_arrival + TICK);
        }
        lane.last_arrival = arrives;
        self.due
            .insert((arrives, self.next_flight), Flight { wire, from, segment });
        self.next_flight += 1;
    }

    pub(super) fn deliver_due(&mut self) -> bool {
        let now = self.now();
        let mut any = false;
        while let Some(entry) = self.due.first_entry()
            && entry.key().0 <= now
        {
            let flight = entry.remove();
            self.deliver(flight);
            any = true;
        }
        any
    }

    pub(super) fn deliver(&mut self, Flight { wire, from, segment }: Flight) {
        let connection = self.wires.wire(wire);
        let to = peer(from);
        let (src, dst) = (connection.address.of(from).ip(), connection.address.of(to).ip());
        let nobody_there = connection.lane.of(to).resetting || connection.lane.of(to).was_reset;
        let lane = connection.lane.of_mut(from);
        lane.arrived += segment.payload.len() as u64;
        let whole = lane.arriving.partition_point(|(ends, _)| *ends <= lane.arrived);
        let packets: Vec<_> = lane.arriving.drain(..whole).collect();
        if !nobody_there {
            for (_, packet) in packets {
                self.note(What::Arrived { wire, from, packet });
            }
            self.note_end(wire, to, &segment);
        }
        self.hand_over(src, dst, segment);
    }

    pub(super) fn hand_over(&self, src: IpAddr, dst: IpAddr, segment: TcpSegment) {
        self.guard.deliver(Datagram {
            src,
            dst,
            ttl: 64,
            payload: Transport::Tcp(segment),
        });
    }

    /// Lets go what waits in a direction, each connection at its own time.
    pub(super) fn release(&mut self, direction: Direction, effect: Effect) {
        if self.links.is_stopped(direction) {
            return;
        }
        let waiting: Vec<_> = self
            .wires
            .iter()
            .flat_map(|(id, wire)| [Side::Client, Side::Broker].map(|from| (id, wire, from)))
            .filter(|(_, wire, from)| (*wire.host.of(*from), *wire.host.of(peer(*from))) == direction)
            .filter(|(_, wire, from)| !wire.lane.of(*from).held.is_empty())
            .map(|(id, _, from)| (id, from))
            .collect();
        for (wire, from) in waiting {
            self.release_lane(wire, from, effect);
        }
        touch();
        self.arm();
    }

    pub(super) fn release_lane(&mut self, wire: WireId, from: Side, effect: Effect) {
        let now = self.now();
        let held = mem::take(&mut self.wires.lane(wire, from).held);
        let Some(first) = held.front() else { return };
        let syn = first.segment.flags.syn;
        if syn && !self.still_connecting(wire, from) {
            return; // Whoever gave up sends no SYN again.
        }
        let departs = match effect {
            Effect::Block => {
                // Only what moves the sequence number on is sent again; acknowledgements come along with it.
                let again = held.iter().find(|held| sequence_length(&held.segment) > 0);
                retransmission(again.unwrap_or(first).since, now, syn)
            }
            Effect::Hold | Effect::Latency(_) | Effect::Loss(_) => now,
        };
        for Held { segment, .. } in held {
            self.fly(wire, from, segment, departs);
        }
    }

    /// Whether the kernel of this side still has the socket in its handshake.
    pub(super) fn still_connecting(&mut self, wire: WireId, side: Side) -> bool {
        let local = *self.wires.wire(wire).address.of(side);
        let remote = *self.wires.wire(wire).address.of(peer(side));
        turmoil_net::netstat(local.ip())
            .entries
            .iter()
            .any(|socket| socket.local == local && socket.peer == Some(remote))
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
