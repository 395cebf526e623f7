use std::{fmt, future::Future, io};

use tokio::io::{AsyncRead, AsyncWrite};

/// An ordered, lossless, two-way stream of bytes: TCP, TLS, WebSocket, or a simulated one. Halves that move on their own, because
/// whoever produced output writes it, not only the task that reads.
// [MQTT-4.2.0-1] [v3 MQTT-7.1.1-1] [v3 MQTT-7.1.2-1]
pub trait Stream: Send + 'static {
    /// The half that the connection's task reads.
    type Read: AsyncRead + Send + Unpin + 'static;
    /// The half that anybody with output for this connection writes.
    type Write: AsyncWrite + Send + Unpin + 'static;

    /// Splits the stream; when both halves are gone it is closed.
    fn split(self) -> (Self::Read, Self::Write);
}

/// Where connections come from.
pub trait Acceptor: Send + 'static {
    /// What comes.
    type Stream: Stream;
    /// The way from a connection that was accepted to its stream: the handshakes between them, or [`std::future::Ready`] where there are none.
    /// An error says what the peer did instead. The connection's own task goes this way, within the time there is for CONNECT.
    type Opening: Future<Output = io::Result<Self::Stream>> + Send + 'static;

    /// Waits for the next connection, and says who it is from, for logs. An error here is one connection's, not the acceptor's:
    /// the caller notes it and goes on after a moment.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Opening, Peer)>> + Send;

    /// What runs as the task of a connection: the task that serves it, as it is, unless this is an acceptor of a simulated host, which
    /// can stand still and its tasks with it.
    fn task<T: Future<Output = ()> + Send + 'static>(
        &self,
        serve: T,
    ) -> impl Future<Output = ()> + Send + 'static {
        serve
    }
}

/// Makes connections to one server.
pub trait Connector: Send + 'static {
    /// What it makes.
    type Stream: Stream;

    /// Makes one.
    fn connect(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A stream of any kind, behind a pointer.
pub struct BoxedStream {
    read: Box<dyn AsyncRead + Send + Unpin>,
    write: Box<dyn AsyncWrite + Send + Unpin>,
}

impl BoxedStream {
    /// Puts a stream behind a pointer.
    pub fn new(stream: impl Stream) -> Self {
        let (read, write) = stream.split();
        Self {
            read: Box::new(read),
            write: Box::new(write),
        }
    }
}

impl Stream for BoxedStream {
    type Read = Box<dyn AsyncRead + Send + Unpin>;
    type Write = Box<dyn AsyncWrite + Send + Unpin>;

    fn split(self) -> (Self::Read, Self::Write) {
        (self.read, self.write)
    }
}

impl fmt::Debug for BoxedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxedStream")
    }
}

/// Who is at the other end, for logs: an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer(pub String);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
