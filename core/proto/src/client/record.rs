use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use super::Message;
use crate::{PacketId, ReasonCode, Text};

/// A change of what a restarted client needs to take up its session again. Whoever keeps records must have each on stable storage
/// before any packet that was sent after it leaves.
// [MQTT-4.1.0-1] [v3 MQTT-4.1.0-1]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// The server has a session for this Client Identifier, and it is new: it knows of no message.
    Session {
        /// The application's, or the one the server assigned.
        client_id: &'a Text,
    },
    /// A QoS 1 or 2 message waits to be sent for the first time, or as new in a new session.
    Queued {
        /// Names it from now on; the lower, the earlier it is sent.
        order: u64,
        /// The message.
        message: &'a Message,
        /// How long it has waited by now, for its Message Expiry Interval.
        waited: Duration,
    },
    /// A queued message is sent with this Packet Identifier.
    Sent {
        /// Which.
        order: u64,
        /// By which the server knows it.
        packet_id: PacketId,
    },
    /// The server has the message of a QoS 2 exchange: PUBREL is owed until PUBCOMP, and the message is not needed any more.
    Released {
        /// Which.
        order: u64,
        /// By which the server knows it.
        packet_id: PacketId,
        /// What PUBREC said.
        reason_code: ReasonCode,
        /// Its place among all that is sent again.
        released: u64,
    },
    /// A message is finished, one way or the other.
    Finished {
        /// Which.
        order: u64,
    },
    /// The application has a QoS 2 message of the server's: it is not delivered again.
    Received {
        /// By which the server knows it.
        packet_id: PacketId,
    },
    /// The exchange of that message is over.
    Completed {
        /// By which the server knew it.
        packet_id: PacketId,
    },
}

/// What the records of a client come to: what its next process begins with. Give records to [`Saved::apply`] in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// `None` before the first connection.
    pub(super) client_id: Option<Text>,
    /// By order.
    pub(super) messages: BTreeMap<u64, SavedMessage>,
    /// Packet Identifiers of QoS 2 messages from the server, without PUBREL.
    pub(super) received: BTreeSet<PacketId>,
}

/// A message that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SavedMessage {
    Unsent {
        message: Message,
        waited: Duration,
    },
    Sent {
        packet_id: PacketId,
        message: Message,
        waited: Duration,
    },
    Released {
        packet_id: PacketId,
        reason_code: ReasonCode,
        released: u64,
    },
}

impl Saved {
    /// Nothing.
    pub const fn new() -> Self {
        Self {
            client_id: None,
            messages: BTreeMap::new(),
            received: BTreeSet::new(),
        }
    }

    /// Whether there is nothing to take up.
    pub fn is_empty(&self) -> bool {
        self.client_id.is_none() && self.messages.is_empty() && self.received.is_empty()
    }

    /// How many messages are not finished.
    pub fn message_count(&self) -> usize {
        self.messages.len()
    }

    /// Takes in the next record.
    pub fn apply(&mut self, record: &Record<'_>) {
        match *record {
            Record::Session { client_id } => {
                self.client_id = Some(client_id.clone());
                self.received.clear();
            }
            Record::Queued {
                order,
                message,
                waited,
            } => {
                let message = message.clone();
                self.messages
                    .insert(order, SavedMessage::Unsent { message, waited });
            }
            Record::Sent { order, packet_id } => self.sent(order, packet_id),
            Record::Released {
                order,
                packet_id,
                reason_code,
                released,
            } => {
                let saved = SavedMessage::Released {
                    packet_id,
                    reason_code,
                    released,
                };
                self.messages.insert(order, saved);
            }
            Record::Finished { order } => _ = self.messages.remove(&order),
            Record::Received { packet_id } => _ = self.received.insert(packet_id),
            Record::Completed { packet_id } => _ = self.received.remove(&packet_id),
        }
    }

    fn sent(&mut self, order: u64, packet_id: PacketId) {
        match self.messages.remove(&order) {
            Some(SavedMessage::Unsent { message, waited } | SavedMessage::Sent { message, waited, .. }) => {
                let sent = SavedMessage::Sent {
                    packet_id,
                    message,
                    waited,
                };
                self.messages.insert(order, sent);
            }
            Some(released @ SavedMessage::Released { .. }) => _ = self.messages.insert(order, released),
            None => {}
        }
    }
}
