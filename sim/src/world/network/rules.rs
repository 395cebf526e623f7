//! What begins and ends with a rule of a fault: what waits is let go, what is under way vanishes or has its turn.

use std::{collections::BTreeSet, mem};

use squall_proto::Instant;

use super::{Flight, Network, TICK, touch, transit::sequence_length};
use crate::{
    trace::{Side, WireId},
    world::{
        link::{Direction, Effect, Parcel, RuleId, retransmission},
        wire::{Held, peer},
    },
};

impl Network {
    /// From now on these directions are so.
    pub(crate) fn add_rule(&mut self, on: BTreeSet<Direction>, effect: Effect) -> RuleId {
        let vanish = (effect == Effect::Vanish).then(|| on.clone());
        let rule = self.links.add(on, effect);
        if let Some(on) = vanish {
            self.vanish(rule, &on);
        }
        rule
    }

    /// Ends a rule, lets go what waited for it, and says how many segments it touched, and how many connections where it ended any.
    pub(crate) fn remove_rule(&mut self, rule: RuleId) -> u64 {
        let Some((effect, on, touched)) = self.links.remove(rule) else {
            return 0;
        };
        match effect {
            Effect::Block | Effect::Hold | Effect::Vanish => self.release(on, effect),
            Effect::Bandwidth(_) => self.hurry(on),
            Effect::Loss(_) => self.try_again(&on),
            Effect::Latency(..) | Effect::Segment(_) | Effect::Coalesce(_) => {}
        }
        touch();
        self.arm();
        touched
    }

    /// What is under way in these directions is gone, and so is every connection there is: whatever is sent later vanishes too.
    fn vanish(&mut self, rule: RuleId, on: &BTreeSet<Direction>) {
        for flight in self.take_under_way(on, Instant::ZERO) {
            let direction = self.direction(flight.wire, flight.from);
            self.links.touch(rule, direction);
            if flight.segment.flags.syn {
                // Whoever is connecting sends it again.
                let (since, segment) = (flight.way.departs, flight.segment);
                let lane = self.wires.lane(flight.wire, flight.from);
                lane.held.push_back(Held { since, segment });
            }
        }
        for (wire, from) in self.lanes(on) {
            if self.wires.wire(wire).is_open() {
                let direction = self.direction(wire, from);
                self.links.touch(rule, direction);
                self.wires.lane(wire, from).vanish();
            }
        }
    }

    /// What waits for its turn on these links has it now, unless another rule keeps them narrow.
    fn hurry(&mut self, mut on: BTreeSet<Direction>) {
        let now = self.now();
        on.retain(|direction| {
            !self
                .links
                .any(*direction, |effect| matches!(effect, Effect::Bandwidth(_)))
        });
        for mut flight in self.take_under_way(&on, now + TICK) {
            flight.way.departs = now;
            self.is_due(flight);
        }
    }

    /// What TCP sends again on these links from now on is not lost to a rule that is over.
    fn try_again(&mut self, on: &BTreeSet<Direction>) {
        let now = self.now();
        for mut flight in self.take_under_way(on, Instant::ZERO) {
            let direction = self.direction(flight.wire, flight.from);
            let parcel = Parcel::of(&flight.segment);
            flight.way = self.links.again(direction, parcel, flight.way, now);
            self.is_due(flight);
        }
    }

    /// Takes out what is under way in some directions and does not depart before a moment, in the order in which it would have arrived.
    fn take_under_way(&mut self, on: &BTreeSet<Direction>, departs: Instant) -> Vec<Flight> {
        let wires = &mut self.wires;
        let is_one = |_: &(Instant, u64), flight: &mut Box<Flight>| {
            flight.way.departs >= departs && on.contains(&wires.wire(flight.wire).direction(flight.from))
        };
        let taken: Vec<_> = self.due.extract_if(.., is_one).collect();
        let lanes: BTreeSet<_> = taken
            .iter()
            .map(|(_, flight)| (flight.wire, flight.from))
            .collect();
        for (wire, from) in lanes {
            let mut left = self.due.iter().rev();
            let last = left.find(|(_, flight)| (flight.wire, flight.from) == (wire, from));
            let last_arrival = last.map_or(Instant::ZERO, |((at, _), _)| *at);
            self.wires.lane(wire, from).last_arrival = last_arrival;
        }
        taken.into_iter().map(|(_, flight)| *flight).collect()
    }

    /// The connections of some directions, and which side sends there.
    fn lanes(&self, on: &BTreeSet<Direction>) -> Vec<(WireId, Side)> {
        self.wires
            .iter()
            .flat_map(|(id, wire)| [Side::Client, Side::Broker].map(|from| (id, wire, from)))
            .filter(|(_, wire, from)| on.contains(&wire.direction(*from)))
            .map(|(id, _, from)| (id, from))
            .collect()
    }

    /// Lets go what waits in some directions, each connection at its own time, unless another rule stops them.
    pub(super) fn release(&mut self, mut on: BTreeSet<Direction>, effect: Effect) {
        on.retain(|direction| !self.links.any(*direction, Effect::stops) && !self.is_off(direction.1));
        for (wire, from) in self.lanes(&on) {
            self.release_lane(wire, from, effect);
        }
    }

    fn release_lane(&mut self, wire: WireId, from: Side, effect: Effect) {
        let now = self.now();
        let held = mem::take(&mut self.wires.lane(wire, from).held);
        let Some(first) = held.front() else { return };
        let syn = first.segment.flags.syn;
        if syn && !self.still_connecting(wire, from) {
            return; // Whoever gave up sends no SYN again.
        }
        let departs = match effect {
            Effect::Block | Effect::Vanish => {
                // Only what moves the sequence number on is sent again; acknowledgements come along with it.
                let again = held.iter().find(|held| sequence_length(&held.segment) > 0);
                retransmission(again.unwrap_or(first).since, now, syn)
            }
            Effect::Hold
            | Effect::Latency(..)
            | Effect::Loss(_)
            | Effect::Bandwidth(_)
            | Effect::Segment(_)
            | Effect::Coalesce(_) => now,
        };
        for Held { segment, .. } in held {
            self.fly(wire, from, segment, departs);
        }
    }

    /// Whether the kernel of this side still has the socket in its handshake.
    fn still_connecting(&mut self, wire: WireId, side: Side) -> bool {
        let local = *self.wires.wire(wire).address.of(side);
        let remote = *self.wires.wire(wire).address.of(peer(side));
        turmoil_net::netstat(local.ip())
            .entries
            .iter()
            .any(|socket| socket.local == local && socket.peer == Some(remote))
    }
}
