use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use squall_proto::{
    ConnId,
    broker::{Close, Input},
};
use tokio::{io::AsyncRead, task::coop::unconstrained, time::timeout};
use tracing::{debug, info};

use super::{
    inbound::Inbound,
    judging::Judging,
    outbox::{Notice, Outbox},
    shared::Shared,
};
use crate::Stream;

/// One Network Connection, from its acceptance to its end.
pub(super) struct Connection {
    shared: Arc<Shared>,
    conn: ConnId,
    outbox: Arc<Outbox>,
}

/// How it came to an end.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the peer ended it")]
    Eof,
    #[error("no stream came of it: {0}")]
    Unopened(io::Error),
    #[error("reading failed: {0}")]
    Unreadable(io::Error),
    /// What the peer said before may still be read.
    #[error("writing failed: {0}")]
    Unwritable(io::ErrorKind),
    #[error("the broker closes it: {0:?}")]
    Closing(Close),
}

impl Connection {
    pub(super) const fn new(shared: Arc<Shared>, conn: ConnId, outbox: Arc<Outbox>) -> Self {
        Self { shared, conn, outbox }
    }

    /// Serves it until it ends. To drop this is a crash: the stream is closed, and the broker is not told.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async function keeps its arguments twice, for each connection"
    )]
    pub(super) fn run<S: Stream>(
        self,
        opening: impl Future<Output = io::Result<S>> + Send,
        packet_size_max: u32,
    ) -> impl Future<Output = ()> + Send {
        async move {
            let Some(mut inbound) = self.open(opening, packet_size_max).await else {
                return;
            };
            self.serve(&mut inbound).await;
        }
    }

    /// The receiving side of the stream; `None` when none came of what was accepted.
    async fn open<S: Stream>(
        &self,
        opening: impl Future<Output = io::Result<S>>,
        packet_size_max: u32,
    ) -> Option<Inbound<S::Read>> {
        let mut opening = pin!(opening);
        match poll_fn(|cx| self.poll_opening(cx, opening.as_mut())).await {
            Ok(stream) => {
                let (read, write) = stream.split();
                self.outbox.open(write);
                Some(Inbound::new(read, packet_size_max))
            }
            Err(end) => {
                self.shared.lose(self.conn);
                info!(conn = %self.conn, %end, "closed");
                None
            }
        }
    }

    /// Waits for the stream, unless the broker has waited long enough: its time for CONNECT has begun.
    fn poll_opening<S>(
        &self,
        cx: &mut Context<'_>,
        opening: Pin<&mut impl Future<Output = io::Result<S>>>,
    ) -> Poll<Result<S, End>> {
        match self.outbox.poll_notice(cx) {
            Notice::Closing(close) => Poll::Ready(Err(End::Closing(close))),
            Notice::Broken(error) => Poll::Ready(Err(End::Unwritable(error))),
            Notice::Open | Notice::Flushed => opening.poll(cx).map_err(End::Unopened),
        }
    }

    async fn serve<R: AsyncRead + Unpin>(&self, inbound: &mut Inbound<R>) {
        // Without tokio's budget a fan-out to more receivers than it allows polls would find every further socket full.
        let mut judging = self
            .shared
            .authenticator()
            .cloned()
            .map(Judging::new)
            .map(Box::new);
        let mut end = unconstrained(poll_fn(|cx| self.poll_open(cx, inbound, &mut judging))).await;
        if let End::Unwritable(_) = end {
            let rest = unconstrained(poll_fn(|cx| self.poll_rest(cx, inbound, &mut judging)));
            end = timeout(CLOSE_TIMEOUT, rest).await.unwrap_or(end);
        }
        let told = match end {
            End::Closing(_) => {
                let close = unconstrained(poll_fn(|cx| self.outbox.poll_close(cx)));
                matches!(timeout(CLOSE_TIMEOUT, close).await, Ok(Ok(())))
            }
            End::Eof | End::Unopened(_) | End::Unreadable(_) | End::Unwritable(_) => false,
        };
        self.shared.lose(self.conn);
        debug!(conn = %self.conn, %end, told, "closed");
        if told {
            // To close with bytes unread resets the connection, and the peer might not see what it was told last.
            let _ = timeout(LINGER, inbound.drain()).await;
        }
    }

    /// Reads and handles batches, and writes when the network can take again what it could not.
    fn poll_open<R: AsyncRead + Unpin>(
        &self,
        cx: &mut Context<'_>,
        inbound: &mut Inbound<R>,
        judging: &mut Option<Box<Judging>>,
    ) -> Poll<End> {
        for _ in 0..BATCHES {
            match self.outbox.poll_notice(cx) {
                Notice::Open => {
                    if let Some(end) = ready!(self.poll_next(cx, inbound, judging)) {
                        return Poll::Ready(end);
                    }
                }
                Notice::Flushed => self.handle(judging, [Input::Flushed(self.conn)]),
                Notice::Closing(close) => return Poll::Ready(End::Closing(close)),
                Notice::Broken(error) => return Poll::Ready(End::Unwritable(error)),
            }
        }
        // The others on this thread first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads what a peer had sent when writing to it failed: there may be a DISCONNECT, and then there is no Will to publish.
    fn poll_rest<R: AsyncRead + Unpin>(
        &self,
        cx: &mut Context<'_>,
        inbound: &mut Inbound<R>,
        judging: &mut Option<Box<Judging>>,
    ) -> Poll<End> {
        loop {
            if let Some(end) = ready!(self.poll_next(cx, inbound, judging)) {
                return Poll::Ready(end);
            }
        }
    }

    /// Tells the broker the answer to what it asked, or reads a batch, unless the question holds the connection.
    fn poll_next<R: AsyncRead + Unpin>(
        &self,
        cx: &mut Context<'_>,
        inbound: &mut Inbound<R>,
        judging: &mut Option<Box<Judging>>,
    ) -> Poll<Option<End>> {
        if let Some(asked) = judging {
            if let Poll::Ready((judgement, held)) = asked.poll(cx) {
                self.handle(judging, [Input::Judged(self.conn, judgement)]);
                if held {
                    inbound.go_on(self.conn, |inputs| self.handle(judging, inputs));
                }
                return Poll::Ready(None);
            }
            if asked.holds() {
                return Poll::Pending;
            }
        }
        ready!(self.shared.poll_room(self.conn, cx));
        let batch = inbound.poll_batch(cx, self.conn, |inputs| self.handle(judging, inputs));
        batch.map(|batch| match batch {
            Ok(true) => None,
            Ok(false) => Some(End::Eof),
            Err(error) => Some(End::Unreadable(error)),
        })
    }

    fn handle(&self, judging: &mut Option<Box<Judging>>, inputs: impl IntoIterator<Item = Input>) {
        if let Some(question) = self.shared.handle(inputs)
            && let Some(judging) = judging
        {
            judging.ask(question);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.outbox.abandon();
    }
}

/// Reads in a row before other connections have their turn.
const BATCHES: usize = 4;
/// For a peer to take what a closing connection was told, and for what it said before to arrive when it takes nothing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// For a peer to close its side when ours is closed.
const LINGER: Duration = Duration::from_secs(1);
