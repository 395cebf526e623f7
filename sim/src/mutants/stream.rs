use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, BytesMut};
use squall_node::Stream;
use squall_proto::{Decoder, Packet, encode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{
    conn::{Act, Conn, Way},
    mutator::Mutator,
};
use crate::trace::Side;

/// A stream whose packets a mutant gets hold of. What is no packet goes on as it is.
pub(crate) struct MutatedStream<S> {
    stream: S,
    mutator: Mutator,
}

/// The half of it that reads.
pub(crate) struct MutatedRead<R: Send + 'static, W: Send + 'static> {
    /// Taken only on drop.
    read: Option<R>,
    link: Shared<W>,
}

/// The half of it that writes.
pub(crate) struct MutatedWrite<W: Send + 'static>(Shared<W>);

type Shared<W> = Arc<Mutex<Link<W>>>;

/// What both halves share: what is seen may be answered at once.
struct Link<W: Send + 'static> {
    /// Taken only on drop.
    write: Option<W>,
    mutator: Mutator,
    conn: Conn,
    seen: Lane,
    sent: Lane,
    late: Vec<(Pin<Box<Sleep>>, Way, Packet)>,
    is_over: bool,
    /// Who waits for something to read.
    reader: Waker,
}

/// One direction.
#[derive(Default)]
struct Lane {
    decoder: Option<Decoder>,
    /// What came was no packet, nor is anything after it.
    is_lost: bool,
    /// Not yet a packet.
    undecoded: BytesMut,
    /// What the mutant lets pass.
    passed: BytesMut,
}

impl<S> MutatedStream<S> {
    pub(crate) const fn new(stream: S, mutator: Mutator) -> Self {
        Self { stream, mutator }
    }
}

impl<S: Stream> Stream for MutatedStream<S> {
    type Read = MutatedRead<S::Read, S::Write>;
    type Write = MutatedWrite<S::Write>;

    fn split(self) -> (Self::Read, Self::Write) {
        let (read, write) = self.stream.split();
        let link = Arc::new(Mutex::new(Link {
            write: Some(write),
            mutator: self.mutator,
            conn: Conn::new(),
            seen: Lane::default(),
            sent: Lane::default(),
            late: Vec::new(),
            is_over: false,
            reader: Waker::noop().clone(),
        }));
        let read = MutatedRead {
            read: Some(read),
            link: Arc::clone(&link),
        };
        (read, MutatedWrite(link))
    }
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin> AsyncRead for MutatedRead<R, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.lock().poll_passed(cx, into).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; 4096];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = this.read.as_mut().expect("taken only on drop");
            ready!(Pin::new(read).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.lock().take(Way::Seen, buffer.filled());
        }
    }
}

impl<W: AsyncWrite + Send + Unpin> AsyncWrite for MutatedWrite<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut link = lock(&self.0);
        ready!(link.poll_write_out(cx))?;
        link.take(Way::Sent, bytes);
        match link.poll_write_out(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut link = lock(&self.0);
        ready!(link.poll_write_out(cx))?;
        link.write().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut link = lock(&self.0);
        ready!(link.poll_write_out(cx))?;
        if link.conn.stays_open() {
            return Poll::Ready(Ok(()));
        }
        link.write().poll_shutdown(cx)
    }
}

impl<R: Send, W: Send> MutatedRead<R, W> {
    fn lock(&self) -> MutexGuard<'_, Link<W>> {
        lock(&self.link)
    }
}

fn lock<W: Send>(link: &Shared<W>) -> MutexGuard<'_, Link<W>> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: AsyncWrite + Send + Unpin> Link<W> {
    fn write(&mut self) -> Pin<&mut W> {
        Pin::new(self.write.as_mut().expect("taken only on drop"))
    }

    /// Gives the node what passed, or the end.
    fn poll_passed(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<()> {
        self.reader = cx.waker().clone();
        self.fall_due(cx);
        // An error is told to whoever writes.
        _ = self.poll_write_out(cx);
        if !self.seen.passed.is_empty() {
            let some = self.seen.passed.len().min(into.remaining());
            into.put_slice(&self.seen.passed.split_to(some));
            return Poll::Ready(());
        }
        match self.is_over {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn fall_due(&mut self, cx: &mut Context<'_>) {
        let due = |(sleep, ..): &mut (Pin<Box<Sleep>>, Way, Packet)| sleep.as_mut().poll(cx).is_ready();
        for (_, way, packet) in self.late.extract_if(.., due).collect::<Vec<_>>() {
            self.pass(way, &packet);
        }
    }

    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.sent.passed.is_empty() {
            let write = Pin::new(self.write.as_mut().expect("taken only on drop"));
            let written = ready!(write.poll_write(cx, &self.sent.passed))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent.passed.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes in what came, and shows the mutant each packet of it.
    fn take(&mut self, way: Way, bytes: &[u8]) {
        self.lane(way).undecoded.extend_from_slice(bytes);
        let mut first_of_read = true;
        while let Some(packet) = self.next(way) {
            self.conn.turn(way, first_of_read);
            first_of_read = false;
            let acts = self.mutator.mutate(way, packet, &mut self.conn);
            acts.into_iter().for_each(|act| self.carry_out(act));
        }
        if way == Way::Seen && first_of_read && self.conn.piece() {
            self.pass(Way::Seen, &Packet::Pingreq);
        }
    }

    fn next(&mut self, way: Way) -> Option<Packet> {
        if self.lane(way).undecoded.is_empty() {
            return None;
        }
        let forgive = self.conn.forgives().filter(|_| way == Way::Seen);
        if forgive.is_some_and(|forgive| forgive(&mut self.seen.undecoded)) {
            self.mutator.forgave();
        }
        let decoder = self.decoder(way);
        let lane = self.lane(way);
        let before = lane.undecoded.clone();
        let decoded = match decoder {
            Some(mut decoder) if !lane.is_lost => {
                let decoded = decoder.decode(&mut lane.undecoded);
                lane.decoder = Some(decoder);
                decoded.ok()
            }
            Some(_) | None => None,
        };
        decoded.unwrap_or_else(|| {
            lane.is_lost = true;
            lane.undecoded.clear();
            lane.passed.extend_from_slice(&before);
            None
        })
    }

    /// The side that says CONNECT tells the version to both; `None`: the other side has spoken first.
    fn decoder(&mut self, way: Way) -> Option<Decoder> {
        if let Some(decoder) = self.lane(way).decoder.take() {
            return Some(decoder);
        }
        let is_broker = self.mutator.side() == Side::Broker;
        match way {
            Way::Seen if is_broker => Some(Decoder::new(u32::MAX)),
            Way::Sent if !is_broker => Some(Decoder::new(u32::MAX)),
            Way::Seen | Way::Sent => {
                let connect = self.conn.connect()?;
                Some(Decoder::with_version(connect.version, u32::MAX))
            }
        }
    }

    const fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::Seen => &mut self.seen,
            Way::Sent => &mut self.sent,
        }
    }

    fn carry_out(&mut self, act: Act) {
        match act {
            Act::Pass(way, packet) => self.pass(way, &packet),
            Act::Late(after, way, packet) => self.late.push((Box::pin(sleep(after)), way, packet)),
            Act::Bytes(bytes) => self.sent.passed.extend_from_slice(&bytes),
            Act::End => self.is_over = true,
        }
        self.reader.wake_by_ref();
    }

    fn pass(&mut self, way: Way, packet: &Packet) {
        let version = self.conn.version();
        encode(version, packet.into(), &mut self.lane(way).passed);
    }
}

impl<R: Send + 'static, W: Send + 'static> Drop for MutatedRead<R, W> {
    fn drop(&mut self) {
        let link = lock(&self.link);
        if link.conn.stays_open() {
            link.mutator.keep(self.read.take());
        }
    }
}

impl<W: Send + 'static> Drop for Link<W> {
    fn drop(&mut self) {
        if self.conn.stays_open() {
            self.mutator.keep(self.write.take());
        }
    }
}
