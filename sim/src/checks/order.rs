//! I4: a session gets each publisher's messages of a topic and QoS in the order in which they reached the broker.
//! [MQTT-4.6.0-5] [MQTT-4.6.0-6] [v3 MQTT-4.6.0-6]

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use squall_proto::{Packet, Publish, Qos, Text, TopicName};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Model, SessionKey},
    trace::{Side, What, WireId},
};

/// The last first delivery of each stream of messages.
pub(super) struct Order {
    last: BTreeMap<Stream, (u64, usize)>,
    seen: BTreeSet<(SessionKey, Bytes)>,
}

/// Receiver, publisher, topic, published QoS, delivered QoS.
type Stream = (SessionKey, Text, TopicName, Qos, Qos);

impl Order {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            last: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn arrived(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) -> Option<Found> {
        let (session, _) = now.model.sessions.of_wire(&now.model.wires, wire)?;
        let message = now.model.messages.get(&publish.payload)?;
        // A redelivery may come late, a retained message is an old one, and a Will or what was published twice has no one place.
        if publish.retain || message.is_will || !self.seen.insert((session.clone(), publish.payload.clone()))
        {
            return None;
        }
        // [MQTT-4.6.0-6] Of a shared subscription a member may get what was another's before.
        if is_shared(now, &session, &message.topic) {
            return None;
        }
        let client_id = session.client_id.clone();
        let stream = (
            session,
            message.publisher.clone(),
            message.topic.clone(),
            message.qos,
            publish.delivery.qos(),
        );
        let last = self.last.entry(stream).or_insert((0, now.index));
        let (before, before_at) = *last;
        if message.number > before {
            *last = (message.number, now.index);
            return None;
        }
        let expected = format!(
            "`{client_id}` to get {} before what `{}` published later to `{}`",
            shown(&publish.payload),
            message.publisher,
            message.topic.text()
        );
        Some(now.found(&[message.first.1, before_at], expected, "it came after"))
    }
}

fn is_shared(now: &Now<'_>, session: &SessionKey, topic: &TopicName) -> bool {
    let session = now.model.sessions.get(&session.client_id);
    session.is_some_and(|session| session.shares(topic).next().is_some())
}

impl Checker for Order {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let What::Arrived {
            wire,
            from: Side::Broker,
            packet: Packet::Publish(publish),
        } = &now.event.what
        {
            found.extend(self.arrived(now, *wire, publish));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
