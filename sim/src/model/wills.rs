use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    time::Duration,
};

use squall_proto::{Instant, Qos, ReasonCode};

use super::{
    Model, Wire,
    numbered::{ClientNumber, MessageId, SessionId},
};
use crate::trace::{Side, WireId};

/// What has become of each Will: when it is to be published, how often it was, to whom it is owed.
/// [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.3-9] [v3 MQTT-3.1.2-8] [v3 MQTT-3.1.2-10]
#[derive(Debug, Default)]
pub(crate) struct Wills {
    /// Of connections that have ended.
    pending: BTreeMap<WireId, Pending>,
    /// The connections that have ended.
    ended: BTreeSet<WireId>,
    due: BTreeSet<(Instant, WireId)>,
    all: BTreeMap<MessageId, Will>,
}

#[derive(Debug)]
struct Pending {
    /// From when on it may be published.
    due: Instant,
    /// When it must be; `None`: the broker may not know yet that the connection has ended.
    by: Option<Instant>,
    delay: Duration,
    /// Where its connection ended.
    ended: usize,
    message: MessageId,
    /// The wires do not show whether it must be published.
    is_open: bool,
    /// It has been reckoned that it may be.
    has_been_due: bool,
}

/// How often a Will must and may have been published so far, and how often each session got it.
#[derive(Debug, Default)]
pub(crate) struct Will {
    pub(crate) may: usize,
    /// Where the last connection ended that it was published for.
    pub(crate) ended: Option<usize>,
    /// To whom, and when each time.
    pub(crate) owed: BTreeMap<SessionId, Vec<Instant>>,
    pub(crate) got: BTreeMap<SessionId, usize>,
    /// How often it came with RETAIN to who keeps that as it was published: as a retained message, or not.
    pub(crate) got_retained: BTreeMap<SessionId, usize>,
}

impl Wills {
    pub(crate) fn get(&self, message: MessageId) -> Option<&Will> {
        self.all.get(&message)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (MessageId, &Will)> {
        self.all.iter().map(|(message, will)| (*message, will))
    }

    /// The broker has sent it, for the first time.
    pub(super) fn sent(&mut self, message: MessageId, session: SessionId, retain: bool) {
        let will = self.all.entry(message).or_default();
        let got = if retain {
            &mut will.got_retained
        } else {
            &mut will.got
        };
        *got.entry(session).or_default() += 1;
    }

    /// The broker's process is gone: what it had in memory is not owed, for whoever it was connected with.
    pub(super) fn forget_all(&mut self, connected: impl Iterator<Item = WireId>) {
        self.ended.extend(connected);
        self.pending.clear();
        self.due.clear();
    }

    fn is_pending(&mut self, wire: WireId, pending: Pending) {
        self.due.insert((pending.due, wire));
        self.pending.insert(wire, pending);
    }

    /// The broker must know by now that the connection has ended.
    fn is_known(&mut self, at: Instant, id: WireId) {
        if let Some(pending) = self.pending.get_mut(&id)
            && pending.by.is_none()
        {
            let by = at + pending.delay;
            pending.by = Some(by);
            self.due.insert((by, id));
        }
    }

    /// The broker runs again, and learns which connections ended with it.
    pub(super) fn taken_up(&mut self, at: Instant) {
        let unknown = self.pending.iter().filter(|(_, pending)| pending.by.is_none());
        let unknown: Vec<WireId> = unknown.map(|(wire, _)| *wire).collect();
        for wire in unknown {
            self.is_known(at, wire);
        }
    }

    /// The next that is due by now, and its connection.
    fn next_due(&mut self, at: Instant) -> Option<WireId> {
        let (due, wire) = *self.due.first()?;
        (due <= at).then(|| {
            self.due.pop_first();
            wire
        })
    }
}

impl Model<'_> {
    /// The broker takes a connection to be over, or will as soon as it `knows`: its Will, if it has one and DISCONNECT did not remove it,
    /// is pending.
    pub(super) fn will_of_ended(&mut self, (at, index): (Instant, usize), id: WireId, knows: bool) {
        // Who was accepted, or may have been: its CONNACK could not leave.
        let may_be = |wire: &&Wire| wire.is_accepted() || wire.connack.is_none();
        let Some(wire) = self.wires.get(id).filter(may_be) else {
            return;
        };
        let Some((message, delay)) = self.will_of(wire) else {
            return;
        };
        if !self.wills.ended.insert(id) {
            if knows {
                self.wills.is_known(at, id);
            }
            return;
        }
        let is_open = match wire.disconnect {
            // What reached the host, and a reset threw away; or what waited there until the broker took its silence for too long.
            Some((said_at, _)) if wire.was_reset_at(Side::Broker, said_at) || wire.is_overheard() => true,
            // [MQTT-3.14.4-3] [v3 MQTT-3.14.4-3]
            Some((_, ReasonCode::Success)) => return,
            Some(_) | None => !wire.is_accepted(),
        };
        // What the broker says of it may have waited for its disk, and the delay counts from before.
        let due = if self.disturbances.broker_may_wait() {
            at
        } else {
            at + delay
        };
        let pending = Pending {
            due,
            by: knows.then_some(at + delay),
            delay,
            ended: index,
            message,
            is_open,
            has_been_due: false,
        };
        self.wills.is_pending(id, pending);
    }

    /// The Will of a connection, if it has one, and how long after its end it may be published.
    fn will_of(&self, wire: &Wire) -> Option<(MessageId, Duration)> {
        let will = wire.connect.as_deref()?.will.as_ref()?;
        let delay = Duration::from_secs(u64::from(will.properties.will_delay_interval().unwrap_or(0)));
        // Without CONNACK nobody knows how long the session outlives it.
        let expiry = wire.session.map_or(Some(Duration::ZERO), |session| {
            self.sessions.get(session).expiry()
        });
        let delay = expiry.map_or(delay, |expiry| delay.min(expiry));
        Some((wire.will?, delay))
    }

    /// The broker may have forgotten the DISCONNECT that took the Will of this connection away, if it has one.
    pub(super) fn will_may_be(&mut self, (at, index): (Instant, usize), id: WireId) {
        let will = self.wires.get(id).and_then(|wire| self.will_of(wire));
        let Some((message, delay)) = will.filter(|_| !self.wills.pending.contains_key(&id)) else {
            return;
        };
        let pending = Pending {
            due: at + delay,
            by: None,
            delay,
            ended: index,
            message,
            is_open: true,
            has_been_due: false,
        };
        self.wills.is_pending(id, pending);
    }

    /// The connections that it takes over from are over. [MQTT-3.1.3-9] A client that is back in time gets no Will published; with Clean
    /// Start its session ended, and either may be.
    pub(super) fn will_of_connected(
        &mut self,
        (at, index): (Instant, usize),
        id: WireId,
        session_present: bool,
    ) {
        let Some(client) = self.wires.get(id).and_then(|wire| wire.client) else {
            return;
        };
        for earlier in self.end_connections((at, index), client, Some(id), true) {
            let Some(pending) = self.wills.pending.get_mut(&earlier) else {
                continue;
            };
            if pending.by.is_some_and(|by| by <= at) {
                continue;
            }
            if session_present || pending.has_been_due {
                self.wills.pending.remove(&earlier);
            } else {
                pending.is_open = true;
                self.wills.due.insert((at, earlier));
            }
        }
    }

    /// The broker takes the connections of a client to be over, but for one, or will as soon as it `knows`. Says which.
    pub(super) fn end_connections(
        &mut self,
        (at, index): (Instant, usize),
        client: ClientNumber,
        but: Option<WireId>,
        knows: bool,
    ) -> Vec<WireId> {
        let wires = self.wires.of_client(client).map(|(wire, _)| wire);
        let ended: Vec<WireId> = wires.filter(|wire| Some(*wire) != but).collect();
        for wire in &ended {
            self.will_of_ended((at, index), *wire, knows);
        }
        ended
    }

    /// A client's session ends: no Will of it waits any longer. [MQTT-3.1.2-8]
    pub(super) fn wills_of_session(&mut self, (at, index): (Instant, usize), client: ClientNumber) {
        for wire in self.end_connections((at, index), client, None, false) {
            if let Some(pending) = self.wills.pending.get_mut(&wire) {
                pending.due = pending.due.min(at);
                pending.by = pending.by.map(|by| by.min(at));
                pending.delay = Duration::ZERO;
                self.wills.due.insert((pending.due, wire));
            }
        }
    }

    /// Wills that are due by now become owed to who is subscribed.
    pub(super) fn wills_fall_due(&mut self, at: Instant) {
        while let Some(wire) = self.wills.next_due(at) {
            let Wills { pending, all, .. } = &mut self.wills;
            let Some(of_wire) = pending.get_mut(&wire) else {
                continue;
            };
            let (message, is_open) = (of_wire.message, of_wire.is_open);
            let (due, by) = (of_wire.due, of_wire.by);
            if !mem::replace(&mut of_wire.has_been_due, true) {
                let will = all.entry(message).or_default();
                will.may += 1;
                will.ended = Some(of_wire.ended);
                self.may_wait(at, message);
            }
            if is_open {
                self.wills.pending.remove(&wire);
            } else if let Some(by) = by.filter(|by| *by <= at) {
                self.wills.pending.remove(&wire);
                self.owe_will(at, message, (due, by));
            }
        }
    }

    /// Who is subscribed must get a Will that is published now at a QoS that waits for it.
    fn owe_will(&mut self, at: Instant, id: MessageId, (due, by): (Instant, Instant)) {
        let message = self.messages.get(id);
        // Which of those that come in one moment a queue has room for is not on the wires.
        if message.qos_min == Qos::AtMostOnce || message.expires.is_some() || !self.has_long_queues() {
            return;
        }
        // What is answered in that very moment, or until the broker knows, may come after it.
        let place = self.events.partition_point(|event| event.at < due);
        let to = self.owed_to(at, place, (id, message));
        let will = self.wills.all.entry(id).or_default();
        for session in to {
            will.owed.entry(session).or_default().push(by);
        }
    }
}
