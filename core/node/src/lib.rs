//! The tokio side of Squall: the broker on real or simulated streams, and the async client.

mod stream;

pub use stream::{Acceptor, Connector, Peer, Stream};
