//! Where the target is reached.

use std::{fmt, future::Future, io, pin::Pin};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// Opens connections to the target.
pub trait Transport: Send + Sync {
    /// Opens one.
    fn connect(&self) -> Pin<Box<dyn Future<Output = io::Result<Duplex>> + Send + '_>>;
}

/// An open connection, as its two halves. Shutting the writing half down is a half-close.
pub struct Duplex {
    pub(crate) read: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) write: Box<dyn AsyncWrite + Send + Unpin>,
}

/// The target at a TCP address: a host and a port.
#[derive(Clone, Debug)]
pub struct TcpTransport(pub String);

/// A transport made of a function that opens a connection.
#[derive(Clone, Copy, Debug)]
pub struct Via<F>(pub F);

impl Duplex {
    /// Puts two halves together.
    pub fn new(
        read: impl AsyncRead + Send + Unpin + 'static,
        write: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self {
            read: Box::new(read),
            write: Box::new(write),
        }
    }
}

impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Duplex")
    }
}

impl Transport for TcpTransport {
    fn connect(&self) -> Pin<Box<dyn Future<Output = io::Result<Duplex>> + Send + '_>> {
        Box::pin(async {
            let stream = TcpStream::connect(&self.0).await?;
            stream.set_nodelay(true)?;
            let (read, write) = stream.into_split();
            Ok(Duplex::new(read, write))
        })
    }
}

impl<F, C> Transport for Via<F>
where
    F: Fn() -> C + Send + Sync,
    C: Future<Output = io::Result<Duplex>> + Send + 'static,
{
    fn connect(&self) -> Pin<Box<dyn Future<Output = io::Result<Duplex>> + Send + '_>> {
        Box::pin((self.0)())
    }
}
