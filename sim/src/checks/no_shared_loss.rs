//! I19: what the broker has acknowledged reaches a member of every shared subscription that was there, as long as one of its members
//! stays: what the session of another leaves unfinished is handed on. [MQTT-4.8.2-5] Except what was under way at QoS 2.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use squall_proto::{Delivery, Instant, Packet, PacketId, Publish, Qos, Text, TopicFilter, TopicName};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Model, Session, SessionKey, Wire},
    trace::{Side, What, WireId},
};

/// What each group is owed.
pub(super) struct NoSharedLoss {
    /// Messages that the broker has not acknowledged yet, by their publisher's exchange.
    taken: BTreeMap<(SessionKey, PacketId), Taken>,
    /// Acknowledged, and at no member yet.
    owed: BTreeMap<Share, Owed>,
    /// At a member, perhaps before the acknowledgement.
    delivered: BTreeSet<Share>,
    /// Whom a QoS 2 delivery was begun with.
    begun: BTreeMap<Share, SessionKey>,
}

/// A message for a group.
type Share = (TopicFilter, Bytes);

struct Taken {
    payload: Bytes,
    published: usize,
    groups: BTreeMap<TopicFilter, Vec<SessionKey>>,
}

struct Owed {
    members: Vec<SessionKey>,
    published: usize,
    acknowledged: usize,
    at: Instant,
}

impl NoSharedLoss {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            taken: BTreeMap::new(),
            owed: BTreeMap::new(),
            delivered: BTreeSet::new(),
            begun: BTreeMap::new(),
        }
    }

    /// A PUBLISH reaches the broker: from now on the groups there are are owed it, once it is acknowledged.
    fn taken(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        let wires = &now.model.wires;
        let topic = wires
            .get(wire)
            .and_then(|wire| wire.topic_of(Side::Client, publish));
        let publisher = now.model.sessions.of_wire(wires, wire);
        let (Some(packet_id), Some(topic), Some((publisher, _))) =
            (publish.delivery.packet_id(), topic, publisher)
        else {
            return;
        };
        let key = (publisher, packet_id);
        let before = self.taken.get(&key);
        if before.is_none_or(|taken| taken.payload != publish.payload) {
            let taken = Taken {
                payload: publish.payload.clone(),
                published: now.index,
                groups: groups(now, &topic),
            };
            self.taken.insert(key, taken);
        }
    }

    fn acknowledged(&mut self, now: &Now<'_>, wire: WireId, packet_id: PacketId) {
        let publisher = now.model.sessions.of_wire(&now.model.wires, wire);
        let Some(taken) = publisher.and_then(|(publisher, _)| self.taken.remove(&(publisher, packet_id)))
        else {
            return;
        };
        for (shared, members) in taken.groups {
            let copy = (shared, taken.payload.clone());
            if !self.delivered.contains(&copy) {
                self.owed.entry(copy).or_insert(Owed {
                    members,
                    published: taken.published,
                    acknowledged: now.index,
                    at: now.at,
                });
            }
        }
    }

    /// The broker sends it to a member.
    fn begun(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        for (copy, session) in copies(now, wire, publish) {
            self.begun.insert(copy, session);
        }
    }

    /// It reaches a member.
    fn arrived(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        for (copy, _) in copies(now, wire, publish) {
            self.owed.remove(&copy);
            self.delivered.insert(copy);
        }
    }
}

impl Checker for NoSharedLoss {
    fn observe(&mut self, now: &Now<'_>, _: &mut Vec<Found>) {
        match &now.event.what {
            What::Arrived {
                wire,
                from: Side::Client,
                packet: Packet::Publish(publish),
            } => self.taken(now, *wire, publish),
            What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Puback(ack) | Packet::Pubcomp(ack),
            } if !ack.reason_code.is_error() => self.acknowledged(now, *wire, ack.packet_id),
            What::Sent {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } if matches!(publish.delivery, Delivery::ExactlyOnce(_)) => self.begun(now, *wire, publish),
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } => self.arrived(now, *wire, publish),
            _other_events => {}
        }
    }

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let is_owed = |(copy, owed): &(&Share, &Owed)| {
            let may_end_here = self
                .begun
                .get(*copy)
                .is_some_and(|session| alive(now, session).is_none());
            !may_end_here && owed.is_still_owed(now, &copy.0)
        };
        let mut missing: Vec<(&Share, &Owed)> = self.owed.iter().filter(is_owed).collect();
        missing.sort_by_key(|(_, owed)| owed.published);
        if let Some(((shared, payload), owed)) = missing.first() {
            let expected = format!(
                "a member of `{}` to get {}, which was acknowledged at {}",
                shared.text(),
                shown(payload),
                owed.at
            );
            let got = format!("it never arrived, nor did {} more", missing.len() - 1);
            found.push(now.found(&[owed.published, owed.acknowledged], expected, got));
        }
    }
}

impl Owed {
    /// A member was there all the time, and nobody is away in whose session it may wait.
    fn is_still_owed(&self, now: &Now<'_>, shared: &TopicFilter) -> bool {
        let stayed =
            |key: &SessionKey| alive(now, key).is_some_and(|session| session.member_qos(shared).is_some());
        let is_away = |session: &Session| session.is_alive(now.at) && !is_up(now, session);
        let may_keep_it = |(client_id, session): (&Text, &Session)| {
            let was_there = self.members.iter().any(|key| key.client_id == *client_id);
            (was_there || session.member_qos(shared).is_some()) && is_away(session)
        };
        self.members.iter().any(stayed) && !now.model.sessions.iter().any(may_keep_it)
    }
}

/// The groups whose members get a message of this topic at QoS 1 or 2, with those members.
fn groups(now: &Now<'_>, topic: &TopicName) -> BTreeMap<TopicFilter, Vec<SessionKey>> {
    let mut groups: BTreeMap<TopicFilter, Vec<SessionKey>> = BTreeMap::new();
    let mut at_most_once = BTreeSet::new();
    let sessions = now.model.sessions.iter();
    for (client_id, session) in sessions.filter(|(_, session)| session.is_alive(now.at)) {
        let key = SessionKey {
            client_id: client_id.clone(),
            generation: session.generation,
        };
        for shared in session.shares(topic) {
            match session.member_qos(shared) {
                Some(Qos::AtMostOnce) => _ = at_most_once.insert(shared.clone()),
                Some(Qos::AtLeastOnce | Qos::ExactlyOnce) => {
                    groups.entry(shared.clone()).or_default().push(key.clone());
                }
                None => {}
            }
        }
    }
    // A member at QoS 0 may be the one, and what it is sent may be lost.
    groups.retain(|shared, _| !at_most_once.contains(shared));
    groups
}

/// What a PUBLISH of the broker may be, and whose.
fn copies(now: &Now<'_>, wire: WireId, publish: &Publish) -> Vec<(Share, SessionKey)> {
    let session = now.model.sessions.of_wire(&now.model.wires, wire);
    let message = now.model.messages.get(&publish.payload);
    let (Some((key, session)), Some(message)) = (session, message) else {
        return Vec::new();
    };
    let shares = session.shares(&message.topic);
    shares
        .map(|shared| ((shared.clone(), publish.payload.clone()), key.clone()))
        .collect()
}

fn alive<'a>(now: &'a Now<'_>, key: &SessionKey) -> Option<&'a Session> {
    let session = now.model.sessions.get(&key.client_id)?;
    (session.generation == key.generation && session.is_alive(now.at)).then_some(session)
}

fn is_up(now: &Now<'_>, session: &Session) -> bool {
    now.model.wires.get(session.wire).is_some_and(Wire::is_up)
}
