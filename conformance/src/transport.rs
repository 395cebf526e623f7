//! Where the target is reached.

use std::{
    fmt,
    future::Future,
    io,
    num::NonZeroUsize,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite};

/// Opens connections to the target.
pub trait Transport: Send + Sync {
    /// Opens one.
    fn connect(&self) -> Connecting<'_>;

    /// Opens what is below a WebSocket. `None` where there is no WebSocket.
    fn below_websocket(&self) -> Option<BelowWebSocket<'_>> {
        None
    }
}

/// What is below a WebSocket, and nothing has been said on it yet.
pub struct BelowWebSocket<'a> {
    /// What the request names as host.
    pub host: String,
    /// What the request asks for.
    pub path: String,
    /// The connection.
    pub connecting: Connecting<'a>,
}

/// A connection on its way.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Duplex>> + Send + 'a>>;

/// An open connection, as its two halves. Shutting the writing half down is a half-close.
pub struct Duplex {
    pub(crate) read: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) write: Box<dyn AsyncWrite + Send + Unpin>,
}

/// Sends so many bytes at a time, each in a TCP segment, a TLS record and a WebSocket frame of its own, as far as the transport has such:
/// what it is told to send is cut and flushed. What it receives is left as it comes.
#[derive(Debug)]
pub struct Segmented<T> {
    whole: T,
    segment: NonZeroUsize,
}

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

impl fmt::Debug for BelowWebSocket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BelowWebSocket")
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Duplex")
    }
}

impl<F, C> Transport for Via<F>
where
    F: Fn() -> C + Send + Sync,
    C: Future<Output = io::Result<Duplex>> + Send + 'static,
{
    fn connect(&self) -> Connecting<'_> {
        Box::pin((self.0)())
    }
}

impl<T: Transport> Segmented<T> {
    /// Over `whole`.
    pub const fn new(whole: T, segment: NonZeroUsize) -> Self {
        Self { whole, segment }
    }

    fn cut<'a>(&self, connecting: Connecting<'a>) -> Connecting<'a> {
        let segment = self.segment.get();
        Box::pin(async move {
            let Duplex { read, write } = connecting.await?;
            let write = Box::new(Cut {
                write,
                segment,
                flushed: true,
            });
            Ok(Duplex { read, write })
        })
    }
}

impl<T: Transport> Transport for Segmented<T> {
    fn connect(&self) -> Connecting<'_> {
        self.cut(self.whole.connect())
    }

    fn below_websocket(&self) -> Option<BelowWebSocket<'_>> {
        let below = self.whole.below_websocket()?;
        Some(BelowWebSocket {
            connecting: self.cut(below.connecting),
            ..below
        })
    }
}

/// Takes so many bytes at a time, and no more before they have left.
struct Cut {
    write: Box<dyn AsyncWrite + Send + Unpin>,
    segment: usize,
    flushed: bool,
}

impl AsyncWrite for Cut {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.flushed {
            ready!(self.as_mut().poll_flush(cx))?;
        }
        let some = bytes.get(..self.segment).unwrap_or(bytes);
        let written = ready!(Pin::new(&mut self.write).poll_write(cx, some))?;
        self.flushed = false;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.write).poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}
