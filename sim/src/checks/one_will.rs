//! I12: a Will is published once when its connection ends otherwise than by DISCONNECT, and never else.
//! [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.3-9] [MQTT-3.14.4-3] [v3 MQTT-3.1.2-8] [v3 MQTT-3.1.2-10] [v3 MQTT-3.14.4-3]

use std::{collections::BTreeMap, mem, time::Duration};

use bytes::Bytes;
use squall_proto::{Instant, Packet, Publish, Qos, ReasonCode, Text};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{BROKER, Model, SessionKey, Wire},
    trace::{Side, What, WireId},
};

/// What has become of each Will, and who has got it.
pub(super) struct OneWill {
    /// Of connections that have ended, with when it is to be published.
    pending: BTreeMap<WireId, Pending>,
    /// By payload.
    wills: BTreeMap<Bytes, Counts>,
    /// Wills that came this moment before the end of their connection did: the order within a moment is not on the wire.
    early: Vec<Early>,
}

struct Early {
    payload: Bytes,
    key: SessionKey,
    found: Found,
}

struct Pending {
    due: Instant,
    ended: usize,
    client_id: Text,
    payload: Bytes,
    /// The wires do not show whether it must be published.
    is_open: bool,
}

/// How often a Will must and may have been published so far, and how often each session got it.
#[derive(Default)]
struct Counts {
    may: usize,
    last_end: Option<usize>,
    owed: BTreeMap<SessionKey, usize>,
    got: BTreeMap<SessionKey, usize>,
}

/// How late a Will may be published: nothing says, this is what we hold the broker to.
const GRACE: Duration = Duration::from_secs(1);

impl OneWill {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            pending: BTreeMap::new(),
            wills: BTreeMap::new(),
            early: Vec::new(),
        }
    }

    /// The broker takes a connection to be over: its Will, if it has one and DISCONNECT did not remove it, is pending.
    fn ended(&mut self, now: &Now<'_>, id: WireId) {
        let Some(wire) = now.model.wires.get(id).filter(|wire| wire.is_accepted()) else {
            return;
        };
        let Some(connect) = wire.connect.as_deref() else {
            return;
        };
        let Some(will) = &connect.will else { return };
        if self.pending.contains_key(&id) || wire.over_for(Side::Broker) != Some(now.at) {
            return;
        }
        let is_open = match wire.disconnect {
            // What reached the host, and a reset threw away.
            Some((at, _)) if wire.was_reset_at(Side::Broker, at) => true,
            // [MQTT-3.14.4-3] [v3 MQTT-3.14.4-3]
            Some((_, ReasonCode::Success)) => return,
            Some(_) | None => false,
        };
        let delay = Duration::from_secs(u64::from(will.properties.will_delay_interval().unwrap_or(0)));
        let session = now.model.sessions.get(&connect.client_id);
        let expiry = session.and_then(crate::model::Session::expiry);
        let pending = Pending {
            due: now.at + expiry.map_or(delay, |expiry| delay.min(expiry)),
            ended: now.index,
            client_id: connect.client_id.clone(),
            payload: will.payload.clone().into(),
            is_open,
        };
        self.pending.insert(id, pending);
    }

    /// [MQTT-3.1.3-9] A client that is back in time gets no Will published; with Clean Start its session ended, and either may be.
    fn connected(&mut self, now: &Now<'_>, id: WireId, session_present: bool) {
        let Some(client_id) = now.model.wires.get(id).and_then(Wire::client_id) else {
            return;
        };
        self.pending.retain(|_, pending| {
            let is_waiting = pending.client_id == *client_id && now.at < pending.due;
            pending.is_open |= is_waiting && !session_present;
            !(is_waiting && session_present)
        });
    }

    /// Wills that are due by `moment` become owed to who is subscribed.
    fn fall_due(&mut self, now: &Now<'_>, moment: Instant) {
        let due: Vec<WireId> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.due <= moment)
            .map(|(id, _)| *id)
            .collect();
        for pending in due.iter().filter_map(|id| self.pending.remove(id)) {
            let counts = self.wills.entry(pending.payload.clone()).or_default();
            counts.may += 1;
            counts.last_end = Some(pending.ended);
            if !pending.is_open {
                owe(now, &pending, counts);
            }
        }
    }

    fn sent(&mut self, now: &Now<'_>, id: WireId, publish: &Publish) {
        let Some(message) = now.model.messages.get(&publish.payload) else {
            return;
        };
        if !message.is_will || publish.dup || publish.retain {
            return;
        }
        let Some((key, _)) = now.model.sessions.of_wire(&now.model.wires, id) else {
            return;
        };
        let counts = self.wills.entry(publish.payload.clone()).or_default();
        let got = counts.got.entry(key.clone()).or_default();
        *got += 1;
        let since: Vec<usize> = counts.last_end.into_iter().chain([message.first.1]).collect();
        let expected = match counts.may {
            0 => format!(
                "no Will of `{}`: its connection has not ended without DISCONNECT",
                message.publisher
            ),
            may => format!("the Will of `{}` {may} times", message.publisher),
        };
        let got = format!("{} for the {got}. time", shown(&publish.payload));
        self.early.push(Early {
            payload: publish.payload.clone(),
            key,
            found: now.found(&since, expected, got),
        });
    }

    /// What came too early or too often is so for good when its moment is over.
    fn judge(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let Some(moment) = self
            .early
            .first()
            .map(|early| early.found.at)
            .filter(|at| *at < now.at)
        else {
            return;
        };
        self.fall_due(now, moment);
        for early in mem::take(&mut self.early) {
            let (model, key) = (now.model, &early.key);
            let message = model.messages.get(&early.payload);
            let session = model.sessions.get(&key.client_id);
            let copies = message
                .zip(session)
                .map_or(1, |(message, session)| session.copies_max(&message.topic));
            let published = message.map_or(0, |message| message.published);
            let counts = self.wills.get(&early.payload);
            let unread = message.map_or(0, |message| unread(model, &message.publisher, moment));
            let may = counts.map_or(0, |counts| counts.may) + published + unread;
            let got = counts
                .and_then(|counts| counts.got.get(key))
                .copied()
                .unwrap_or(0);
            if got > may * copies.max(1) {
                found.push(early.found);
            }
        }
    }
}

/// How many DISCONNECTs of this client came at a moment at which another connection of it took over, perhaps before they were read.
fn unread(model: &Model<'_>, client_id: &Text, moment: Instant) -> usize {
    let is_unread = |(id, wire): &(WireId, &Wire)| {
        wire.client_id() == Some(client_id)
            && wire.disconnect.is_some_and(|(at, _)| at == moment)
            && model.wires.is_taken_over_at(*id, moment)
    };
    model.wires.iter().filter(is_unread).count()
}

/// Who is subscribed and connected, or subscribed at a QoS that waits for it, is owed a Will that is published now.
fn owe(now: &Now<'_>, pending: &Pending, counts: &mut Counts) {
    let Some(message) = now.model.messages.get(&pending.payload) else {
        return;
    };
    for (client_id, session) in now.model.sessions.iter() {
        let Some(granted) = session.owed_qos(&message.topic) else {
            continue;
        };
        let waits = granted.min(message.qos) > Qos::AtMostOnce;
        if waits && session.is_alive(now.at) {
            let key = SessionKey {
                client_id: client_id.clone(),
                generation: session.generation,
            };
            *counts.owed.entry(key).or_default() += 1;
        }
    }
}

impl Checker for OneWill {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.judge(now, found);
        match &now.event.what {
            What::HostDown { host } if host == BROKER => {
                // What the broker had in memory is not owed, and what was owed is gone with its sessions.
                self.pending.clear();
            }
            What::Closed {
                wire,
                by: Side::Broker,
                ..
            }
            | What::LetGo {
                wire,
                by: Side::Broker,
            }
            | What::Ended {
                wire,
                at: Side::Broker,
                ..
            } => {
                self.fall_due(now, now.at);
                self.ended(now, *wire);
            }
            What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Connack(connack),
            } => {
                self.fall_due(now, now.at);
                if !connack.reason_code.is_error() {
                    self.connected(now, *wire, connack.session_present);
                }
            }
            What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } => {
                self.fall_due(now, now.at);
                self.sent(now, *wire, publish);
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        self.pending.retain(|_, pending| pending.due + GRACE < now.at);
        self.fall_due(now, now.at);
        self.judge(now, found);
        for (payload, counts) in &self.wills {
            for (key, owed) in &counts.owed {
                let got = counts.got.get(key).copied().unwrap_or(0);
                let is_connected = now.model.sessions.get(&key.client_id).is_some_and(|session| {
                    session.generation == key.generation
                        && now.model.wires.get(session.wire).is_some_and(Wire::is_up)
                });
                if got < *owed && is_connected {
                    let since: Vec<usize> = counts.last_end.into_iter().collect();
                    let expected = format!(
                        "`{}` to get the Will {} {owed} times",
                        key.client_id,
                        shown(payload)
                    );
                    found.push(now.found(&since, expected, format!("it came {got} times")));
                }
            }
        }
    }
}
