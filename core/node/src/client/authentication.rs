use std::{fmt::Debug, future::Future, io, pin::Pin};

use squall_proto::{
    Binary, Text,
    client::{Authenticate, Distrust},
};

/// A method of enhanced authentication (5.0), as a client knows it. Tokens,
/// Kerberos and the like are implementations of this.
pub trait Authentication: Debug + Send + Sync + 'static {
    /// The Authentication Method, as client and server have agreed on it.
    fn method(&self) -> Text;

    /// Prepares an exchange: before each connection is made, and before [`Client::reauthenticate`](super::Client::reauthenticate)
    /// sends anything. May do I/O, such as getting a token, for [`connect_timeout`](squall_proto::client::Options::connect_timeout)
    /// at most. An error counts as a connection that could not be made.
    fn begin(&self) -> Beginning<'_>;
}

/// An exchange, as soon as what it needs is there.
pub type Beginning<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Exchange>>> + Send + 'a>>;

/// One exchange, from CONNECT to CONNACK or from AUTH 0x19 to AUTH 0x00. Its functions do not wait.
pub trait Exchange: Debug + Send {
    /// The Authentication Data that the exchange begins with.
    fn first(&mut self) -> Result<Option<Binary>, Distrust>;

    /// The answer to a challenge of the server.
    fn answer(&mut self, challenge: Option<Binary>) -> Result<Option<Binary>, Distrust>;

    /// The server accepts the client, with this Authentication Data: whether the client accepts the server. A method by which
    /// the server proves who it is must not say so before it has.
    fn finish(&mut self, data: Option<Binary>) -> Result<(), Distrust>;
}

/// The exchange under way, and the one prepared for when the next begins.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    next: Option<Box<dyn Exchange>>,
    current: Option<Box<dyn Exchange>>,
}

impl Exchanges {
    pub(super) fn prepare(&mut self, exchange: Option<Box<dyn Exchange>>) {
        self.next = exchange;
    }

    pub(super) fn authenticate(&mut self, asked: Authenticate) -> Result<Option<Binary>, Distrust> {
        match asked {
            Authenticate::Begin => {
                self.current = self.next.take();
                self.current.as_mut().ok_or(Distrust)?.first()
            }
            Authenticate::Challenge(challenge) => self.current.as_mut().ok_or(Distrust)?.answer(challenge),
            Authenticate::Success(data) => {
                let mut exchange = self.current.take().ok_or(Distrust)?;
                exchange.finish(data).map(|()| None)
            }
        }
    }
}
