//! I7: in flight never more than the receiver takes. [MQTT-3.3.4-9] [MQTT-3.3.4-7]

use squall_proto::{Delivery, Packet};

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What, WireId},
};

/// Nothing of its own: the exchanges know.
pub(super) struct ReceiveMaximum;

impl ReceiveMaximum {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for ReceiveMaximum {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let What::Sent {
            wire,
            from,
            packet: Packet::Publish(publish),
        } = &now.event.what
            && !matches!(publish.delivery, Delivery::AtMostOnce)
        {
            found.extend(too_many(now, *wire, *from));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

/// A new connection begins with the whole quota; an old PUBREL takes none of it.
fn too_many(now: &Now<'_>, id: WireId, from: Side) -> Option<Found> {
    let wire = now.model.wires.get(id)?;
    let max = wire.takes.of(from.other()).receive_maximum?;
    // What a client sends before it knows is not its fault.
    if (from == Side::Client && !wire.connack_arrived) || !now.judges(id, from) {
        return None;
    }
    let unfinished = now.model.exchanges.in_flight(wire, from);
    let whom = match from {
        Side::Client => "the broker",
        Side::Broker => &wire.name,
    };
    let expected = || format!("at most {max} unfinished messages to `{whom}`");
    (unfinished > max).then(|| now.found([], expected(), unfinished.to_string()))
}
