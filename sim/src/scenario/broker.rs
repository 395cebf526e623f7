use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::{Qos, broker::Limits};

use super::{Rule, words};
use crate::span::Span;

/// What the broker grants and keeps. What is not given is as in [`Limits`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerSettings {
    /// Unfinished QoS 1 and 2 messages taken from a client at a time.
    #[schemars(range(min = 1))]
    pub receive_maximum: Option<u16>,
    /// Unfinished QoS 1 and 2 messages sent to a client at a time.
    #[schemars(range(min = 1))]
    pub inflight: Option<u16>,
    /// The longest that a session outlives its connection, in both versions.
    pub session_expiry: Option<Span>,
    /// The longest Keep Alive granted, in whole seconds: 5.0 clients are told by Server Keep Alive.
    pub keep_alive: Option<Span>,
    /// Bytes of the largest packet taken.
    #[schemars(range(min = 1))]
    pub packet_size: Option<u32>,
    /// The highest Topic Alias taken from a client.
    pub topic_alias_maximum: Option<u16>,
    /// Topic Aliases given to a client at most, if it takes as many.
    pub topic_aliases_sent: Option<u16>,
    /// Whether messages are retained. They are, unless given.
    pub retain_available: Option<bool>,
    /// Retained messages at most.
    pub retained_messages: Option<usize>,
    /// Sessions at a time, with and without a connection.
    pub sessions: Option<usize>,
    /// Messages that wait for a session at most.
    pub queued_messages: Option<usize>,
    /// Bytes of what waits for sessions that are in memory at most, for all of them; more are on the disk alone. Of a broker with
    /// `durability: disk`.
    pub queue_in_memory: Option<usize>,
    /// Bytes that a connection may leave unread before QoS 0 is dropped for it.
    pub unsent_bytes_soft: Option<usize>,
    /// Bytes that a connection may leave unread before it is closed.
    pub unsent_bytes: Option<usize>,
    /// The highest QoS it takes and grants.
    #[serde(with = "words::some_qos")]
    #[schemars(with = "Option<words::QosWord>")]
    pub maximum_qos: Option<Qos>,
    /// Whether `$share/{ShareName}/{filter}` is a shared subscription in 3.1.1 too.
    pub shared_subscriptions_v3: bool,
    /// What a PUBACK or PUBREC promises.
    pub durability: Durability,
    /// It is not our broker, but one that does what these rules say; where they say nothing it is the smallest that is right,
    /// accepts everybody, acknowledges everything and forwards nothing. The first rule that is for a packet is the one.
    pub script: Option<Vec<Rule>>,
}

/// What the broker promises to keep of what it has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// All of it, for as long as its process lives.
    #[default]
    Memory,
    /// All of it, whatever becomes of its process and its power: it is on a disk when the acknowledgement leaves.
    Disk,
}

impl BrokerSettings {
    /// Whether it is scripted, and may leave something unanswered.
    pub(crate) fn withholds(&self) -> bool {
        let mut rules = self.script.iter().flatten();
        rules.any(|rule| rule.reversed.is_some() || rule.with.is_some())
    }

    /// Whether it keeps on a disk what it has acknowledged.
    pub(crate) const fn has_disk(&self) -> bool {
        matches!(self.durability, Durability::Disk) && self.script.is_none()
    }

    /// As the broker takes them.
    pub fn limits(&self) -> Limits {
        let standard = Limits::default();
        Limits {
            receive_maximum: self.receive_maximum.unwrap_or(standard.receive_maximum),
            inflight: self.inflight.unwrap_or(standard.inflight),
            session_expiry: self
                .session_expiry
                .map(Span::duration)
                .or(standard.session_expiry),
            keep_alive: self.keep_alive.map(seconds).or(standard.keep_alive),
            packet_size: self.packet_size.unwrap_or(standard.packet_size),
            topic_alias_maximum: self.topic_alias_maximum.unwrap_or(standard.topic_alias_maximum),
            topic_aliases_sent: self.topic_aliases_sent.unwrap_or(standard.topic_aliases_sent),
            retain_available: self.retain_available.unwrap_or(standard.retain_available),
            retained_messages: self.retained_messages.unwrap_or(standard.retained_messages),
            sessions: self.sessions.unwrap_or(standard.sessions),
            queued_messages: self.queued_messages.unwrap_or(standard.queued_messages),
            queue_in_memory: self.queue_in_memory.unwrap_or(standard.queue_in_memory),
            unsent_bytes_soft: self.unsent_bytes_soft.unwrap_or(standard.unsent_bytes_soft),
            unsent_bytes: self.unsent_bytes.unwrap_or(standard.unsent_bytes),
            maximum_qos: self.maximum_qos.unwrap_or(standard.maximum_qos),
            shared_subscriptions_v3: self.shared_subscriptions_v3,
            ..standard
        }
    }
}

fn seconds(span: Span) -> u16 {
    u16::try_from(span.duration().as_secs()).unwrap_or(u16::MAX)
}
