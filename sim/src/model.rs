//! What must be true of a run, told from its wires alone: which connections there are, which sessions the broker must have, what
//! was published and which exchanges are unfinished. Checks ask it; it asks nobody's mind.
//!
//! In reading order: `moments`, `wires`, `sessions`, `messages`, `exchanges`.
//!
//! The moment at which the broker has handled a packet is not on the wire. Where that matters, the model goes by what the broker
//! sends: a session begins with CONNACK, a subscription is owed messages from SUBACK on.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each part of the model reads the few kinds of events and packets that it is about"
)]

mod exchanges;
mod messages;
mod moments;
mod sessions;
mod wires;

pub(crate) use exchanges::{Exchanges, Irregularity};
pub(crate) use messages::Messages;
pub(crate) use moments::order_at_broker;
pub(crate) use sessions::{Session, SessionKey, Sessions};
pub(crate) use wires::{Wire, Wires};

use squall_proto::Version;

use crate::{
    scenario::Scenario,
    trace::{Event, What},
};

/// Everything the checks share, as of the last event it was shown.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) version: Version,
    /// Not the control arm.
    pub(crate) with_faults: bool,
    pub(crate) wires: Wires,
    pub(crate) sessions: Sessions,
    pub(crate) messages: Messages,
    pub(crate) exchanges: Exchanges,
}

impl<'a> Model<'a> {
    pub(crate) fn new(scenario: &'a Scenario, version: Version) -> Self {
        Self {
            scenario,
            version,
            with_faults: true,
            wires: Wires::default(),
            sessions: Sessions::new(&scenario.broker.limits(), version),
            messages: Messages::default(),
            exchanges: Exchanges::default(),
        }
    }

    /// Takes the next event in.
    pub(crate) fn observe(&mut self, index: usize, event: &Event) {
        if let What::HostUp { host } | What::HostDown { host } = &event.what
            && host == BROKER
        {
            // Durability in memory: what the broker knew is gone with its process.
            self.sessions.forget_all();
            self.exchanges.forget_broker();
        }
        self.wires.observe(event);
        self.sessions.observe(index, event, &self.wires);
        self.messages.observe(index, event, &self.wires, &self.sessions);
        self.exchanges.observe(event, &self.wires);
    }
}

/// What the trace calls the broker's host.
pub(crate) const BROKER: &str = "broker";
