//! I2: at QoS 2 a message is delivered at most once a publication and subscription, whatever breaks in between.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use squall_proto::{Delivery, Packet, PacketId};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Model, SessionKey},
    trace::{Side, What, WireId},
};

/// What each receiver has taken.
pub(super) struct ExactlyOnce {
    /// Received, and PUBREL has not come: the same Packet Identifier is the same message.
    unreleased: BTreeSet<(SessionKey, PacketId)>,
    taken: BTreeMap<(SessionKey, Bytes), Vec<usize>>,
}

impl ExactlyOnce {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            unreleased: BTreeSet::new(),
            taken: BTreeMap::new(),
        }
    }

    fn arrived(&mut self, now: &Now<'_>, wire: WireId, publish: &squall_proto::Publish) -> Option<Found> {
        let Delivery::ExactlyOnce(packet_id) = publish.delivery else {
            return None;
        };
        let (session_key, session) = now.model.sessions.of_wire(&now.model.wires, wire)?;
        // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] Until PUBREL the same Packet Identifier is the same message.
        if !self.unreleased.insert((session_key.clone(), packet_id)) || publish.retain {
            return None;
        }
        let message = now.model.messages.get(&publish.payload)?;
        let copies_max = message.published * session.copies_max(&message.topic);
        let client_id = session_key.client_id.clone();
        let taken = self
            .taken
            .entry((session_key, publish.payload.clone()))
            .or_default();
        let before = taken.clone();
        taken.push(now.index);
        if message.is_will || taken.len() <= copies_max.max(1) {
            return None;
        }
        let expected = format!("`{client_id}` to get {} once at QoS 2", shown(&publish.payload));
        Some(now.found(&before, expected, format!("it came {} times", taken.len())))
    }
}

impl Checker for ExactlyOnce {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        match &now.event.what {
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } => {
                found.extend(self.arrived(now, *wire, publish));
            }
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Pubrel(ack),
            } => {
                if let Some((session, _)) = now.model.sessions.of_wire(&now.model.wires, *wire) {
                    self.unreleased.remove(&(session, ack.packet_id));
                }
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
