//! I13: in 5.0 nothing is sent again on the connection that it was sent on. [MQTT-4.4.0-1] 3.1.1 does not forbid it.

use squall_proto::Version;

use super::{Checker, Found, Now};
use crate::{
    model::{Irregularity, Model},
    trace::What,
};

/// Nothing of its own: the exchanges know.
pub(super) struct NoRedelivery;

impl NoRedelivery {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for NoRedelivery {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let irregularity = now.model.exchanges.irregularity();
        let (What::Sent { wire, from, packet }, Some(Irregularity::ResentWithoutReconnect)) =
            (&now.event.what, irregularity)
        else {
            return;
        };
        let version = now.model.wires.get(*wire).and_then(crate::model::Wire::version);
        if version == Some(Version::V5) && now.judges(*wire, *from) {
            let expected = Irregularity::ResentWithoutReconnect.to_string();
            found.push(now.found([], expected, crate::trace::packet_line(packet)));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
