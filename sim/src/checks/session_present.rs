//! I10: Session Present says what is true. [MQTT-3.2.2-2] [MQTT-3.2.2-3] [v3 MQTT-3.2.2-1] [v3 MQTT-3.2.2-2] [v3 MQTT-3.2.2-3]
//!
//! A session whose expiry is due at this very second, or was changed at this very moment, may be there or not.

use squall_proto::Packet;

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What},
};

/// Nothing of its own: the model knows the sessions.
pub(super) struct SessionPresent;

impl SessionPresent {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for SessionPresent {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let What::Sent {
            from: Side::Broker,
            packet: Packet::Connack(connack),
            ..
        } = &now.event.what
        else {
            return;
        };
        // [MQTT-3.2.2-6] [v3 MQTT-3.2.2-4]
        if connack.reason_code.is_error() && connack.session_present {
            found.push(now.found([], "Session Present 0 beside a refusal", "1"));
        }
        let Some(connected) = now.model.seen.connected else {
            return;
        };
        if connack.session_present != connected.goes_on {
            let client_id = &now.model.sessions.get(connected.session).client_id;
            let state = if connected.goes_on { "has" } else { "has not" };
            let goes_on = u8::from(connected.goes_on);
            let expected =
                format!("Session Present {goes_on}: the broker {state} a session of `{client_id}`");
            found.push(now.found([], expected, u8::from(connack.session_present).to_string()));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
