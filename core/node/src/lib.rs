//! The tokio side of Squall: the broker on real or simulated streams, and the async client.

pub mod broker;
pub mod client;

mod clock;
mod stream;

pub use stream::{Acceptor, Connector, Peer, Stream};
