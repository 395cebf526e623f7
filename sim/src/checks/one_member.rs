//! I18: a message goes to one member of each shared subscription. Another gets it only after the session of the first has ended, and
//! never when it was under way at QoS 2. [MQTT-4.8.2-4] [MQTT-4.8.2-5]

use std::collections::BTreeMap;

use bytes::Bytes;
use squall_proto::{Packet, Publish, Qos, TopicFilter};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Model, SessionKey},
    trace::{Side, What, WireId},
};

/// To which members the broker has begun to send each message.
pub(super) struct OneMember {
    begun: BTreeMap<(TopicFilter, Bytes), Vec<Begun>>,
}

struct Begun {
    session: SessionKey,
    qos: Qos,
    index: usize,
}

impl OneMember {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            begun: BTreeMap::new(),
        }
    }

    fn sent(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) -> Option<Found> {
        let model = now.model;
        let message = model
            .messages
            .get(&publish.payload)
            .filter(|message| !message.is_will)?;
        let (key, session) = model.sessions.of_wire(&model.wires, wire)?;
        // With another subscription that matches, the packet does not tell for which it was sent.
        if session.wire != wire || session.copies_max(&message.topic) != 1 {
            return None;
        }
        let shared = session.shares(&message.topic).next()?.clone();
        let begun = self
            .begun
            .entry((shared.clone(), publish.payload.clone()))
            .or_default();
        if begun.iter().any(|earlier| earlier.session == key) {
            return None;
        }
        let others: Vec<usize> = begun
            .iter()
            .filter(|earlier| !earlier.is_handed_on(now))
            .map(|earlier| earlier.index)
            .collect();
        begun.push(Begun {
            session: key,
            qos: publish.delivery.qos(),
            index: now.index,
        });
        let is_one_too_many = others.len() >= message.published;
        let expected = format!(
            "{} to go to one member of `{}`",
            shown(&publish.payload),
            shared.text()
        );
        is_one_too_many.then(|| now.found(&others, expected, "it goes to another, whose turn it is not"))
    }
}

impl Begun {
    /// Whether another member may have it now.
    fn is_handed_on(&self, now: &Now<'_>) -> bool {
        let session = now.model.sessions.get(&self.session.client_id);
        let goes_on = session
            .is_some_and(|session| session.generation == self.session.generation && session.is_alive(now.at));
        self.qos == Qos::AtLeastOnce && !goes_on
    }
}

impl Checker for OneMember {
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
