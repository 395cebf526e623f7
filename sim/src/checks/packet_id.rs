//! I6: a Packet Identifier serves one exchange at a time, over PUBLISH, SUBSCRIBE and UNSUBSCRIBE of each side. [MQTT-2.2.1-3]
//! [MQTT-2.2.1-4] [v3 MQTT-2.3.1-2] [v3 MQTT-2.3.1-3] [v3 MQTT-2.3.1-4]

use super::{Checker, Found, Now};
use crate::{
    model::{Irregularity, Model},
    trace::What,
};

/// Nothing of its own: the exchanges know.
pub(super) struct PacketIds;

impl PacketIds {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for PacketIds {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let (What::Sent { wire, from, packet }, Some(Irregularity::IdInUse)) =
            (&now.event.what, now.model.exchanges.irregularity())
            && now.judges(*wire, *from)
        {
            let expected = Irregularity::IdInUse.to_string();
            found.push(now.found([], expected, crate::trace::packet_line(packet)));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
