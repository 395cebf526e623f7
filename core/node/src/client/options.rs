use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use squall_proto::client as proto;

use super::Authentication;

/// What a client says and how it comes back.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it says to the server: version, Client Identifier, session, Will.
    pub protocol: proto::Options,
    /// How it authenticates beyond User Name and Password, in 5.0; it says the Authentication Method of `protocol` too.
    pub authentication: Option<Arc<dyn Authentication>>,
    /// How it connects again; `None` ends the client with its first connection.
    pub reconnect: Option<Reconnect>,
    /// Events that wait for the application. When as many do, nothing more is read from the server.
    pub events_max: usize,
    /// Decides the jitter of the reconnects. From the operating system in production, so that a thousand clients do not come back
    /// together; from the run's seed in a simulated world.
    pub seed: u64,
}

/// When a client connects again: after a random time in a range that doubles with every failure in a row. A connection that was
/// made and ended at once is a failure too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The range of the first wait.
    pub after: RangeInclusive<Duration>,
    /// The longest wait.
    pub after_max: Duration,
    /// How long a connection must have lasted for the next wait to be a first one again.
    pub lasted: Duration,
}

impl Options {
    /// Reconnects for ever, with 1,024 events waiting at most.
    pub fn new(protocol: proto::Options, seed: u64) -> Self {
        Self {
            protocol,
            authentication: None,
            reconnect: Some(Reconnect::default()),
            events_max: 1024,
            seed,
        }
    }
}

impl Default for Reconnect {
    /// Half a second to one, doubling up to a minute; ten seconds count as lasting.
    fn default() -> Self {
        Self {
            after: Duration::from_millis(500)..=Duration::from_secs(1),
            after_max: Duration::from_secs(60),
            lasted: Duration::from_secs(10),
        }
    }
}
