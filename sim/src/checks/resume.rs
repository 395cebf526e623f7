//! I19: every connection with the session begins with what the last one left, whatever ended that, and however often: what is not
//! finished is sent again on it, in its order. [MQTT-4.4.0-1] [MQTT-4.6.0-1] [v3 MQTT-4.4.0-1] [v3 MQTT-4.6.0-1]
//!
//! A restart of the broker is one of the things that end a connection: if it keeps what it knew, twice is as once. Judged when the
//! connection ends, or the run: it must have been there for five seconds, its client must have got something after that, and the
//! quota must have room; what a fault kept from being sent is not held against anybody.

use std::time::Duration;

use super::{Checker, Found, Now, shown};
use crate::{
    model::{BROKER, Irregularity, Model},
    trace::{Side, What, WireId},
};

/// Nothing of its own: the exchanges know what is unfinished, and where it was last sent.
pub(super) struct Resume;

impl Resume {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

/// So long after CONNACK all must have been sent again.
const SOON: Duration = Duration::from_secs(5);

impl Checker for Resume {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        match &now.event.what {
            What::Sent { wire, from, packet } => {
                if let Some(Irregularity::ResentOutOfOrder) = now.model.exchanges.irregularity()
                    && now.judges(*wire, *from)
                {
                    let expected = Irregularity::ResentOutOfOrder.to_string();
                    found.push(now.found([], expected, crate::trace::packet_line(packet)));
                }
            }
            What::Closed { wire, by: side, .. }
            | What::LetGo { wire, by: side }
            | What::Ended { wire, at: side, .. } => found.extend(left(now, *wire, *side)),
            _other_events => {}
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

/// What one end should have sent again on a connection that has just ended for it.
fn left(now: &Now<'_>, id: WireId, side: Side) -> Option<Found> {
    let wire = now.model.wires.get(id)?;
    let (connected_at, _) = wire
        .connack
        .filter(|_| wire.is_accepted() && wire.session_present)?;
    let was_there = *wire.got_at.of(side.other()) > connected_at + SOON;
    let is_judged = now.judges(id, side) && !now.model.wires.is_taken_over(id, side);
    if !was_there || !is_judged || wire.over_for(side) != Some(now.event.at) {
        return None;
    }
    let exchanges = &now.model.exchanges;
    let session = wire.session.map(|session| now.model.sessions.get(session));
    // What the client does not take the broker drops, as if it had sent it. [MQTT-3.1.2-25]
    let is_taken =
        |payload: &[u8]| side == Side::Client || session.is_none_or(|session| session.surely_takes(payload));
    let has_room = exchanges.in_flight(wire, side) == 0;
    let (packet_id, sent) = exchanges.unfinished(wire, side).find(|(_, sent)| {
        sent.wire != id && (has_room || sent.is_past_publish()) && is_taken(&sent.payload)
    })?;
    let sender = match side {
        Side::Client => &wire.name,
        Side::Broker => BROKER,
    };
    let expected = format!(
        "`{sender}` to go on with {}, Packet Identifier {packet_id}, on this connection",
        shown(&sent.payload)
    );
    Some(now.found([], expected, "nothing of it was sent"))
}
