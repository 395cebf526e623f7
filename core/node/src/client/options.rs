use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use squall_proto::{ReasonCode, client as proto, client::Why};

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
    /// After the server said that it does not want this client, in CONNACK or DISCONNECT: that the version, the Client Identifier, the
    /// credentials or the authentication method are wrong, that it is not authorized or banned, that CONNECT is too large, or that
    /// it should go to another server. Trying again soon is of no use to either.
    pub when_refused: Again,
    /// After another connection with this Client Identifier took over. Two clients that share one would else throw each other out for
    /// ever.
    pub when_taken_over: Again,
}

/// Whether a client connects again after an end that another attempt does not mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The client ends.
    Never,
    /// After the longest wait, or half of it.
    Slowly,
    /// As after any other end.
    AsUsual,
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

impl Reconnect {
    pub(super) fn again(&self, why: &Why) -> Again {
        let said = match why {
            Why::Refused(connack) => connack.reason_code,
            Why::Server(disconnect) => disconnect.reason_code,
            Why::Requested
            | Why::Violated(_)
            | Why::Malformed(_)
            | Why::ConnackTimeout
            | Why::PingrespTimeout
            | Why::Distrusted
            | Why::AnswerTooLarge
            | Why::Lost => return Again::AsUsual,
        };
        if said == ReasonCode::SessionTakenOver {
            self.when_taken_over
        } else if REFUSALS.contains(&said) {
            self.when_refused
        } else {
            Again::AsUsual
        }
    }
}

/// What another attempt soon does not mend.
const REFUSALS: [ReasonCode; 9] = [
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
    ReasonCode::Banned,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::PacketTooLarge,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
];

impl Default for Reconnect {
    /// Half a second to one, doubling up to a minute; ten seconds count as lasting. Slowly when refused, never when taken over.
    fn default() -> Self {
        Self {
            after: Duration::from_millis(500)..=Duration::from_secs(1),
            after_max: Duration::from_secs(60),
            lasted: Duration::from_secs(10),
            when_refused: Again::Slowly,
            when_taken_over: Again::Never,
        }
    }
}
