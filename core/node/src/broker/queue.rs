use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use squall_proto::{PacketRef, Version, encode_without_payload};
use tokio::io::AsyncWrite;

/// Bytes on their way to one connection, in order: whole segments that are shared with others, then a tail that grows.
#[derive(Debug, Default)]
pub(super) struct Queue {
    segments: VecDeque<Bytes>,
    tail: BytesMut,
    /// How much of the first of these has been written.
    written: usize,
    len: usize,
}

impl Queue {
    /// Bytes not written yet.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a packet. A large payload is shared, a small one copied.
    pub(super) fn push(&mut self, version: Version, packet: PacketRef<'_>) {
        if self.tail.capacity() == 0 {
            self.tail = spare_buffer();
        }
        let before = self.tail.len();
        let payload = encode_without_payload(version, packet, &mut self.tail);
        self.len += self.tail.len() - before;
        let Some(payload) = payload else { return };
        self.len += payload.len();
        if payload.len() < SHARED_PAYLOAD_MIN {
            self.tail.extend_from_slice(payload);
        } else {
            self.end_segment();
            self.segments.push_back(payload.clone());
        }
    }

    /// Appends all of `other`, of which nothing has been written.
    pub(super) fn append(&mut self, mut other: Self) {
        if self.is_empty() {
            std::mem::swap(self, &mut other);
        } else if other.segments.is_empty() && self.tail.len() + other.tail.len() <= SEGMENT {
            self.len += other.len;
            self.tail.extend_from_slice(&other.tail);
        } else {
            self.end_segment();
            self.len += other.len;
            self.segments.append(&mut other.segments);
            std::mem::swap(&mut self.tail, &mut other.tail);
        }
        other.recycle();
    }

    /// Writes until all is written or the writer takes no more.
    pub(super) fn poll_write_to(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut (impl AsyncWrite + Unpin + ?Sized),
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let written = std::task::ready!(self.poll_write_once(cx, Pin::new(&mut *writer)))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Gives the buffer of an empty queue to the next queue of this thread that needs one: idle connections hold none.
    pub(super) fn recycle(&mut self) {
        self.segments = VecDeque::new();
        let mut tail = std::mem::take(&mut self.tail);
        tail.clear();
        if tail.capacity() > 0 {
            SPARE.with_borrow_mut(|spare| spare.put(tail));
        }
    }

    fn poll_write_once(
        &self,
        cx: &mut Context<'_>,
        writer: Pin<&mut (impl AsyncWrite + ?Sized)>,
    ) -> Poll<io::Result<usize>> {
        if self.segments.is_empty() {
            return writer.poll_write(cx, self.tail.get(self.written..).unwrap_or_default());
        }
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let chunks = self
            .segments
            .iter()
            .map(AsRef::as_ref)
            .chain([self.tail.as_ref()]);
        let mut skip = self.written;
        let mut filled = 0;
        for (slice, chunk) in slices.iter_mut().zip(chunks) {
            *slice = IoSlice::new(chunk.get(skip..).unwrap_or_default());
            skip = 0;
            filled += 1;
        }
        writer.poll_write_vectored(cx, slices.get(..filled).unwrap_or_default())
    }

    fn advance(&mut self, written: usize) {
        self.len = self.len.saturating_sub(written);
        self.written += written;
        while let Some(first) = self.segments.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.segments.pop_front();
        }
        if self.is_empty() {
            self.tail.clear();
            self.written = 0;
        }
    }

    fn end_segment(&mut self) {
        if !self.tail.is_empty() {
            let segment = self.tail.split().freeze();
            self.segments.push_back(segment);
        }
    }
}

/// Buffers between two uses.
#[derive(Default)]
struct Spare {
    buffers: Vec<BytesMut>,
    bytes: usize,
}

impl Spare {
    fn put(&mut self, buffer: BytesMut) {
        if self.bytes + buffer.capacity() <= SPARE_BYTES_MAX {
            self.bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }

    fn take(&mut self) -> BytesMut {
        match self.buffers.pop() {
            Some(buffer) => {
                self.bytes = self.bytes.saturating_sub(buffer.capacity());
                buffer
            }
            None => BytesMut::with_capacity(BUFFER),
        }
    }
}

fn spare_buffer() -> BytesMut {
    SPARE.with_borrow_mut(Spare::take)
}

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

/// Bytes of a new buffer.
const BUFFER: usize = 4 << 10;
/// Bytes of buffers that a thread keeps for reuse.
const SPARE_BYTES_MAX: usize = 16 << 20;
/// Payloads from this length on are shared instead of copied.
const SHARED_PAYLOAD_MIN: usize = 2 << 10;
/// Beyond this length a tail is not copied to, but followed by another.
const SEGMENT: usize = 64 << 10;
/// Slices given to one write.
const SLICES_MAX: usize = 64;
