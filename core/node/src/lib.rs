//! The tokio side of Squall: the broker on real or simulated streams, and the async client.
//!
//! In reading order: [`Stream`], [`Acceptor`] and [`Connector`] are where bytes come from, real or simulated; [`broker`] moves them to
//! the broker's state machine and back, [`client`] to the client's; [`config`] is what `squall broker` reads. `tcp` is the one place
//! that touches the machine's network, `clock` the one that asks for the time.

pub mod broker;
pub mod client;
pub mod config;

mod clock;
mod stream;
mod tcp;

pub use stream::{Acceptor, Connector, Peer, Stream};
pub use tcp::TcpAcceptor;
