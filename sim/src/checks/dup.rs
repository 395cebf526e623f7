//! I5 and I13: DUP on redelivery and only there; redelivery of what is unacknowledged and only then, and in 5.0 only after a
//! reconnect.

use squall_proto::Version;

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
        let What::Sent { wire, from, packet } = &now.event.what else {
            return;
        };
        let Some(irregularity) = now.model.exchanges.irregularity() else {
            return;
        };
        let is_mine = match irregularity {
            Irregularity::DupOnFirst | Irregularity::NoDupOnResend | Irregularity::ResentAcknowledged => true,
            Irregularity::ResentWithoutReconnect => now.model.version == Version::V5,
            Irregularity::IdInUse
            | Irregularity::UnknownAck
            | Irregularity::UnknownPubrel
            | Irregularity::UnknownPubcomp => false,
        };
        if is_mine && !super::may_break(now.model, *wire, *from) {
            found.push(now.found(&[], irregularity.to_string(), crate::trace::packet_line(packet)));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
