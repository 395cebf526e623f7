use std::{
    cell::RefCell,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use squall_node::Stream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use turmoil_net::{HostId, shim::tokio::net::TcpStream};

use super::network;
use crate::{
    scenario::Reads,
    trace::{Side, WireId},
};

/// A simulated TCP stream. It knows its host, so the task that holds it need not.
pub struct HostStream(Arc<Socket>);

/// The half of a [`HostStream`] that reads.
pub struct HostRead(Arc<Socket>);

/// The half of a [`HostStream`] that writes; when it is dropped, the other end reads to the end and no further.
pub struct HostWrite(Arc<Socket>);

/// Every call into the kernels goes through here: the right host, and what the call makes a kernel send is collected.
pub(super) fn on_host(host: HostId) {
    turmoil_net::set_current(host);
    network::touch();
}

struct Socket {
    host: HostId,
    /// The host's place in the world.
    place: usize,
    /// Which connection, and which side of it.
    wire: WireId,
    side: Side,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Taken only on drop.
    stream: Option<TcpStream>,
    /// Read from the kernel and not yet by the task.
    unread: BytesMut,
    /// The host reads slowly, and not before this is over.
    pause: Option<Pin<Box<Sleep>>>,
}

/// All a kernel can hold for a socket. It is always read whole, because turmoil-net opens a closed window only when at least half
/// of its buffer is read at once.
const RECEIVE_BUFFER: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; RECEIVE_BUFFER].into_boxed_slice());
}

impl HostStream {
    pub(super) fn new(host: HostId, stream: TcpStream) -> io::Result<Self> {
        on_host(host);
        let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
        let (wire, side, place) =
            network::with(|network| network.find(local, remote)).ok_or(io::ErrorKind::NotConnected)?;
        let inner = Mutex::new(Inner {
            stream: Some(stream),
            unread: BytesMut::new(),
            pause: None,
        });
        Ok(Self(Arc::new(Socket {
            host,
            place,
            wire,
            side,
            inner,
        })))
    }

    /// Which connection it is, and which side of it.
    pub(crate) fn end(&self) -> (WireId, Side) {
        (self.0.wire, self.0.side)
    }
}

impl Stream for HostStream {
    type Read = HostRead;
    type Write = HostWrite;

    fn split(self) -> (HostRead, HostWrite) {
        (HostRead(Arc::clone(&self.0)), HostWrite(self.0))
    }
}

impl Socket {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        on_host(self.host);
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_read(&self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = match network::with(|network| network.reads(self.place)) {
            Some(reads) => self.poll_read_slowly(reads, cx, into),
            None => self.inner().poll_read(cx, into),
        };
        let bytes = into.filled().len() - before;
        if bytes > 0 {
            network::with(|network| network.read(self.wire, self.side, bytes));
        }
        read
    }

    /// Reads so many bytes at a time, with a pause after each.
    fn poll_read_slowly(
        &self,
        reads: Reads,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        if let Some(pause) = &mut inner.pause {
            ready!(pause.as_mut().poll(cx));
            inner.pause = None;
        }
        let mut some = vec![0; into.remaining().min(reads.bytes as usize)];
        let mut buffer = ReadBuf::new(&mut some);
        ready!(inner.poll_read(cx, &mut buffer))?;
        into.put_slice(buffer.filled());
        inner.pause = Some(Box::pin(sleep(reads.every.duration())));
        network::with(|network| network.has_read_slowly(self.place));
        Poll::Ready(Ok(()))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        stream_of(&mut self.inner().stream).poll_write(cx, bytes)
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut_down = stream_of(&mut self.inner().stream).poll_shutdown(cx);
        if matches!(shut_down, Poll::Ready(Ok(()))) {
            network::with(|network| network.let_go(self.wire, self.side));
        }
        shut_down
    }
}

impl Inner {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, unread, .. } = self;
        if !unread.is_empty() {
            let now = unread.split_to(unread.len().min(into.remaining()));
            into.put_slice(&now);
            return Poll::Ready(Ok(()));
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut whole = ReadBuf::new(scratch);
            let read = stream_of(stream).poll_read(cx, &mut whole);
            let (now, later) = whole
                .filled()
                .split_at(whole.filled().len().min(into.remaining()));
            into.put_slice(now);
            unread.extend_from_slice(later);
            read
        })
    }
}

fn stream_of(stream: &mut Option<TcpStream>) -> Pin<&mut TcpStream> {
    Pin::new(stream.as_mut().expect("taken only on drop"))
}

impl Drop for Socket {
    /// Closes as Linux does: with a FIN after what was written, and with an RST when there was something left to read.
    fn drop(&mut self) {
        on_host(self.host);
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = inner.stream.take() else { return };
        let mut is_unread = inner.unread.has_remaining();
        // Emptied, because turmoil-net would throw away what was written along with what was not read.
        SCRATCH.with_borrow_mut(|scratch| {
            while let Ok(1..) = stream.try_read(scratch) {
                is_unread = true;
            }
        });
        drop(stream);
        network::with(|network| {
            network.let_go(self.wire, self.side);
            if is_unread {
                network.reset_side(self.wire, self.side);
            }
        });
    }
}

impl Drop for HostWrite {
    fn drop(&mut self) {
        // A stream that has failed cannot be shut down, and needs not be.
        _ = self
            .0
            .poll_shutdown(&mut Context::from_waker(std::task::Waker::noop()));
    }
}

macro_rules! reads {
    ($type:ty) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                into: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.0.poll_read(cx, into)
            }
        }
    };
}

macro_rules! writes {
    ($type:ty) => {
        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_write(cx, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.0.poll_shutdown(cx)
            }
        }
    };
}

reads!(HostStream);
reads!(HostRead);
writes!(HostStream);
writes!(HostWrite);
