//! I5: DUP on redelivery and only there; and what was acknowledged is not redelivered. [MQTT-3.3.1-1] [MQTT-3.3.1-2]
//! [v3 MQTT-3.3.1-1] [v3 MQTT-3.3.1-2]

use super::{Checker, Found, Now};
use crate::{
    model::{Irregularity, Model},
    trace::What,
};

/// Nothing of its own: the exchanges know.
pub(super) struct Dup;

impl Dup {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for Dup {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let (
            What::Sent { wire, from, packet },
            Some(
                irregularity @ (Irregularity::DupOnFirst
                | Irregularity::NoDupOnResend
                | Irregularity::ResentAcknowledged),
            ),
        ) = (&now.event.what, now.model.exchanges.irregularity())
            && now.judges(*wire, *from)
        {
            found.push(now.found([], irregularity.to_string(), crate::trace::packet_line(packet)));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
