//! What is refused while records cannot be kept ([`Input::StoreFailed`](super::Input::StoreFailed)): all that would promise what a crash
//! could take back. QoS 0, and what is between sessions that end with their connection, goes on.

use core::time::Duration;

use super::{
    Broker, Refusal, keep::OnRecord, message::Message, publish::Match, session::SessionKey,
    session_expiry::expiry_asked,
};
use crate::{Connect, Qos};

impl Broker {
    /// Whether to let a client in would make a record.
    // [MQTT-3.1.2-23] [v3 MQTT-4.1.0-1] What could not be kept is not begun.
    pub(super) fn check_recordable(&self, connect: &Connect) -> Result<(), Refusal> {
        let known = self.by_client_id.get(&connect.client_id);
        let needs_record = connect.will.is_some()
            || self.granted_expiry(expiry_asked(connect)) != Some(Duration::ZERO)
            || known.is_some_and(|key| self.session(*key).on_record > OnRecord::Nothing);
        refused(self.stalled && needs_record)
    }

    /// Whether a subscription of this session would make a record.
    pub(super) fn check_subscribable(&self, key: SessionKey) -> Result<(), Refusal> {
        refused(self.stalled && self.session(key).is_on_record())
    }

    /// Whether to note the Packet Identifier of a QoS 2 message of this session would make a record.
    pub(super) fn check_receivable(&self, key: SessionKey) -> Result<(), Refusal> {
        self.check_subscribable(key)
    }

    /// Whether a message of this publisher may make no records. A Will may: nobody could be told that it is refused.
    pub(super) fn is_frozen_for(&self, publisher: Option<SessionKey>) -> bool {
        let online = publisher.and_then(|publisher| self.session(publisher).online());
        self.stalled && online.is_some()
    }

    /// Whether a message for those it matches, which nobody retains, would make a record. At QoS 0 it never does.
    pub(super) fn check_deliverable(&self, message: &Message, matches: &[Match]) -> Result<(), Refusal> {
        let is_kept = |found: &Match| {
            found.qos.min(message.qos) > Qos::AtMostOnce && self.session(found.session).is_on_record()
        };
        refused(matches.iter().any(is_kept))
    }
}

fn refused(needs_record: bool) -> Result<(), Refusal> {
    if needs_record {
        Err(Refusal::CannotKeep)
    } else {
        Ok(())
    }
}
