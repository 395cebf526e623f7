use serde::{Deserialize, Serialize};
use squall_proto::broker::Counts;

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
        }
    }
}
