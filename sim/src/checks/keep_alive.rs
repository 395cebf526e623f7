//! I11: silence is ended after one and a half Keep Alives: never before, and within a second after; within six where what the
//! broker has to say last cannot leave it.
//! [MQTT-3.1.2-22] [v3 MQTT-3.1.2-24]

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use squall_proto::{Instant, ReasonCode};

use super::{Checker, Found, Now};
use crate::{
    faults::Fault,
    model::{BROKER, Model, Wire},
    scenario::Action,
    trace::{Side, What, WireId},
};

/// When each connection must have been closed, for those that have something to fear.
pub(super) struct KeepAlive {
    due: BTreeMap<(Instant, WireId), ()>,
    by_wire: BTreeMap<WireId, Instant>,
    /// What was not closed in time, with how long its goodbye may be the reason.
    overdue: VecDeque<(Instant, WireId, Found)>,
    /// Whether the broker was asked to stop, and closes its connections.
    is_stopping: bool,
}

/// How late the close may come: nothing says, this is what we hold the broker to.
const GRACE: Duration = Duration::from_secs(1);

/// How much later it may come when the connection takes nothing any more: the broker has ended it and tries to say so.
const GOODBYE: Duration = Duration::from_secs(5);

impl KeepAlive {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            due: BTreeMap::new(),
            by_wire: BTreeMap::new(),
            overdue: VecDeque::new(),
            is_stopping: false,
        }
    }

    /// Sets when the connection must be closed if nothing more is heard.
    fn set(&mut self, id: WireId, wire: Option<&Wire>) {
        if let Some(due) = self.by_wire.remove(&id) {
            self.due.remove(&(due, id));
        }
        let watched = wire.filter(|wire| wire.is_accepted() && wire.over_for(Side::Broker).is_none());
        if let Some(limit) = watched.and_then(silence_max) {
            let due = watched.map_or(Instant::ZERO, |wire| wire.heard_at) + limit + GRACE;
            self.by_wire.insert(id, due);
            self.due.insert((due, id), ());
        }
    }

    fn late(&mut self, now: &Now<'_>) {
        while let Some(((due, id), ())) = self.due.pop_first() {
            if due >= now.at {
                self.due.insert((due, id), ());
                return;
            }
            self.by_wire.remove(&id);
            if let Some(wire) = now.model.wires.get(id) {
                let expected = format!(
                    "the broker to close the silent connection of `{}` by {due}",
                    wire.name
                );
                let got = format!("it is open, and was last heard at {}", wire.heard_at);
                self.overdue
                    .push_back((due + GOODBYE, id, now.found([], expected, got)));
            }
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

/// The broker closed this connection without anything but silence to explain it. Judged when its FIN is out, because what it
/// said last is out with it.
fn early(now: &Now<'_>, id: WireId) -> Option<Found> {
    let wire = now.model.wires.get(id).filter(|wire| wire.is_accepted())?;
    let is_for_silence = match wire.broker_disconnect {
        Some(reason_code) => reason_code == ReasonCode::KeepAliveTimeout,
        None => !is_explained(now.model, id, wire),
    };
    let closed_at = wire.left_at(Side::Broker).unwrap_or(now.at);
    let silent = closed_at.saturating_since(wire.heard_at);
    let limit = silence_max(wire);
    if !is_for_silence || limit.is_some_and(|limit| silent >= limit) {
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

fn stops_broker(model: &Model<'_>, step: usize) -> bool {
    let step = model.scenario.steps.get(step);
    step.is_some_and(|step| matches!(&step.action, Action::Fault(Fault::Stop(stop)) if stop.host == BROKER))
}

/// 3.1.1 has no words for why a broker closes; these are the reasons that the wires show.
fn is_explained(model: &Model<'_>, id: WireId, wire: &Wire) -> bool {
    wire.disconnect.is_some()
        || wire.client_at_fault
        || wire.is_kicked
        || wire.ended.of(Side::Broker).is_some()
        || model.wires.is_contested(id)
        || model.scenario.broker.unsent_bytes.is_some()
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
            } => {
                if !self.is_stopping {
                    found.extend(early(now, *wire));
                }
                self.set(*wire, None);
            }
            What::Arrived {
                wire,
                from: Side::Client,
                ..
            }
            | What::Sent {
                wire,
                from: Side::Broker,
                ..
            }
            | What::Ended {
                wire,
                at: Side::Broker,
                ..
            } => self.set(*wire, now.model.wires.get(*wire)),
            What::LetGo {
                wire,
                by: Side::Broker,
            } => {
                self.overdue.retain(|(_, overdue, _)| overdue != wire);
                self.set(*wire, None);
            }
            What::FaultBegan { step, .. } if stops_broker(now.model, *step) => self.is_stopping = true,
            What::HostUp { host, .. } if host == BROKER => self.is_stopping = false,
            What::HostDown { host, .. } | What::HostPaused { host } if host == BROKER => {
                self.due.clear();
                self.by_wire.clear();
                self.overdue.clear();
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.late(now);
        self.judge(now, true, found);
    }
}
