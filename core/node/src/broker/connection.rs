use std::{
    future::poll_fn,
    io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use squall_proto::{
    ConnId,
    broker::{Close, Input},
};
use tokio::{io::AsyncRead, task::coop::unconstrained, time::timeout};
use tracing::debug;

use super::{
    inbound::Inbound,
    outbox::{Notice, Outbox},
    shared::Shared,
};

/// One Network Connection, from its opening to its end.
pub(super) struct Connection<R> {
    shared: Arc<Shared>,
    conn: ConnId,
    inbound: Inbound<R>,
    outbox: Arc<Outbox>,
}

/// How it came to an end.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the peer ended it")]
    Eof,
    #[error("reading failed: {0}")]
    Unreadable(io::Error),
    /// What the peer said before may still be read.
    #[error("writing failed: {0}")]
    Unwritable(io::ErrorKind),
    #[error("the broker closes it: {0:?}")]
    Closing(Close),
}

impl<R: AsyncRead + Unpin> Connection<R> {
    pub(super) const fn new(
        shared: Arc<Shared>,
        conn: ConnId,
        inbound: Inbound<R>,
        outbox: Arc<Outbox>,
    ) -> Self {
        Self {
            shared,
            conn,
            inbound,
            outbox,
        }
    }

    /// Serves it until it ends. To drop this is a crash: the stream is closed, and the broker is not told.
    pub(super) async fn run(mut self) {
        // Without tokio's budget a fan-out to more receivers than it allows polls would find every further socket full.
        let mut end = unconstrained(poll_fn(|cx| self.poll_open(cx))).await;
        if let End::Unwritable(_) = end {
            let rest = unconstrained(poll_fn(|cx| self.poll_rest(cx)));
            end = timeout(CLOSE_TIMEOUT, rest).await.unwrap_or(end);
        }
        let told = match end {
            End::Closing(_) => {
                let close = unconstrained(poll_fn(|cx| self.outbox.poll_close(cx)));
                matches!(timeout(CLOSE_TIMEOUT, close).await, Ok(Ok(())))
            }
            End::Eof | End::Unreadable(_) | End::Unwritable(_) => false,
        };
        self.shared.lose(self.conn);
        debug!(conn = %self.conn, %end, told, "closed");
        if told {
            // To close with bytes unread resets the connection, and the peer might not see what it was told last.
            let _ = timeout(LINGER, self.inbound.drain()).await;
        }
    }

    /// Reads and handles batches, and writes when the network can take again what it could not.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..BATCHES {
            match self.outbox.poll_notice(cx) {
                Notice::Open => {
                    if let Some(end) = ready!(self.poll_batch(cx)) {
                        return Poll::Ready(end);
                    }
                }
                Notice::Flushed => self.shared.handle([Input::Flushed(self.conn)]),
                Notice::Closing(close) => return Poll::Ready(End::Closing(close)),
                Notice::Broken(error) => return Poll::Ready(End::Unwritable(error)),
            }
        }
        // The others on this thread first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads what a peer had sent when writing to it failed: there may be a DISCONNECT, and then there is no Will to publish.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Some(end) = ready!(self.poll_batch(cx)) {
                return Poll::Ready(end);
            }
        }
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<End>> {
        let batch = self
            .inbound
            .poll_batch(cx, self.conn, |inputs| self.shared.handle(inputs));
        batch.map(|batch| match batch {
            Ok(true) => None,
            Ok(false) => Some(End::Eof),
            Err(error) => Some(End::Unreadable(error)),
        })
    }
}

impl<R> Drop for Connection<R> {
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
