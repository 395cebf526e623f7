//! I1: what the broker has acknowledged reaches every session that was subscribed to it, while that session lives; and what is retained,
//! with QoS 1 or 2, every session that has subscribed since. [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-3.3.1-9] [v3 MQTT-3.1.2-5]
//! [v3 MQTT-3.3.1-6]
//!
//! With overlapping subscriptions the highest QoS counts. [MQTT-3.3.4-2] [v3 MQTT-3.3.5-1]
//!
//! Judged at the end of the run, for sessions that are connected then: others cannot show what they have got. Nothing is said about what
//! may have expired, what may be too large for its receiver, and what came when half of the queue was used.

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::Qos;

use super::{Checker, Found, Now};
use crate::{
    model::{Delivery, Model, SessionId, Wire},
    trace::{Side, What},
};

/// Nothing of its own: the model knows what is owed.
pub(super) struct NoLoss;

impl NoLoss {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for NoLoss {
    fn observe(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let mut missing: BTreeMap<SessionId, Vec<&Delivery>> = BTreeMap::new();
        let mut lowered = BTreeSet::new();
        for delivery in now.model.deliveries.iter().filter(|delivery| delivery.owed > 0) {
            if delivery.owed > delivery.arrived_acknowledged {
                if is_still_owed(now.model, delivery) {
                    missing.entry(delivery.session).or_default().push(delivery);
                }
            } else if let Some(qos) = came_too_low(now, delivery)
                && is_still_owed(now.model, delivery)
                && lowered.insert(delivery.session)
            {
                found.push(at_lower_qos(now, delivery, qos));
            }
        }
        for (session, mut deliveries) in missing {
            deliveries.sort_by_key(|delivery| delivery.since);
            found.extend(lost(now, session, &deliveries));
        }
    }
}

fn lost(now: &Now<'_>, session: SessionId, missing: &[&Delivery]) -> Option<Found> {
    let first = missing.first()?;
    let (since, at, acknowledged) = first.since?;
    let message = now.model.messages.get(first.message);
    let is_retained = now
        .model
        .events
        .get(since)
        .is_some_and(|event| matches!(&event.what, What::Arrived { from: Side::Client, packet, .. } if packet.packet_type() == squall_proto::PacketType::Subscribe));
    let why = if is_retained {
        "which it was retained for, subscribing"
    } else {
        "which was acknowledged"
    };
    let expected = format!(
        "`{}` to get {}, {why} at {at}",
        now.model.sessions.get(session).client_id,
        super::shown(&message.payload)
    );
    let never = match (first.arrived, first.arrived_acknowledged) {
        (0, _) => "it never arrived".to_owned(),
        (_, 0) => "it came at QoS 0 alone".to_owned(),
        (_, times) => format!(
            "it came {times} times, and was published and acknowledged {} times",
            first.owed
        ),
    };
    let got = match missing.len() {
        1 => never,
        n => format!("{never}, and {} more did not", n - 1),
    };
    let since = [
        Some(since),
        Some(acknowledged),
        first.sent.map(|(first, _)| first),
    ];
    Some(now.found(since.into_iter().flatten(), expected, got))
}

fn at_lower_qos(now: &Now<'_>, delivery: &Delivery, qos: Qos) -> Found {
    let message = now.model.messages.get(delivery.message);
    let expected = format!(
        "`{}` to get {} at QoS {}, the highest of its subscriptions",
        now.model.sessions.get(delivery.session).client_id,
        super::shown(&message.payload),
        qos.value()
    );
    let since = [Some(message.first.1), delivery.sent.map(|(first, _)| first)];
    let got = format!("it came at QoS {}", delivery.arrived_qos.value());
    now.found(since.into_iter().flatten(), expected, got)
}

/// The QoS at which a message should have come, which came at lower ones alone.
fn came_too_low(now: &Now<'_>, delivery: &Delivery) -> Option<Qos> {
    let model = now.model;
    let message = model.messages.get(delivery.message);
    let session = model.sessions.get(delivery.session);
    let granted = session.granted_qos(&model.topics, message)?;
    let qos = delivery.owed_qos.min(granted).min(message.qos_min);
    (delivery.arrived_qos < qos).then_some(qos)
}

/// Only a session that is connected can show what it has got; what it has unsubscribed from is not owed.
pub(crate) fn is_still_owed(model: &Model<'_>, delivery: &Delivery) -> bool {
    let session = model.sessions.get(delivery.session);
    let message = model.messages.get(delivery.message);
    let gives = |wire: &Wire| wire.is_up() && !wire.is_stuck();
    let is_up = model.wires.get(session.wire).is_some_and(gives);
    // A peer that leaves messages unanswered may have its quota full, and waits for the next by its own doing.
    let wire = model.wires.get(session.wire);
    let is_peer = wire.is_some_and(|wire| model.scenario.is_peer(&wire.name));
    let is_free = |wire| model.exchanges.unfinished(wire, Side::Broker).next().is_none();
    let takes_more = !is_peer || wire.is_some_and(is_free);
    let latest = model.sessions.of_client(session.client);
    let mut bringing = session.bringing(&model.topics, message.topic, Some(message));
    is_up
        && takes_more
        && latest.is_some_and(|(latest, _)| latest == delivery.session)
        && message.expires.is_none()
        && session.surely_takes(&message.payload)
        && bringing.any(|(filter, _)| session.has(filter))
}
