//! I9: a Client Identifier has one connection: who connects takes over. [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]
//!
//! While the broker stands still or reads slowly nothing is asked of it.

use std::{collections::VecDeque, time::Duration};

use squall_proto::Instant;

use super::{Checker, Found, Now};
use crate::{
    model::{Model, Wire},
    trace::{Side, WireId},
};

/// Connections that were taken over and are not closed yet, oldest first.
pub(super) struct OneConnection {
    taken_over: VecDeque<TakenOver>,
}

struct TakenOver {
    at: Instant,
    /// The place of the CONNACK of the newer one.
    by: usize,
    wire: WireId,
}

/// What waits in a socket's buffer is let out first.
const GRACE: Duration = Duration::from_secs(5);

/// So long before the end of a run a connection that is taken over must have been given up.
const LAST_MOMENT: Duration = Duration::from_secs(1);

impl TakenOver {
    fn still_open(&self, now: &Now<'_>, wire: &Wire) -> Found {
        let expected = format!("the older connection of `{}` to be closed", wire.name);
        now.found([self.by], expected, format!("two open since {}", self.at))
    }
}

impl OneConnection {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            taken_over: VecDeque::new(),
        }
    }

    /// One that is accepted takes over from those that are open.
    fn connected(&mut self, now: &Now<'_>, id: WireId) {
        let wires = &now.model.wires;
        let Some(client) = wires.get(id).and_then(|wire| wire.client) else {
            return;
        };
        // Those before the last that had ended were taken over themselves.
        let others = wires.of_client(client).rev().filter(|(other, _)| *other != id);
        let open =
            others.take_while(|(_, wire)| !wire.is_accepted() || wire.over_for(Side::Broker).is_none());
        for (wire, _) in open.filter(|(_, wire)| wire.is_accepted()) {
            self.taken_over.push_back(TakenOver {
                at: now.at,
                by: now.index,
                wire,
            });
        }
    }
}

impl Checker for OneConnection {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        while let Some(first) = self.taken_over.front() {
            let wire = now.model.wires.get(first.wire);
            let is_closed = wire.is_none_or(|wire| wire.over_for(Side::Broker).is_some());
            let hears = now.model.wires.broker_hears_since();
            if !is_closed && hears.is_none_or(|hears| now.at <= first.at.max(hears) + GRACE) {
                break;
            }
            if let (false, Some(wire)) = (is_closed, wire) {
                found.push(first.still_open(now, wire));
            }
            self.taken_over.pop_front();
        }
        if now.model.seen.connected.is_some()
            && let Some(wire) = now.event.what.wire()
        {
            self.connected(now, wire);
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        for taken_over in &self.taken_over {
            let wire = now.model.wires.get(taken_over.wire);
            let open = wire.filter(|wire| wire.over_for(Side::Broker).is_none());
            if let Some(wire) = open.filter(|_| taken_over.at + LAST_MOMENT < now.at) {
                found.push(taken_over.still_open(now, wire));
            }
        }
    }
}
