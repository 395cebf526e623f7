use core::time::Duration;

use bytes::Bytes;

use super::Subscription;
use crate::{Instant, PacketId, Properties, Qos, SubscriptionId, Text, TopicFilter, TopicName, Will};

/// A change of what a restarted broker needs to keep its word: sessions that outlive their connections with all that belongs to
/// them, retained messages, and Wills.
///
/// Whoever keeps records commits all that one input put out together, or none of them, and lets nothing leave that the input put
/// out before they are on stable storage. An input that put out none waits for nothing.
///
/// Sessions, messages and deliveries are named by numbers that rise, each kind by its own. Moments are those of the broker's clock.
// [MQTT-3.1.2-23] [v3 MQTT-4.1.0-1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// There is a session, or what is said of it here has changed.
    Session {
        /// Names it from now on.
        session: u64,
        /// Whose it is.
        client_id: &'a Text,
        /// How long it outlives its connection; `None` is for ever. With zero there is a Will, and nothing else on record.
        expiry: Option<Duration>,
        /// When its connection ended; `None` while it has one.
        disconnected_at: Option<Instant>,
    },
    /// A session is over, with its Will, its subscriptions and its Packet Identifiers. Each of its deliveries has a
    /// [`Record::Finished`] of its own.
    SessionEnded {
        /// Which.
        session: u64,
    },
    /// The Will of a session's last connection, in the place of the one before.
    Will {
        /// Whose.
        session: u64,
        /// The Will.
        will: &'a Will,
        /// When it is published, once the connection has ended.
        due_at: Option<Instant>,
    },
    /// It was published, or never will be.
    WillEnded {
        /// Whose.
        session: u64,
    },
    /// A session has a subscription, in the place of the one with the same Topic Filter.
    Subscribed {
        /// Whose.
        session: u64,
        /// To what, `$share/{ShareName}/` included.
        filter: &'a TopicFilter,
        /// As it was granted.
        subscription: Subscription,
    },
    /// It has it no more.
    Unsubscribed {
        /// Whose.
        session: u64,
        /// Which.
        filter: &'a TopicFilter,
    },
    /// A QoS 2 message of the session's client was taken: what comes with its Packet Identifier is the same again.
    Received {
        /// Whose.
        session: u64,
        /// By which the client knows it.
        packet_id: PacketId,
    },
    /// The exchange of that message is over.
    Completed {
        /// Whose.
        session: u64,
        /// By which the client knew it.
        packet_id: PacketId,
    },
    /// A message that deliveries, or the retained messages, name from now on. However many they are, it is said once.
    Message {
        /// Names it.
        message: u64,
        /// What it says.
        content: Content<'a>,
    },
    /// Nothing on record names this message any more.
    Forgotten {
        /// Which.
        message: u64,
    },
    /// A message is the retained one of its topic, in the place of the one before.
    Retained {
        /// The topic.
        topic: &'a TopicName,
        /// Which message.
        message: u64,
    },
    /// A topic has no retained message any more.
    RetainedRemoved {
        /// The topic.
        topic: &'a TopicName,
    },
    /// A QoS 1 or 2 message waits for a session.
    Queued {
        /// Names the delivery from now on; of one session, the lower is sent earlier.
        order: u64,
        /// What is sent to whom.
        delivery: Owed<'a>,
    },
    /// Its PUBLISH is sent.
    Sent {
        /// Which delivery.
        order: u64,
        /// By which the client knows it.
        packet_id: PacketId,
    },
    /// Its PUBREC came: PUBREL is owed until PUBCOMP, and the message is needed no more.
    Released {
        /// Which delivery.
        order: u64,
    },
    /// It is over, one way or the other.
    Finished {
        /// Which delivery.
        order: u64,
    },
}

/// What a message says, as it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// Its topic.
    pub topic: &'a TopicName,
    /// The Application Message itself.
    pub payload: &'a Bytes,
    /// The QoS.
    pub qos: Qos,
    /// Those that are forwarded; Message Expiry Interval is not among them.
    pub properties: &'a Properties,
    /// When its Message Expiry Interval is over.
    pub expires_at: Option<Instant>,
}

/// A delivery of a message to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed<'a> {
    /// To whom.
    pub session: u64,
    /// Which message.
    pub message: u64,
    /// At what it is sent: 1 or 2.
    pub qos: Qos,
    /// RETAIN of what is sent.
    pub retain: bool,
    /// What is sent says for which subscriptions it comes.
    pub subscription_ids: &'a [SubscriptionId],
    /// The shared subscription it came by.
    pub share: Option<SharedBy<'a>>,
}

/// The shared subscription that a delivery came by: another of its sessions gets it, if this one ends before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedBy<'a> {
    /// With `$share/{ShareName}/`.
    pub filter: &'a TopicFilter,
    /// RETAIN as it was published.
    pub retain: bool,
}
