use std::{
    cell::Cell,
    io, iter, mem,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use squall_proto::{ConnId, Decoder, broker::Input};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The receiving side of one connection. While nothing comes it holds no buffer but for the beginning of a packet.
pub(super) struct Inbound<R> {
    stream: R,
    decoder: Decoder,
    /// The beginning of a packet.
    rest: BytesMut,
    malformed: bool,
}

impl<R: AsyncRead + Unpin> Inbound<R> {
    pub(super) fn new(stream: R, packet_size_max: u32) -> Self {
        Self {
            stream,
            decoder: Decoder::new(packet_size_max),
            rest: BytesMut::new(),
            malformed: false,
        }
    }

    /// Reads once and gives `handle` all that became whole, of which it need not take everything. `false` at the end of the stream.
    pub(super) fn poll_batch(
        &mut self,
        cx: &mut Context<'_>,
        conn: ConnId,
        handle: impl FnOnce(&mut dyn Iterator<Item = Input>),
    ) -> Poll<io::Result<bool>> {
        // What is wrong with the beginning of a packet has been found already.
        let wanted = self.decoder.packet_len(&self.rest).ok().flatten().unwrap_or(0);
        if wanted > COPIED_MAX {
            self.poll_large(cx, conn, wanted, handle)
        } else {
            self.poll_small(cx, conn, handle)
        }
    }

    /// Gives `handle` what became whole before, as far as it has not taken it yet.
    pub(super) fn go_on(&mut self, conn: ConnId, handle: impl FnOnce(&mut dyn Iterator<Item = Input>)) {
        let mut rest = mem::take(&mut self.rest);
        handle(&mut self.inputs(conn, &mut rest));
        self.rest = rest;
    }

    /// Reads and forgets until the stream ends or fails, or goes on and on.
    pub(super) async fn drain(&mut self) {
        // Not an array: the task of every connection would have room for it from its beginning.
        let mut buffer = vec![0; 1024];
        for _ in 0..DRAINS {
            let Ok(1..) = self.stream.read(&mut buffer).await else {
                return;
            };
        }
    }

    /// Reads into the thread's buffer.
    fn poll_small(
        &mut self,
        cx: &mut Context<'_>,
        conn: ConnId,
        handle: impl FnOnce(&mut dyn Iterator<Item = Input>),
    ) -> Poll<io::Result<bool>> {
        let mut buffer = BUFFER.take();
        buffer.clear();
        buffer.reserve(COPIED_MAX + READ);
        buffer.extend_from_slice(&self.rest);
        let read = self.poll_read(cx, &mut buffer, READ);
        if let Poll::Ready(Ok(1..)) = read {
            handle(&mut self.inputs(conn, &mut buffer));
            self.rest = BytesMut::from(buffer.as_ref());
        }
        BUFFER.set(buffer);
        read.map_ok(|read| read > 0)
    }

    /// Reads into a buffer of its own, which grows with what has come, so that a packet is not paid for before it is there.
    fn poll_large(
        &mut self,
        cx: &mut Context<'_>,
        conn: ConnId,
        wanted: usize,
        handle: impl FnOnce(&mut dyn Iterator<Item = Input>),
    ) -> Poll<io::Result<bool>> {
        let mut buffer = mem::take(&mut self.rest);
        let missing = wanted.saturating_sub(buffer.len());
        let room = missing.min(buffer.len().max(READ));
        buffer.reserve(room);
        let read = self.poll_read(cx, &mut buffer, room);
        self.rest = buffer;
        if ready!(read)? == 0 {
            return Poll::Ready(Ok(false));
        }
        if self.rest.len() >= wanted {
            let mut buffer = mem::take(&mut self.rest);
            handle(&mut self.inputs(conn, &mut buffer));
        }
        Poll::Ready(Ok(true))
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut BytesMut,
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = buffer.limit(limit);
        pin!(self.stream.read_buf(&mut buffer)).poll(cx)
    }

    /// The packets at the front of `buffer`, and what is wrong with the first that is none.
    fn inputs(&mut self, conn: ConnId, buffer: &mut BytesMut) -> impl Iterator<Item = Input> {
        iter::from_fn(move || {
            if self.malformed {
                buffer.clear();
                return None;
            }
            match self.decoder.decode(buffer) {
                Ok(packet) => packet.map(|packet| Input::Received(conn, packet)),
                Err(error) => {
                    self.malformed = true;
                    Some(Input::Malformed(conn, error))
                }
            }
        })
    }
}

thread_local! {
    static BUFFER: Cell<BytesMut> = Cell::default();
}

/// Bytes asked of the network at a time.
const READ: usize = 64 << 10;
/// The beginning of a packet up to this size is copied to the front of the next read; a larger one is read where it is.
const COPIED_MAX: usize = 32 << 10;
/// Reads of 1 KiB that a closed connection is worth.
const DRAINS: usize = 256;
