use serde::{Deserialize, Serialize};
use squall_proto::broker::{Counts, Saved};

/// How much our broker holds at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Network Connections, those without CONNECT included.
    pub connections: usize,
    /// Sessions, with a connection and without.
    pub sessions: usize,
    /// Subscriptions of all sessions, shared ones included.
    pub subscriptions: usize,
    /// Retained messages.
    pub retained_messages: usize,
    /// Messages that wait for a session, or whose exchange with it is not over.
    pub unfinished_messages: usize,
    /// What is on its disk, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Stored>,
}

/// How much is on a broker's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Sessions that outlive their connections, or have a Will.
    pub sessions: usize,
    /// Topics with a retained message.
    pub retained_messages: usize,
    /// QoS 1 and 2 messages that wait for a session, or whose exchange with it is not over.
    pub deliveries: usize,
    /// The messages that those are of.
    pub messages: usize,
}

impl From<Counts> for Held {
    fn from(counts: Counts) -> Self {
        let Counts {
            connections,
            sessions,
            subscriptions,
            shared_subscriptions: _,
            retained_messages,
            unfinished_messages,
        } = counts;
        Self {
            connections,
            sessions,
            subscriptions,
            retained_messages,
            unfinished_messages,
            stored: None,
        }
    }
}

impl From<&Saved> for Stored {
    fn from(saved: &Saved) -> Self {
        Self {
            sessions: saved.session_count(),
            retained_messages: saved.retained_count(),
            deliveries: saved.delivery_count(),
            messages: saved.message_count(),
        }
    }
}
