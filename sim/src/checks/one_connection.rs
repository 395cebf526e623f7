//! I9: a Client Identifier has one connection: who connects takes over. [MQTT-3.1.4-3] [v3 MQTT-3.1.4-2]

use std::{collections::VecDeque, time::Duration};

use squall_proto::{Instant, Packet};

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What, WireId},
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

impl OneConnection {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            taken_over: VecDeque::new(),
        }
    }

    fn connected(&mut self, now: &Now<'_>, wire: WireId) {
        let wires = &now.model.wires;
        let client_id = wires.get(wire).and_then(|wire| wire.client_id());
        let others = wires.iter().filter(|(other, it)| {
            *other != wire
                && it.client_id() == client_id
                && it.is_accepted()
                && it.over_for(Side::Broker).is_none()
        });
        let taken_over = others.map(|(wire, _)| TakenOver {
            at: now.at,
            by: now.index,
            wire,
        });
        self.taken_over.extend(taken_over);
    }
}

impl Checker for OneConnection {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        while let Some(first) = self.taken_over.front() {
            let wire = now.model.wires.get(first.wire);
            let is_closed = wire.is_none_or(|wire| wire.over_for(Side::Broker).is_some());
            if !is_closed && now.at <= first.at + GRACE {
                break;
            }
            if let (false, Some(wire)) = (is_closed, wire) {
                let client_id = wire.client_id().map_or("", |client_id| client_id);
                let expected = format!("the older connection of `{client_id}` to be closed");
                found.push(now.found(&[first.by], expected, format!("two open since {}", first.at)));
            }
            self.taken_over.pop_front();
        }
        if let What::Sent {
            wire,
            from: Side::Broker,
            packet: Packet::Connack(connack),
        } = &now.event.what
            && !connack.reason_code.is_error()
        {
            self.connected(now, *wire);
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
