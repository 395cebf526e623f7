//! The tokio side of Squall: the broker on real or simulated streams, and the async client.
//!
//! In reading order: [`Stream`], [`Acceptor`] and [`Connector`] are where bytes come from, real or simulated, and
//! [`Address`] is where a server is; [`broker`] moves them to
//! the broker's state machine and back, [`client`] to the client's; [`config`] is what `squall broker` reads. `tcp` and `unix` are the
//! places that touch the machine's network, [`tls`] and [`ws`] go over any stream; `clock` is the one place that asks for the time,
//! `database` is what both stores are made of, and [`Watched`] is what tasks wait on.

pub mod authentication;
pub mod broker;
pub mod client;
pub mod config;
pub mod tls;
pub mod ws;

mod address;
mod clock;
mod database;
mod listen;
mod stream;
mod tcp;
#[cfg(unix)]
mod unix;
mod watched;

pub use address::{Address, AddressError, NetworkAddress, Scheme};
pub use listen::{BindError, Bound, Reload};
pub use stream::{Acceptor, BoxedStream, Connector, Peer, Stream};
pub use tcp::TcpAcceptor;
#[cfg(unix)]
pub use unix::{UnixAcceptor, UnixConnector};
pub use watched::Watched;
