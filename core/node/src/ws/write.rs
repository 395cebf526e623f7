use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use parking_lot::Mutex;
use rand::{Rng as _, rngs::StdRng};
use smallvec::SmallVec;
use tokio::io::AsyncWrite;
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

use super::{frames::mix, read::NORMAL};

/// The half of a WebSocket that writes: what one write takes is a binary frame.
#[derive(Debug)]
pub struct WsWrite<W>(Arc<Mutex<Sender<W>>>);

/// What both halves of a WebSocket send with.
#[derive(Debug)]
pub(super) struct Sender<W> {
    stream: W,
    /// Those of a client. What a server sends is not masked, and not copied.
    masks: Option<Box<StdRng>>,
    /// Framing that the stream is to take next, and what is masked.
    out: SmallVec<[u8; 16]>,
    /// How much of it the stream has taken.
    written: usize,
    /// Payload that the frame has promised and the caller has still to give.
    left: usize,
    /// The Pong or Close that is to be sent between two frames.
    answer: Option<Answer>,
    close_sent: bool,
    /// Who waits to write. A stream remembers one waker, and the other half may have put its own there.
    waiting: Option<Waker>,
    displaced: bool,
}

#[derive(Debug)]
enum Answer {
    Pong(SmallVec<[u8; 16]>),
    Close(u16),
}

impl<W: AsyncWrite + Unpin> WsWrite<W> {
    pub(super) const fn new(sender: Arc<Mutex<Sender<W>>>) -> Self {
        Self(sender)
    }
}

impl<W: AsyncWrite + Unpin> Sender<W> {
    pub(super) fn new(stream: W, masks: Option<StdRng>) -> Self {
        Self {
            stream,
            masks: masks.map(Box::new),
            out: SmallVec::new(),
            written: 0,
            left: 0,
            answer: None,
            close_sent: false,
            waiting: None,
            displaced: false,
        }
    }

    /// Answers a Ping. One that is not sent yet gives way: only the last has to be answered (RFC 6455, 5.5.3).
    pub(super) fn pong(&mut self, said: &[u8]) {
        if !matches!(self.answer, Some(Answer::Close(_))) {
            self.answer = Some(Answer::Pong(said.into()));
        }
    }

    /// Says Close, once.
    pub(super) fn close(&mut self, code: u16) {
        if !self.close_sent {
            self.answer = Some(Answer::Close(code));
        }
    }

    /// For the half that reads: sends its answers as far as the stream takes them now. What it does not take leaves with what is
    /// written next, or when the stream can take it.
    pub(super) fn poll_answers(&mut self, cx: &mut Context<'_>) {
        if self.left > 0 || !(self.answer.is_some() || self.displaced) {
            return;
        }
        // An error shows in the next write, and the stream's end in the next read.
        self.displaced = self.poll_flush(cx).is_pending();
        if !self.displaced
            && let Some(waiting) = self.waiting.take()
        {
            waiting.wake();
        }
    }

    /// Begins a frame for what is in `bufs`, or goes on with one; says how many bytes of payload were taken.
    fn poll_write(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let len = bufs.iter().map(|buf| buf.len()).sum();
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        if self.masks.is_some() {
            ready!(self.poll_out(cx))?;
            let taken = self.mask(bufs);
            // What is not written now is written before what comes next, or when it is flushed.
            return match self.poll_out(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
            };
        }
        if self.left == 0 {
            ready!(self.poll_out(cx))?;
            self.begin(OpCode::Data(Data::Binary), len, None);
            self.left = len;
        }
        self.poll_payload(cx, bufs)
    }

    /// Writes framing and payload in one go, as long as the stream takes nothing but framing.
    fn poll_payload(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let framing = self.out.len() - self.written;
            let wrote = ready!(self.poll_slices(cx, bufs))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += wrote.min(framing);
            let payload = wrote.saturating_sub(framing);
            if payload > 0 {
                self.out.clear();
                self.written = 0;
                self.left = self.left.saturating_sub(payload);
                return Poll::Ready(Ok(payload));
            }
        }
    }

    /// Writes once: framing, then as much payload as the frame has promised.
    fn poll_slices(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let framing = self.out.get(self.written..).unwrap_or_default();
        let mut slices: SmallVec<[IoSlice<'_>; 65]> = SmallVec::new();
        slices.push(IoSlice::new(framing));
        let mut left = self.left;
        for buf in bufs {
            let some = buf.get(..buf.len().min(left)).unwrap_or_default();
            slices.push(IoSlice::new(some));
            left -= some.len();
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, &slices)
    }

    /// A whole frame of the first bytes of `bufs`, masked.
    fn mask(&mut self, bufs: &[IoSlice<'_>]) -> usize {
        let len = bufs.iter().map(|buf| buf.len()).sum::<usize>().min(MASKED_MAX);
        let mut key = [0; 4];
        if let Some(masks) = &mut self.masks {
            masks.fill_bytes(&mut key);
        }
        self.begin(OpCode::Data(Data::Binary), len, Some(key));
        let payload = self.out.len();
        for buf in bufs {
            let room = len - (self.out.len() - payload);
            self.out
                .extend_from_slice(buf.get(..buf.len().min(room)).unwrap_or_default());
        }
        mix(key, 0, self.out.get_mut(payload..).unwrap_or_default());
        len
    }

    /// Writes what is in `out`, then the answer if there is one. Only between frames.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.written < self.out.len() {
                let bytes = self.out.get(self.written..).unwrap_or_default();
                let wrote = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
                if wrote == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.written += wrote;
            }
            self.out.clear();
            self.written = 0;
            match self.answer.take() {
                None => return Poll::Ready(Ok(())),
                Some(Answer::Pong(said)) => self.control(Control::Pong, &said),
                Some(Answer::Close(code)) => {
                    self.close_sent = true;
                    self.control(Control::Close, &code.to_be_bytes());
                }
            }
        }
    }

    fn control(&mut self, kind: Control, said: &[u8]) {
        let mut key = None;
        if let Some(masks) = &mut self.masks {
            let mut bytes = [0; 4];
            masks.fill_bytes(&mut bytes);
            key = Some(bytes);
        }
        self.begin(OpCode::Control(kind), said.len(), key);
        let payload = self.out.len();
        self.out.extend_from_slice(said);
        mix(
            key.unwrap_or_default(),
            0,
            self.out.get_mut(payload..).unwrap_or_default(),
        );
    }

    fn begin(&mut self, opcode: OpCode, len: usize, mask: Option<[u8; 4]>) {
        let header = FrameHeader {
            opcode,
            mask,
            ..FrameHeader::default()
        };
        header
            .format(len as u64, &mut self.out)
            .expect("a vector takes every write");
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            ready!(self.poll_out(cx))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // In the middle of a frame there is no word for the end.
        if self.left == 0 {
            self.close(NORMAL);
            ready!(self.poll_out(cx))?;
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Remembers who waits.
    fn waits<T>(&mut self, cx: &Context<'_>, result: Poll<T>) -> Poll<T> {
        self.waiting = result.is_pending().then(|| cx.waker().clone());
        result
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for WsWrite<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut sender = self.0.lock();
        let written = sender.poll_write(cx, bufs);
        sender.waits(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sender = self.0.lock();
        let flushed = sender.poll_flush(cx);
        sender.waits(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sender = self.0.lock();
        let ended = sender.poll_shutdown(cx);
        sender.waits(cx, ended)
    }
}

/// Bytes of payload that a client masks at a time.
const MASKED_MAX: usize = 16 << 10;
