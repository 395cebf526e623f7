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

/// What the client takes, if it says.
fn receive_maximum(model: &Model<'_>, wire: WireId) -> Option<usize> {
    let connect = model.wires.get(wire)?.connect.as_ref()?;
    Some(usize::from(connect.properties.receive_maximum()?.get()))
}

impl Checker for ReceiveMaximum {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let What::Sent {
            wire,
            from: Side::Broker,
            packet: Packet::Publish(publish),
        } = &now.event.what
        else {
            return;
        };
        let (Delivery::AtLeastOnce(_) | Delivery::ExactlyOnce(_), Some(max)) =
            (publish.delivery, receive_maximum(now.model, *wire))
        else {
            return;
        };
        let Some((session, _)) = now.model.sessions.of_wire(&now.model.wires, *wire) else {
            return;
        };
        // A new connection begins with the whole quota; an old PUBREL takes none of it.
        let in_flight = now.model.exchanges.unfinished(&session.client_id, Side::Broker);
        let unfinished = in_flight.filter(|(_, sent)| sent.wire == *wire).count();
        if unfinished > max {
            let expected = format!("at most {max} unfinished messages to `{}`", session.client_id);
            found.push(now.found(&[], expected, unfinished.to_string()));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
