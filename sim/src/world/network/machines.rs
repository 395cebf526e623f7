//! What faults do to hosts: they lose power, stand still, read slowly, and their clocks jump.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use squall_proto::Instant;

use super::{Network, touch, transit::sequence_length};
use crate::{
    scenario::Reads,
    trace::{Side, WireId},
    world::{link::Effect, wire::peer},
};

/// What is not as usual with hosts, by their places in the world.
#[derive(Default)]
pub(super) struct Machines {
    by_place: BTreeMap<usize, Machine>,
    next_id: u64,
}

#[derive(Default)]
struct Machine {
    /// It has no power.
    is_off: bool,
    pauses: BTreeMap<StateId, u64>,
    /// Pauses of processes that have ended.
    past_pauses: BTreeMap<StateId, u64>,
    /// The tasks that would have run while it is paused.
    waiting: Vec<Waker>,
    /// How slowly it reads, the last that began first.
    reads: BTreeMap<StateId, SlowReads>,
    /// By how many milliseconds its wall clock is ahead.
    ahead_ms: i64,
}

struct SlowReads {
    reads: Reads,
    touched: u64,
}

/// Names what a fault has begun with a host to who began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StateId(u64);

/// The first moment of 2030, which is when a world begins.
const BEGINNING: Duration = Duration::from_secs(1_893_456_000);

impl Machines {
    fn at(&mut self, place: usize) -> &mut Machine {
        self.by_place.entry(place).or_default()
    }

    fn next_id(&mut self) -> StateId {
        self.next_id += 1;
        StateId(self.next_id)
    }
}

/// Power.
impl Network {
    /// A host loses power: nothing is sent any more and nothing taken, and its kernel forgets its connections. Says how many.
    pub(crate) fn power_off(&mut self, place: usize) -> u64 {
        self.machines.at(place).is_off = true;
        let mut alive = 0;
        for (wire, side) in self.sides_at(place) {
            let connection = self.wires.wire(wire);
            let (local, remote) = (*connection.address.of(side), *connection.address.of(peer(side)));
            let lane = connection.lane.of_mut(side);
            if side == Side::Broker && !lane.has_sent() {
                continue; // A SYN that is still under way finds whoever listens when it arrives.
            }
            alive += u64::from(lane.is_alive());
            lane.is_gone = true;
            lane.ended = true;
            lane.held.clear();
            // When its process is gone.
            self.forgotten.push((local, remote));
        }
        touch();
        alive
    }

    /// A host's kernel forgets what its processes have closed, acknowledged or not. What has not even left is given up.
    pub(crate) fn forget_closed(&mut self, place: usize) {
        for (wire, side) in self.sides_at(place) {
            let connection = self.wires.wire(wire);
            let (local, remote) = (*connection.address.of(side), *connection.address.of(peer(side)));
            let lane = connection.lane.of(side);
            if lane.closed {
                self.forgotten.push((local, remote));
            } else if lane.let_go && lane.is_alive() {
                self.reset_side(wire, side);
            }
        }
        touch();
    }

    /// A host has power again. What was sent to it meanwhile is sent again.
    pub(crate) fn power_on(&mut self, place: usize) {
        self.machines.at(place).is_off = false;
        for (wire, side) in self.sides_at(place) {
            let connection = self.wires.wire(wire);
            if connection.lane.of(side).is_gone {
                // An acknowledgement alone is never sent again.
                let waiting = &mut connection.lane.of_mut(peer(side)).held;
                waiting.retain(|held| sequence_length(&held.segment) > 0);
            }
        }
        let others = (0..self.hosts.len()).map(|other| (other, place));
        self.release(others.collect(), Effect::Block);
        touch();
        self.arm();
    }

    /// Whether a host has no power.
    pub(super) fn is_off(&self, place: usize) -> bool {
        self.machines
            .by_place
            .get(&place)
            .is_some_and(|machine| machine.is_off)
    }

    /// The ends of connections at a host.
    fn sides_at(&self, place: usize) -> Vec<(WireId, Side)> {
        self.wires
            .iter()
            .flat_map(|(id, wire)| [Side::Client, Side::Broker].map(|side| (id, wire, side)))
            .filter(|(_, wire, side)| *wire.host.of(*side) == place)
            .map(|(id, _, side)| (id, side))
            .collect()
    }
}

/// Pauses.
impl Network {
    /// A host's tasks stand still until this pause, and every other, is over.
    pub(crate) fn pause(&mut self, place: usize) -> StateId {
        let id = self.machines.next_id();
        self.machines.at(place).pauses.insert(id, 0);
        id
    }

    /// Ends a pause. Says how often a task would have run, or `None` when it was over already; and whether the host goes on.
    pub(crate) fn resume(&mut self, place: usize, pause: StateId) -> Option<(u64, bool)> {
        let machine = self.machines.at(place);
        if let Some(touched) = machine.past_pauses.remove(&pause) {
            return Some((touched, false));
        }
        let touched = machine.pauses.remove(&pause)?;
        let goes_on = machine.pauses.is_empty();
        if goes_on {
            machine.waiting.drain(..).for_each(Waker::wake);
        }
        Some((touched, goes_on))
    }

    /// The process that was paused has ended: what runs next is not paused.
    pub(crate) fn forget_pauses(&mut self, place: usize) {
        let machine = self.machines.at(place);
        machine.past_pauses.append(&mut machine.pauses);
        machine.waiting.drain(..).for_each(Waker::wake);
    }

    /// Whether a host is paused. Then the task that asks is woken when it goes on.
    pub(crate) fn stands_still(&mut self, place: usize, task: &Waker) -> bool {
        let Some(machine) = self.machines.by_place.get_mut(&place) else {
            return false;
        };
        for would_have_run in machine.pauses.values_mut() {
            *would_have_run += 1;
        }
        let is_paused = !machine.pauses.is_empty();
        if is_paused {
            machine.waiting.push(task.clone());
        }
        is_paused
    }
}

/// Slow reading, and clocks.
impl Network {
    /// A host reads no faster than this on each connection, until it does again.
    pub(crate) fn read_slowly(&mut self, place: usize, reads: Reads) -> StateId {
        let id = self.machines.next_id();
        let slow = SlowReads { reads, touched: 0 };
        self.machines.at(place).reads.insert(id, slow);
        id
    }

    /// A host reads as it did before. Says how many reads were slow.
    pub(crate) fn read_as_before(&mut self, place: usize, slow: StateId) -> u64 {
        let slow = self.machines.at(place).reads.remove(&slow);
        slow.map_or(0, |slow| slow.touched)
    }

    /// How slowly a host reads, if it does.
    pub(crate) fn reads(&self, place: usize) -> Option<Reads> {
        let machine = self.machines.by_place.get(&place)?;
        let (_, slow) = machine.reads.last_key_value()?;
        Some(slow.reads)
    }

    /// A read of a host was slow.
    pub(crate) fn has_read_slowly(&mut self, place: usize) {
        if let Some(mut slow) = self.machines.at(place).reads.last_entry() {
            slow.get_mut().touched += 1;
        }
    }

    /// A host's wall clock jumps.
    pub(crate) fn step_clock(&mut self, place: usize, by_ms: i64) {
        let ahead_ms = &mut self.machines.at(place).ahead_ms;
        *ahead_ms = ahead_ms.saturating_add(by_ms);
    }

    /// What a host's wall clock shows: the time since the beginning of 1970.
    pub(crate) fn wall_clock(&self, place: usize) -> Duration {
        let ahead_ms = self
            .machines
            .by_place
            .get(&place)
            .map_or(0, |machine| machine.ahead_ms);
        let right = BEGINNING + self.now().saturating_since(Instant::ZERO);
        let ahead = Duration::from_millis(ahead_ms.unsigned_abs());
        if ahead_ms < 0 {
            right.saturating_sub(ahead)
        } else {
            right + ahead
        }
    }
}
