use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use squall_node::{
    TcpAcceptor,
    broker::{Commit, Fetching, FileStore, Records, Server, Store, StoreError},
};
use squall_proto::broker::{Limits, Saved};
use tokio::task::JoinHandle;

/// A broker that serves loopback with a file as its store.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    pub(crate) commits: Arc<AtomicUsize>,
    server: Server,
    task: JoinHandle<()>,
}

struct Counting<S> {
    store: S,
    commits: Arc<AtomicUsize>,
}

impl<S: Store> Store for Counting<S> {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.store.load()
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        self.commits.fetch_add(1, Relaxed);
        self.store.commit(records)
    }

    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_> {
        self.store.fetch(messages)
    }
}

impl Broker {
    pub(crate) async fn start(file: &Path) -> Self {
        let store = loop {
            match FileStore::open(file) {
                // The thread of a commit outlives the broker that was killed.
                Err(StoreError::InUse(_)) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        };
        Self::on(store).await
    }

    /// The same on any store.
    pub(crate) async fn on(store: impl Store + 'static) -> Self {
        let commits = Arc::new(AtomicUsize::new(0));
        let store = Counting {
            store,
            commits: Arc::clone(&commits),
        };
        let limits = Limits {
            queued_messages: usize::MAX,
            queued_bytes: usize::MAX,
            ..Limits::default()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let server = Server::restored(limits, 0, None, store, now).unwrap();
        let acceptor = TcpAcceptor::bind("127.0.0.1:0").await.unwrap();
        let address = acceptor.local_addr().unwrap();
        let serving = server.clone();
        let task = tokio::spawn(async move { serving.serve(acceptor).await });
        Self {
            address,
            commits,
            server,
            task,
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.server.counts().unfinished_messages
    }

    /// Ends it as a crash does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub(crate) async fn stop(self) {
        self.server.shutdown();
        self.task.await.unwrap();
    }
}
