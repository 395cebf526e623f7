//! I10: Session Present says what is true. [MQTT-3.2.2-2] [MQTT-3.2.2-3] [v3 MQTT-3.2.2-1] [v3 MQTT-3.2.2-2] [v3 MQTT-3.2.2-3]

use std::collections::BTreeMap;

use squall_proto::{Packet, Text};

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What},
};

/// The session of each Client Identifier as it was at the last CONNACK.
pub(super) struct SessionPresent {
    generations: BTreeMap<Text, u32>,
}

impl SessionPresent {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            generations: BTreeMap::new(),
        }
    }
}

impl Checker for SessionPresent {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let What::Sent {
            wire,
            from: Side::Broker,
            packet: Packet::Connack(connack),
        } = &now.event.what
        else {
            return;
        };
        let Some(client_id) = now.model.wires.get(*wire).and_then(|wire| wire.client_id()) else {
            return;
        };
        // [MQTT-3.2.2-6] [v3 MQTT-3.2.2-4]
        if connack.reason_code.is_error() {
            if connack.session_present {
                found.push(now.found(&[], "Session Present 0 beside a refusal", "1"));
            }
            return;
        }
        let Some(session) = now.model.sessions.get(client_id) else {
            return;
        };
        let before = self.generations.insert(client_id.clone(), session.generation);
        let goes_on = before == Some(session.generation);
        if connack.session_present != goes_on {
            let state = if goes_on { "has" } else { "has not" };
            let expected = format!(
                "Session Present {}: the broker {state} a session of `{client_id}`",
                u8::from(goes_on)
            );
            found.push(now.found(&[], expected, u8::from(connack.session_present).to_string()));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
