//! I1: what the broker has acknowledged reaches every session that was subscribed to it, while that session lives.

use std::collections::BTreeMap;

use bytes::Bytes;
use squall_proto::{Instant, Packet, PacketId, Qos};

use super::{Checker, Found, Now};
use crate::{
    model::{Model, SessionKey},
    trace::{Side, What, WireId},
};

/// What each session is owed.
pub(super) struct NoLoss {
    /// Messages that the broker has not acknowledged yet, by their publisher's exchange.
    taken: BTreeMap<(SessionKey, PacketId), Taken>,
    /// Acknowledged, and not arrived yet.
    owed: BTreeMap<(SessionKey, Bytes), Owed>,
    /// Arrived, perhaps before the acknowledgement.
    delivered: BTreeMap<(SessionKey, Bytes), ()>,
}

struct Taken {
    payload: Bytes,
    published: usize,
    to: Vec<SessionKey>,
}

struct Owed {
    published: usize,
    acknowledged: usize,
    at: Instant,
}

impl NoLoss {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            taken: BTreeMap::new(),
            owed: BTreeMap::new(),
            delivered: BTreeMap::new(),
        }
    }

    /// A PUBLISH reaches the broker: from now on those subscribed are owed it, once it is acknowledged.
    fn taken(&mut self, now: &Now<'_>, wire: WireId, publish: &squall_proto::Publish) {
        let Some(packet_id) = publish.delivery.packet_id() else {
            return;
        };
        let Some((publisher, _)) = now.model.sessions.of_wire(&now.model.wires, wire) else {
            return;
        };
        let Some(topic) = now
            .model
            .wires
            .get(wire)
            .and_then(|wire| wire.topic_of(Side::Client, publish))
        else {
            return;
        };
        let key = (publisher, packet_id);
        if self
            .taken
            .get(&key)
            .is_some_and(|taken| taken.payload == publish.payload)
        {
            return;
        }
        let owes = |session: &crate::model::Session| {
            session.is_alive(now.at) && session.owed_qos(&topic).is_some_and(|qos| qos > Qos::AtMostOnce)
        };
        let to = now.model.sessions.iter().filter(|(_, session)| owes(session));
        let taken = Taken {
            payload: publish.payload.clone(),
            published: now.index,
            to: to
                .map(|(client_id, session)| SessionKey {
                    client_id: client_id.clone(),
                    generation: session.generation,
                })
                .collect(),
        };
        self.taken.insert(key, taken);
    }

    fn acknowledged(&mut self, now: &Now<'_>, wire: WireId, packet_id: PacketId) {
        let Some((publisher, _)) = now.model.sessions.of_wire(&now.model.wires, wire) else {
            return;
        };
        let Some(taken) = self.taken.remove(&(publisher, packet_id)) else {
            return;
        };
        for session in taken.to {
            let key = (session, taken.payload.clone());
            if !self.delivered.contains_key(&key) {
                let owed = Owed {
                    published: taken.published,
                    acknowledged: now.index,
                    at: now.at,
                };
                self.owed.entry(key).or_insert(owed);
            }
        }
    }

    fn arrived(&mut self, now: &Now<'_>, wire: WireId, payload: &Bytes) {
        let Some((session, _)) = now.model.sessions.of_wire(&now.model.wires, wire) else {
            return;
        };
        let key = (session, payload.clone());
        self.owed.remove(&key);
        self.delivered.insert(key, ());
    }
}

impl Checker for NoLoss {
    fn observe(&mut self, now: &Now<'_>, _: &mut Vec<Found>) {
        match &now.event.what {
            What::Arrived {
                wire,
                from: Side::Client,
                packet: Packet::Publish(publish),
            } => {
                self.taken(now, *wire, publish);
            }
            What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Puback(ack) | Packet::Pubcomp(ack),
            } if !ack.reason_code.is_error() => {
                self.acknowledged(now, *wire, ack.packet_id);
            }
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } => {
                self.arrived(now, *wire, &publish.payload);
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let mut missing: BTreeMap<&SessionKey, Vec<(&Bytes, &Owed)>> = BTreeMap::new();
        for ((key, payload), owed) in &self.owed {
            if is_still_owed(now.model, key, payload) {
                missing.entry(key).or_default().push((payload, owed));
            }
        }
        for (key, mut messages) in missing {
            messages.sort_by_key(|(_, owed)| owed.published);
            let Some((payload, owed)) = messages.first() else {
                continue;
            };
            let expected = format!(
                "`{}` to get {}, which was acknowledged at {}",
                key.client_id,
                super::shown(payload),
                owed.at
            );
            let got = match messages.len() {
                1 => "it never arrived".to_owned(),
                n => format!("it never arrived, and {} more did not", n - 1),
            };
            found.push(now.found(&[owed.published, owed.acknowledged], expected, got));
        }
    }
}

/// Only a session that is connected can show what it has got; what it has unsubscribed from is not owed.
fn is_still_owed(model: &Model<'_>, key: &SessionKey, payload: &Bytes) -> bool {
    let Some(session) = model.sessions.get(&key.client_id) else {
        return false;
    };
    let Some(message) = model.messages.get(payload) else {
        return false;
    };
    session.generation == key.generation
        && model
            .wires
            .get(session.wire)
            .is_some_and(crate::model::Wire::is_up)
        && session.owed_qos(&message.topic).is_some()
}
