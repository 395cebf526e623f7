//! The machine's own network: where the broker listens and what a connection is.

#![expect(
    clippy::disallowed_types,
    reason = "this is the one listener that is no world's"
)]

use std::{
    future::{Ready, ready},
    io,
    net::SocketAddr,
};

use tokio::net::{
    TcpListener, TcpStream,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};

use crate::{Acceptor, Peer, Stream};

/// Accepts plain TCP connections.
#[derive(Debug)]
pub struct TcpAcceptor {
    listener: TcpListener,
}

impl TcpAcceptor {
    /// Listens at a host and a port, such as `127.0.0.1:1883`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// When the address is none, is not of this machine, or is taken.
    pub async fn bind(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener })
    }

    /// Where it listens, with the port that was chosen.
    ///
    /// # Errors
    ///
    /// When the operating system cannot say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Acceptor for TcpAcceptor {
    type Stream = TcpStream;
    type Opening = Ready<io::Result<TcpStream>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, Peer)> {
        let (stream, address) = self.listener.accept().await?;
        // Output is written a batch at a time; what is written is to leave.
        stream.set_nodelay(true)?;
        Ok((ready(Ok(stream)), Peer(address.to_string())))
    }
}

impl Stream for TcpStream {
    type Read = OwnedReadHalf;
    type Write = OwnedWriteHalf;

    fn split(self) -> (Self::Read, Self::Write) {
        self.into_split()
    }
}
