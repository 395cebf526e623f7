//! The sending side of one connection. Whoever has output for it writes it at once, without waiting; only when the network takes no
//! more, the connection's own task waits for it.
//!
//! ```text
//!     Opening
//!         │ the stream is there
//!         │    ┌─── all written ────────┐
//!         ▼    ▼                        │
//!       Idle ──── anybody writes ────► Lent ──── write error ────► Broken
//!                                      ▲  │
//!                         owner writes │  │ the network takes no more
//!                                      │  ▼
//!                                     Blocked
//! ```
//!
//! While a writer is `Blocked` nobody but the owner polls it: a poll replaces the waker that an earlier one left, and only the owner's
//! is one that somebody waits on. Whoever makes a writer `Blocked` wakes the owner, which polls and thereby leaves its waker.

use std::{
    io, mem,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker, ready},
};

use parking_lot::{Mutex, MutexGuard};
use squall_proto::broker::Close;
use tokio::io::AsyncWrite;

use super::queue::Queue;

/// See the module.
pub(super) struct Outbox {
    state: Mutex<State>,
    /// Bytes that the network has not taken. Written under the lock, read without.
    unsent: AtomicUsize,
}

struct State {
    /// What the writer has not got yet.
    queue: Queue,
    writer: Writer,
    /// More than the soft limit was unsent, and somebody wants to know when nothing is.
    above_soft: bool,
    flushed: bool,
    closing: Option<Close>,
    owner: Waker,
}

enum Writer {
    /// The handshakes before the stream are under way.
    Opening,
    Idle(Box<Writing>),
    Lent,
    Blocked(Box<Writing>),
    Broken(io::ErrorKind),
}

/// What is being written, and where to.
struct Writing<W: ?Sized = dyn AsyncWrite + Send + Unpin> {
    queue: Queue,
    stream: W,
}

/// What the owner has to act upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nothing.
    Open,
    /// All has been written, after it had been above the soft limit. Said once.
    Flushed,
    /// The broker wants the connection closed.
    Closing(Close),
    /// Writing failed; what is unsent is lost.
    Broken(io::ErrorKind),
}

/// Who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Owner,
    Anybody,
}

impl Outbox {
    /// Of a connection whose stream is still to come.
    pub(super) fn opening() -> Self {
        Self {
            state: Mutex::new(State {
                queue: Queue::default(),
                writer: Writer::Opening,
                above_soft: false,
                flushed: false,
                closing: None,
                owner: Waker::noop().clone(),
            }),
            unsent: AtomicUsize::new(0),
        }
    }

    /// The stream is there. What was appended before is written with what comes next.
    pub(super) fn open(&self, stream: impl AsyncWrite + Send + Unpin + 'static) {
        let queue = Queue::default();
        self.state.lock().writer = Writer::Idle(Box::new(Writing { queue, stream }));
    }

    /// Bytes that the network has not taken.
    pub(super) fn unsent_bytes(&self) -> usize {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Appends output without writing it. `above_soft` asks for [`Notice::Flushed`].
    pub(super) fn append(&self, output: Queue, above_soft: bool) {
        let mut state = self.state.lock();
        if !matches!(state.writer, Writer::Broken(_)) {
            self.unsent.fetch_add(output.len(), Ordering::Relaxed);
            state.queue.append(output);
            state.above_soft |= above_soft;
        }
    }

    /// Has the owner close the connection after what was appended.
    pub(super) fn close(&self, close: Close) {
        let mut state = self.state.lock();
        if state.closing.is_none() {
            state.closing = Some(close);
            state.owner.wake_by_ref();
        }
    }

    /// Writes without waiting. Anybody may call it; what cannot be written now is left to the owner.
    pub(super) fn flush(&self) {
        self.write_what_is(Who::Anybody, &mut Context::from_waker(Waker::noop()));
    }

    /// For the owner alone: writes what is blocked, leaves its waker, and says what there is to do.
    pub(super) fn poll_notice(&self, cx: &mut Context<'_>) -> Notice {
        self.remember(cx);
        self.write_what_is(Who::Owner, cx);
        let mut state = self.state.lock();
        if let Some(close) = state.closing {
            Notice::Closing(close)
        } else if let Writer::Broken(error) = state.writer {
            Notice::Broken(error)
        } else if mem::take(&mut state.flushed) {
            Notice::Flushed
        } else {
            Notice::Open
        }
    }

    /// For the owner alone: writes all there is, then ends the stream.
    pub(super) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.remember(cx);
        let mut state = self.state.lock();
        match mem::replace(&mut state.writer, Writer::Lent) {
            // Whoever has it wakes the owner of a closing connection when it puts it back.
            Writer::Lent => Poll::Pending,
            Writer::Opening => {
                state.writer = Writer::Opening;
                Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
            }
            Writer::Broken(error) => {
                state.writer = Writer::Broken(error);
                Poll::Ready(Err(error.into()))
            }
            Writer::Idle(mut writing) | Writer::Blocked(mut writing) => {
                let rest = mem::take(&mut state.queue);
                drop(state);
                writing.queue.append(rest);
                let ended = writing.poll_end(cx);
                self.state.lock().writer = Writer::Blocked(writing);
                ended
            }
        }
    }

    /// Drops the stream: what is unsent is lost, and what comes is ignored.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        let writer = mem::replace(
            &mut state.writer,
            Writer::Broken(io::ErrorKind::ConnectionAborted),
        );
        let queue = mem::take(&mut state.queue);
        drop(state);
        drop((writer, queue));
    }

    fn remember(&self, cx: &Context<'_>) {
        let mut state = self.state.lock();
        if !state.owner.will_wake(cx.waker()) {
            state.owner = cx.waker().clone();
        }
    }

    fn write_what_is(&self, who: Who, cx: &mut Context<'_>) {
        let Some(mut writing) = self.lend(who) else { return };
        for _ in 0..ROUNDS_MAX {
            let before = writing.queue.len();
            let written = writing.poll_write(cx);
            self.unsent
                .fetch_sub(before - writing.queue.len(), Ordering::Relaxed);
            let mut state = self.state.lock();
            match written {
                Poll::Ready(Ok(())) if state.queue.is_empty() => {
                    writing.queue.recycle();
                    state.queue.recycle();
                    return self.put_back(state, Writer::Idle(writing));
                }
                Poll::Ready(Ok(())) => mem::swap(&mut state.queue, &mut writing.queue),
                Poll::Ready(Err(error)) => return self.put_back(state, Writer::Broken(error.kind())),
                Poll::Pending if who == Who::Owner => {
                    state.writer = Writer::Blocked(writing);
                    return;
                }
                Poll::Pending => return self.put_back(state, Writer::Blocked(writing)),
            }
        }
        self.put_back(self.state.lock(), Writer::Blocked(writing));
    }

    /// The writer, when it is for `who` to write and there is something to write.
    fn lend(&self, who: Who) -> Option<Box<Writing>> {
        let mut state = self.state.lock();
        match mem::replace(&mut state.writer, Writer::Lent) {
            Writer::Idle(mut writing) if !state.queue.is_empty() => {
                mem::swap(&mut state.queue, &mut writing.queue);
                Some(writing)
            }
            Writer::Blocked(writing) if who == Who::Owner => Some(writing),
            other @ (Writer::Opening
            | Writer::Idle(_)
            | Writer::Lent
            | Writer::Blocked(_)
            | Writer::Broken(_)) => {
                state.writer = other;
                None
            }
        }
    }

    /// Puts a lent writer back, and wakes the owner if that is something to act upon.
    fn put_back(&self, mut state: MutexGuard<'_, State>, writer: Writer) {
        if matches!(state.writer, Writer::Broken(_)) {
            drop(state);
            return drop(writer);
        }
        let news = match writer {
            Writer::Idle(_) => {
                let flushed = mem::take(&mut state.above_soft);
                state.flushed |= flushed;
                flushed || state.closing.is_some()
            }
            Writer::Blocked(_) => true,
            Writer::Broken(_) => {
                state.queue = Queue::default();
                self.unsent.store(0, Ordering::Relaxed);
                true
            }
            Writer::Opening | Writer::Lent => false,
        };
        state.writer = writer;
        if news {
            state.owner.wake_by_ref();
        }
    }
}

impl Writing {
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.queue.poll_write_to(cx, &mut self.stream))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.queue.poll_write_to(cx, &mut self.stream))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// How often one writer takes up what others append meanwhile, before it leaves the rest to the owner.
const ROUNDS_MAX: usize = 16;

#[cfg(test)]
mod tests;
