//! I8: nothing is sent that is larger than the other side takes. [MQTT-3.1.2-24] [MQTT-3.2.2-15]

use squall_proto::{Packet, encoded_len};

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What, WireId},
};

/// Nothing of its own: the model knows what each side takes.
pub(super) struct MaximumPacketSize;

impl MaximumPacketSize {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for MaximumPacketSize {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let What::Sent { wire, from, packet } = &now.event.what {
            found.extend(too_large(now, *wire, *from, packet));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn too_large(now: &Now<'_>, id: WireId, from: Side, packet: &Packet) -> Option<Found> {
    let wire = now.model.wires.get(id)?;
    let max = wire.takes.of(from.other()).packet_size_max?;
    // What a client sends before it knows is not its fault.
    if (from == Side::Client && !wire.connack_arrived) || !now.judges(id, from) {
        return None;
    }
    let bytes = encoded_len(wire.version()?, packet.into());
    let expected = || format!("packets of at most {max} bytes");
    (bytes > max).then(|| now.found([], expected(), format!("one of {bytes}")))
}
