//! I3: at QoS 0 a message is delivered at most once, and at any QoS only what somebody published, to who asked for it, at no
//! higher QoS than both.

use std::collections::BTreeMap;

use bytes::Bytes;
use squall_proto::{Packet, Publish, Qos, TopicName};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Model, Session, SessionKey},
    trace::{Side, What, WireId},
};

/// What each session was sent at QoS 0.
pub(super) struct AtMostOnce {
    sent: BTreeMap<(SessionKey, Bytes), Vec<usize>>,
}

impl AtMostOnce {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            sent: BTreeMap::new(),
        }
    }

    fn sent(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) -> Option<Found> {
        let topic = now.model.wires.get(wire)?.topic_of(Side::Broker, publish)?;
        let (key, session) = now.model.sessions.of_wire(&now.model.wires, wire)?;
        if session.wire != wire {
            // A connection that was taken over still spits out what it was sent before.
            return None;
        }
        unasked(now, session, &topic, publish).or_else(|| self.repeated(now, key, session, &topic, publish))
    }

    fn repeated(
        &mut self,
        now: &Now<'_>,
        key: SessionKey,
        session: &Session,
        topic: &TopicName,
        publish: &Publish,
    ) -> Option<Found> {
        if publish.delivery.qos() != Qos::AtMostOnce || publish.retain || publish.payload.is_empty() {
            return None;
        }
        let message = now.model.messages.get(&publish.payload)?;
        let client_id = key.client_id.clone();
        let sent = self.sent.entry((key, publish.payload.clone())).or_default();
        let before = sent.clone();
        sent.push(now.index);
        let copies_max = message.published * session.copies_max(topic);
        if message.is_will || sent.len() <= copies_max {
            return None;
        }
        let expected = format!("`{client_id}` to get {} once at QoS 0", shown(&publish.payload));
        Some(now.found(&before, expected, format!("it was sent {} times", sent.len())))
    }
}

/// Nobody published it, or this session did not ask for it, or not at this QoS.
fn unasked(now: &Now<'_>, session: &Session, topic: &TopicName, publish: &Publish) -> Option<Found> {
    let qos = publish.delivery.qos();
    let Some(allowed) = session.allowed_qos(topic) else {
        let expected = "only what matches a subscription".to_owned();
        return Some(now.found(&[], expected, format!("a message to `{}`", topic.text())));
    };
    let message = now
        .model
        .messages
        .get(&publish.payload)
        .filter(|message| message.topic == *topic);
    let Some(message) = message else {
        let expected = "only what somebody has published".to_owned();
        let got = format!("{} to `{}`", shown(&publish.payload), topic.text());
        return (!publish.payload.is_empty()).then(|| now.found(&[], expected, got));
    };
    // [MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
    let qos_max = allowed.min(message.qos);
    (qos > qos_max).then(|| {
        let expected = format!("{} at QoS {} at most", shown(&publish.payload), qos_max.value());
        now.found(&[message.first.1], expected, format!("QoS {}", qos.value()))
    })
}

impl Checker for AtMostOnce {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let What::Sent {
            wire,
            from: Side::Broker,
            packet: Packet::Publish(publish),
        } = &now.event.what
        {
            found.extend(self.sent(now, *wire, publish));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
