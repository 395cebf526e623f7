//! The broker's I/O: bytes from streams to [`squall_proto::broker::Broker`], and what follows from them back.
//!
//! In reading order: a [`Server`] accepts; `connection` is the task of one connection; it reads by `inbound`, has `shared` handle
//! what it read under one lock a batch, and writes the receivers' `outbox`es itself. `links` is what the broker sees of the
//! connections, `queue` the bytes on their way, `held` those that wait for the `store`, `keeping` the commits to it, `judging` the asking who a client is, `administration` what its owner does to clients, `announcing` what is said of it under `$SYS`.
//!
//! Invariants: no task but the connections', no channel and no wake-up a message. Nothing waits while it holds the lock, and nothing
//! is written while it is held. Dropping [`Server::serve`] drops every connection at once, and the broker is not told: a crash.

mod administration;
mod announcing;
mod connection;
mod held;
mod inbound;
mod judging;
mod keeping;
mod links;
mod outbox;
mod queue;
mod shared;
mod store;

use std::{future::poll_fn, panic, pin::pin, sync::Arc, task::Poll, time::Duration};

use parking_lot::Mutex;
use squall_proto::{
    Instant,
    broker::{Counts, Limits, Settings},
};
use tokio::{task::JoinSet, time::timeout};
use tracing::{debug, warn};

pub use self::announcing::Announcement;
pub use self::store::{
    Commit, DatabaseStore, Fetching, FileStore, Inspection, Progress, Records, Store, StoreError, Totals,
    Watcher,
};
use self::{connection::Connection, outbox::Outbox, shared::Shared};
use crate::{Acceptor, Peer, authentication::Authenticator};

/// A broker, served on as many [`Acceptor`]s as are wanted.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
    packet_size_max: u32,
    connections_max: usize,
    stop_timeout: Duration,
    announcement: Option<Announcement>,
}

impl Server {
    /// A broker without connections or sessions. `seed` decides the Client Identifiers it assigns and the hashing of names.
    /// Its time begins now.
    pub fn new(settings: impl Into<Settings>, seed: u64) -> Self {
        Self::with(settings.into(), seed, None)
    }

    /// As [`Server::new`], with somebody who judges who clients are. Without, CONNECT with an Authentication Method is refused, and
    /// User Name and Password are not looked at.
    pub fn authenticating(
        settings: impl Into<Settings>,
        seed: u64,
        authenticator: Arc<dyn Authenticator>,
    ) -> Self {
        Self::with(settings.into(), seed, Some(authenticator))
    }

    /// A broker with what its store has kept of those before it; what depends on a record leaves when the store has that. `now` is the time
    /// since the beginning of 1970, by which sessions, Wills and messages go on. Who is judged by nobody: see [`Server::new`].
    ///
    /// # Errors
    ///
    /// When the store cannot say what it has.
    pub fn restored(
        settings: impl Into<Settings>,
        seed: u64,
        authenticator: Option<Arc<dyn Authenticator>>,
        store: impl Store,
        now: Duration,
    ) -> Result<Self, StoreError> {
        let settings = settings.into();
        let (limits, now) = (settings.limits.clone(), Instant::ZERO + now);
        let shared = Shared::restored(settings, seed, authenticator, Box::new(store), now)?;
        Ok(Self::of(&limits, shared))
    }

    fn with(settings: Settings, seed: u64, authenticator: Option<Arc<dyn Authenticator>>) -> Self {
        let limits = settings.limits.clone();
        Self::of(&limits, Shared::new(settings, seed, authenticator))
    }

    fn of(limits: &Limits, shared: Shared) -> Self {
        Self {
            packet_size_max: limits.packet_size,
            connections_max: limits.connections.saturating_add(REFUSED_MAX),
            stop_timeout: Self::STOP_TIMEOUT,
            announcement: None,
            shared: Arc::new(shared),
        }
    }

    /// What it is unless [`Server::stopping_within`] says otherwise.
    pub const STOP_TIMEOUT: Duration = Duration::from_secs(6);

    /// How long a [`Server::shutdown`] waits for the clients that were told, and for a store that fails.
    #[must_use]
    pub fn stopping_within(self, stop_timeout: Duration) -> Self {
        Self { stop_timeout, ..self }
    }

    /// From now on the broker says of itself, to whom subscribes to `$SYS/#`, how it does. Otherwise it says nothing.
    #[must_use]
    pub fn announcing(self, announcement: Announcement) -> Self {
        Self {
            announcement: Some(announcement),
            ..self
        }
    }

    /// Why records cannot be kept, while that lasts: nothing that depends on them leaves, and what would need more is refused. They are tried
    /// again and again, unless the error [cannot pass](StoreError::may_pass): then [`Server::serve`] returns.
    pub fn failure(&self) -> Option<Arc<StoreError>> {
        self.shared.failure()
    }

    /// Serves what `acceptor` accepts, until [`Server::shutdown`] and then until the connections have ended, for the time there is for that at
    /// most.
    ///
    /// Dropping the future closes all its connections at once and tells neither clients nor broker: to the world a crash. Before the
    /// `Server` is of any further use it has to be [revived](Server::revive).
    ///
    /// # Panics
    ///
    /// When a connection's task has panicked: what it held may be half done, so nothing is served any more.
    pub async fn serve(&self, acceptor: impl Acceptor) {
        let connections = Mutex::new(JoinSet::new());
        let mut keep = pin!(self.shared.keep());
        tokio::select! {
            biased;
            () = self.shared.stopped() => {}
            () = self.accept(acceptor, &connections) => {}
            () = reap(&connections) => {}
            () = self.shared.tick() => {}
            () = self.shared.announce(self.announcement.as_ref()) => {}
            () = &mut keep => return,
        }
        let mut connections = connections.into_inner();
        let ended = async {
            while let Some(ended) = connections.join_next().await {
                propagate(ended);
            }
        };
        tokio::select! {
            biased;
            ended = timeout(self.stop_timeout, ended) => if ended.is_err() {
                warn!("connections remain that do not end");
            },
            () = &mut keep => return,
        }
        tokio::select! {
            biased;
            () = self.shared.all_kept() => {}
            () = &mut keep => {}
            () = self.shared.failing_for(self.stop_timeout) => warn!("stopped without the last records"),
        }
    }

    /// How much the broker holds. Costs a look at each session.
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Stops accepting, and tells every client. [`Server::serve`] returns when that is done.
    pub fn shutdown(&self) {
        self.shared.stop();
    }

    /// After [`Server::serve`] was dropped, takes every connection to be lost, as a broker does that comes back from a crash with all
    /// that it knew: sessions go on, and Wills are due from now on. Then it can serve again.
    pub fn revive(&self) {
        self.shared.revive();
    }

    async fn accept<A: Acceptor>(&self, mut acceptor: A, connections: &Mutex<JoinSet<()>>) {
        let mut pause = PAUSE_MIN;
        loop {
            match acceptor.accept().await {
                Ok((opening, peer)) => {
                    pause = PAUSE_MIN;
                    self.open(&acceptor, opening, peer, &mut connections.lock());
                }
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(pause).await;
                    pause = PAUSE_MAX.min(pause * 2);
                }
            }
        }
    }

    fn open<A: Acceptor>(
        &self,
        acceptor: &A,
        opening: A::Opening,
        peer: Peer,
        connections: &mut JoinSet<()>,
    ) {
        if connections.len() >= self.connections_max {
            return warn!(%peer, "dropped: too many connections");
        }
        let outbox = Arc::new(Outbox::opening());
        let Some(conn) = self.shared.open(Arc::clone(&outbox), peer.clone()) else {
            return warn!(%peer, "dropped: no number is left for it");
        };
        debug!(%conn, %peer, "opened");
        let connection = Connection::new(Arc::clone(&self.shared), conn, outbox);
        connections.spawn(acceptor.task(connection.run(opening, self.packet_size_max)));
    }
}

/// Forgets the connections that have ended, for ever.
async fn reap(connections: &Mutex<JoinSet<()>>) {
    poll_fn(|cx| {
        while let Poll::Ready(Some(ended)) = connections.lock().poll_join_next(cx) {
            propagate(ended);
        }
        Poll::<()>::Pending
    })
    .await;
}

fn propagate(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        panic::resume_unwind(panic);
    }
}

/// Connections above [`squall_proto::broker::Limits::connections`] that are there to be told so. More are dropped without a word.
const REFUSED_MAX: usize = 1024;
/// Between two attempts to accept, when they fail; doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
