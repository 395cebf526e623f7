use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::protocol::frame::coding::Control;

use super::{
    Role,
    frames::{Broken, Frames, Piece},
    write::Sender,
};

/// The half of a WebSocket that reads. It answers Ping and Close by itself, between the frames that the other half writes.
#[derive(Debug)]
pub struct WsRead<R, W> {
    stream: R,
    /// What came behind the handshake.
    unread: BytesMut,
    frames: Frames,
    state: State,
    sender: Arc<Mutex<Sender<W>>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Open,
    /// The other side sent Close.
    Closed,
    Broken(Broken),
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> WsRead<R, W> {
    pub(super) const fn new(stream: R, unread: BytesMut, role: Role, sender: Arc<Mutex<Sender<W>>>) -> Self {
        Self {
            stream,
            unread,
            frames: Frames::new(role),
            state: State::Open,
            sender,
        }
    }

    /// Reads what there is to read, framing and all.
    fn poll_wire(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let some = self.unread.split_to(self.unread.len().min(into.remaining()));
        into.put_slice(&some);
        if self.unread.is_empty() {
            self.unread = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// Moves the payload in `wire` to its front; says how much there is.
    fn take_apart(&mut self, wire: &mut [u8]) -> usize {
        let mut taken = 0;
        let mut payload = 0;
        while let State::Open = self.state
            && taken < wire.len()
        {
            match self.frames.next(wire.get_mut(taken..).unwrap_or_default()) {
                Ok(Piece::Framing(len)) => taken += len,
                Ok(Piece::Payload(len)) => {
                    wire.copy_within(taken..taken + len, payload);
                    taken += len;
                    payload += len;
                }
                Ok(Piece::Control(len, kind, said)) => {
                    taken += len;
                    self.hear(kind, &said);
                }
                Err(broken) => {
                    self.sender.lock().close(broken.close_code());
                    self.state = State::Broken(broken);
                }
            }
        }
        payload
    }

    fn hear(&mut self, kind: Control, said: &[u8]) {
        match kind {
            Control::Ping => self.sender.lock().pong(said),
            Control::Close => {
                let code = said
                    .first_chunk()
                    .map_or(NORMAL, |code| u16::from_be_bytes(*code));
                self.sender.lock().close(code);
                self.state = State::Closed;
            }
            Control::Pong | Control::Reserved(_) => {}
        }
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> AsyncRead for WsRead<R, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        loop {
            self.sender.lock().poll_answers(cx);
            match self.state {
                State::Open => {}
                State::Closed => return Poll::Ready(Ok(())),
                State::Broken(broken) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, broken)));
                }
            }
            if into.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_wire(cx, into))?;
            let wire = into.filled_mut().get_mut(before..).unwrap_or_default();
            if wire.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let payload = self.take_apart(wire);
            into.set_filled(before + payload);
            if payload > 0 {
                self.sender.lock().poll_answers(cx);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl Broken {
    /// What a Close frame says of it (RFC 6455, 7.4.1).
    const fn close_code(self) -> u16 {
        match self {
            Self::Text => UNSUPPORTED_DATA,
            Self::Header | Self::Reserved | Self::Mask | Self::Control | Self::Continuation => PROTOCOL_ERROR,
        }
    }
}

pub(super) const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const UNSUPPORTED_DATA: u16 = 1003;
