//! A client with a Keep Alive sends something at least that often, by the server's Keep Alive where CONNACK gives one: PINGREQ, if it has
//! nothing else to say. [MQTT-3.1.2-20] [MQTT-3.1.2-21] [MQTT-3.2.2-21] [v3 MQTT-3.1.2-23]
//!
//! From CONNACK on. A process that stands still says nothing, and what a link does not take has not left its host and shows nowhere: while
//! a fault is at work, and for five seconds after, nobody is judged; nor is who has said nothing since then that was heard: the fault may
//! have cut it off.

use std::{collections::BTreeSet, time::Duration};

use squall_proto::{Instant, Packet};

use super::{Checker, Found, Now};
use crate::{
    model::{Model, Wire},
    trace::{Side, What, WireId},
};

/// When each client must have said something.
pub(super) struct Pings {
    /// At the latest; what it has said since then is reckoned when that moment comes.
    due: BTreeSet<(Instant, WireId)>,
    /// The steps whose faults are at work.
    faults: BTreeSet<usize>,
    /// When the last of those ended.
    free_since: Option<Instant>,
}

/// So long after what held it up a client has said what it had to.
const SOON: Duration = Duration::from_secs(5);

impl Pings {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            due: BTreeSet::new(),
            faults: BTreeSet::new(),
            free_since: None,
        }
    }

    /// When a client must have said something if it says nothing more; `None`: it need not.
    fn due(&self, now: &Now<'_>, wire: &Wire) -> Option<Instant> {
        let keep_alive = Some(Duration::from_secs(u64::from(wire.keep_alive)));
        let keep_alive = keep_alive.filter(|keep_alive| !keep_alive.is_zero())?;
        // What is said now comes after what is due by now.
        let [last, before] = wire.said_at;
        let said_at = if last == now.at { before } else { last };
        // A link that lets nothing through takes nothing more sooner or later.
        let got_at = *wire.got_at.of(Side::Broker);
        let has_arrived = got_at >= said_at && self.free_since.is_none_or(|free| said_at > free);
        // Of what it has said the rest waits for the link.
        let due = if has_arrived && self.faults.is_empty() && !wire.is_within_packet.of(Side::Client) {
            let due = said_at + keep_alive + now.model.slack;
            self.free_since.map_or(due, |free| due.max(free + SOON))
        } else {
            now.at + keep_alive + now.model.slack
        };
        let over = wire.over_for(Side::Client);
        over.is_none_or(|over| over > due).then_some(due)
    }

    fn late(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        while let Some((at, id)) = self.due.first().copied().filter(|(at, _)| *at < now.at) {
            self.due.pop_first();
            let Some(wire) = now.model.wires.get(id) else {
                continue;
            };
            match self.due(now, wire) {
                Some(due) if due > at => _ = self.due.insert((due, id)),
                Some(due) => {
                    let expected = format!(
                        "`{}` to send something by {due}: its Keep Alive is {} s",
                        wire.name, wire.keep_alive
                    );
                    let got = format!("it had not by {}", now.at);
                    found.push(now.found([], expected, got));
                }
                None => {}
            }
        }
    }
}

impl Checker for Pings {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.late(now, found);
        match &now.event.what {
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Connack(connack),
            } if now.judges(*wire, Side::Client) && !connack.reason_code.is_error() => {
                let known = now.model.wires.get(*wire);
                let due = known.filter(|wire| !now.model.disturbances.may_slow(&wire.name));
                let due = due.and_then(|wire| self.due(now, wire));
                self.due.extend(due.map(|due| (due.max(now.at), *wire)));
            }
            What::FaultBegan { step, .. } => _ = self.faults.insert(*step),
            What::FaultEnded { step, .. } => {
                self.faults.remove(step);
                self.free_since = Some(now.at);
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.late(now, found);
    }
}
