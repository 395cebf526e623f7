use super::{Broker, outbound::Exchange};

/// How much the broker holds, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Network Connections, those without CONNECT included.
    pub connections: usize,
    /// Sessions, with a connection and without.
    pub sessions: usize,
    /// Subscriptions of all sessions, shared ones included.
    pub subscriptions: usize,
    /// Shared subscriptions, whatever the number of their sessions.
    pub shared_subscriptions: usize,
    /// Retained messages.
    pub retained_messages: usize,
    /// Messages that wait for a session, or whose exchange with it is not over.
    pub unfinished_messages: usize,
}

/// How much of each kind there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Sessions, with a connection and without.
    pub sessions: usize,
    /// Subscriptions of all sessions, shared ones included.
    pub subscriptions: usize,
    /// Retained messages; what was [announced](super::Input::Announce) is none.
    pub retained_messages: usize,
}

impl Broker {
    /// How much of each kind there is. Costs nothing.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            sessions: self.sessions.len(),
            subscriptions: self.subscribed,
            retained_messages: self.retained.len(),
        }
    }

    /// How much the broker holds. Costs a look at each session and each unfinished exchange.
    pub fn counts(&self) -> Counts {
        let subscriptions = self
            .sessions
            .iter()
            .map(|(_, session)| session.subscriptions.len());
        let unfinished_messages = self.sessions.iter().map(|(_, session)| {
            let outbound = &session.outbound;
            let unfinished = outbound
                .exchanges()
                .filter(|(_, exchange)| !matches!(exchange, Exchange::Done));
            outbound.waiting_messages() + unfinished.count()
        });
        Counts {
            connections: self.connections.open,
            sessions: self.sessions.len(),
            subscriptions: subscriptions.sum(),
            shared_subscriptions: self.shared.len(),
            retained_messages: self.retained.len(),
            unfinished_messages: unfinished_messages.sum(),
        }
    }
}
