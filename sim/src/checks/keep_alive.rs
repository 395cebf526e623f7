//! I11: silence is ended after one and a half Keep Alives: never before, and within a second after; within six where what the
//! broker has to say last cannot leave it.
//! [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]
//!
//! What the broker has not read it has not heard: while it stands still or reads slowly no silence is counted.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use squall_proto::{Instant, Packet, ReasonCode};

use super::{Checker, Found, Now};
use crate::{
    model::{BROKER, Model, Wire},
    trace::{Side, What, WireId},
};

/// When each connection must be closed, for those that have something to fear.
pub(super) struct KeepAlive {
    /// At the latest; what was heard since then is reckoned when that moment comes.
    due: BTreeSet<(Instant, WireId)>,
    /// What was not closed in time, with how long its goodbye may be the reason.
    overdue: VecDeque<(Instant, WireId, Found)>,
    /// Connections that took nothing more when they were to be closed: the broker may have ended them, and not been able to say so.
    held_up: BTreeSet<WireId>,
}

/// How late the close may come: nothing says, this is what we hold the broker to.
const GRACE: Duration = Duration::from_secs(1);

/// How much later it may come when the connection takes nothing any more: the broker has ended it and tries to say so.
const GOODBYE: Duration = Duration::from_secs(5);

impl KeepAlive {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            due: BTreeSet::new(),
            overdue: VecDeque::new(),
            held_up: BTreeSet::new(),
        }
    }

    fn late(&mut self, now: &Now<'_>) {
        while let Some((at, id)) = self.due.first().copied().filter(|(at, _)| *at < now.at) {
            self.due.pop_first();
            let Some(wire) = now.model.wires.get(id) else {
                continue;
            };
            let Some(due) = due(now, wire) else { continue };
            if due > at {
                self.due.insert((due, id));
                continue;
            }
            if *wire.is_within_packet.of(Side::Broker) {
                self.held_up.insert(id);
                continue;
            }
            let expected = format!(
                "the broker to close the silent connection of `{}` by {due}",
                wire.name
            );
            let got = format!("it is open, and was last heard at {}", wire.heard_at);
            self.overdue
                .push_back((due + GOODBYE, id, now.found([], expected, got)));
        }
    }

    /// What is overdue even for a goodbye that could not be said; at the end of the run, all of it.
    fn judge(&mut self, now: &Now<'_>, is_over: bool, found: &mut Vec<Found>) {
        while let Some((until, ..)) = self.overdue.front()
            && (is_over || *until < now.at)
        {
            found.extend(self.overdue.pop_front().map(|(_, _, late)| late));
        }
    }
}

/// One and a half Keep Alives; `None`: silence is allowed.
fn silence_max(wire: &Wire) -> Option<Duration> {
    let keep_alive = Duration::from_secs(u64::from(wire.keep_alive));
    (!keep_alive.is_zero()).then(|| keep_alive * 3 / 2)
}

/// When a connection must have been closed if nothing more is heard; `None`: it need not be. What closes it may wait for a slow disk.
fn due(now: &Now<'_>, wire: &Wire) -> Option<Instant> {
    let may_wait = now.model.disturbances.broker_may_wait();
    let limit = silence_max(wire).filter(|_| wire.is_accepted() && !may_wait)?;
    let grace = GRACE + now.model.slack;
    // What is heard now comes after what is due by now.
    let heard = if wire.heard_at == now.at {
        wire.heard_before
    } else {
        wire.heard_by
    };
    let due = match (heard, now.model.wires.broker_hears_since()) {
        (Some(heard), Some(hears)) => (heard + limit).max(hears) + grace,
        _unread => now.at + limit + grace,
    };
    let over = wire.over_for(Side::Broker);
    over.is_none_or(|over| over > due).then_some(due)
}

/// The broker closed this connection without anything but silence to explain it. Judged when its FIN is out, because what it
/// said last is out with it.
fn early(now: &Now<'_>, id: WireId) -> Option<Found> {
    // What it waits for its disk with, its client may wait for in silence.
    let may_wait = now.model.disturbances.broker_may_wait();
    let wire = now
        .model
        .wires
        .get(id)
        .filter(|wire| wire.is_accepted() && !may_wait)?;
    let is_for_silence = match wire.broker_disconnect {
        Some(reason_code) => reason_code == ReasonCode::KeepAliveTimeout,
        None => !now.model.is_close_explained(id, wire),
    };
    let has_read_all = wire.heard_by == Some(wire.heard_at);
    let closed_at = wire.left_at(Side::Broker).unwrap_or(now.at);
    // What is heard in the moment of the close may have come after what the clock said.
    let heard = if wire.heard_at == closed_at {
        wire.heard_before.unwrap_or(wire.heard_at)
    } else {
        wire.heard_at
    };
    let silent = closed_at.saturating_since(heard);
    // Who goes on sees what the clock says before it sees what has come.
    let hears = now.model.wires.broker_hears_since();
    let has_read_all = has_read_all && hears.is_some_and(|hears| hears < closed_at || hears == Instant::ZERO);
    let limit = silence_max(wire);
    if !is_for_silence || !has_read_all || limit.is_some_and(|limit| silent + now.model.slack >= limit) {
        return None;
    }
    let expected = match limit {
        Some(limit) => format!("`{}` to be let be for {}s", wire.name, limit.as_secs_f64()),
        None => format!("`{}` to be let be: it has no Keep Alive", wire.name),
    };
    Some(now.found(
        [],
        expected,
        format!("a close after {}s of silence", silent.as_secs_f64()),
    ))
}

impl Checker for KeepAlive {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.late(now);
        self.judge(now, false, found);
        match &now.event.what {
            What::Closed {
                wire,
                by: Side::Broker,
                ..
            } => found.extend(early(now, *wire).filter(|_| !self.held_up.contains(wire))),
            What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Connack(_),
            } => {
                let due = now.model.wires.get(*wire).and_then(|wire| due(now, wire));
                self.due.extend(due.map(|due| (due, *wire)));
            }
            What::LetGo {
                wire,
                by: Side::Broker,
            } => self.overdue.retain(|(_, overdue, _)| overdue != wire),
            What::HostDown { host, .. } | What::HostPaused { host } if host == BROKER => self.overdue.clear(),
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.late(now);
        self.judge(now, true, found);
    }
}
