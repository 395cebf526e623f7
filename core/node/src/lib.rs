//! The tokio side of Squall: the broker on real or simulated streams, and the async client.

pub mod broker;
pub mod client;
pub mod config;

mod clock;
mod stream;
mod tcp;

pub use stream::{Acceptor, Connector, Peer, Stream};
pub use tcp::TcpAcceptor;
