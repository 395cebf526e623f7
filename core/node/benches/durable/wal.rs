use std::{
    fs::File,
    future::ready,
    io::Write as _,
    mem,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use squall_node::broker::{Commit, Fetching, Records, Store, StoreError};
use squall_proto::broker::{Record, Saved};

use super::{client::PAYLOAD, throughput::Rate};

/// Bytes of a message beside its payload, and of a delivery: two numbers and an option, as the tables have them.
const MESSAGE: usize = 40;
const DELIVERY: usize = 25;

/// What waits for the next write, and who for that.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    waiting: Vec<oneshot::Sender<()>>,
}

#[derive(Default)]
struct Log {
    gathered: Mutex<Gathered>,
    some: Notify,
}

impl Log {
    async fn append(&self, sessions: usize) {
        let (done, wait) = oneshot::channel();
        {
            let mut gathered = self.gathered.lock();
            let len = gathered.bytes.len() + MESSAGE + PAYLOAD + sessions * DELIVERY;
            gathered.bytes.resize(len, b'x');
            gathered.waiting.push(done);
        }
        self.some.notify_one();
        wait.await.unwrap();
    }

    async fn write(&self, mut file: File, syncs: &AtomicUsize) {
        loop {
            self.some.notified().await;
            let gathered = mem::take(&mut *self.gathered.lock());
            if gathered.waiting.is_empty() {
                continue;
            }
            let written = spawn_blocking(move || {
                file.write_all(&gathered.bytes).unwrap();
                file.sync_data().unwrap();
                (file, gathered.waiting)
            });
            let waiting;
            (file, waiting) = written.await.unwrap();
            syncs.fetch_add(1, Relaxed);
            for done in waiting {
                let _ = done.send(());
            }
        }
    }
}

/// A broker's store that is such a file, and can only be written.
pub(crate) struct LogStore(Arc<File>);

impl LogStore {
    pub(crate) fn new(directory: &Path) -> Self {
        Self(Arc::new(tempfile::tempfile_in(directory).unwrap()))
    }
}

impl Store for LogStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved::new())
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        let file = Arc::clone(&self.0);
        Box::pin(async move {
            let written = spawn_blocking(move || {
                let mut bytes = Vec::new();
                records.each(|record| {
                    let len = if let Record::Message { content, .. } = record {
                        MESSAGE + content.payload.len()
                    } else {
                        DELIVERY
                    };
                    bytes.resize(bytes.len() + len, b'x');
                });
                (&*file).write_all(&bytes).unwrap();
                file.sync_data().unwrap();
            });
            written.await.unwrap();
            Ok(())
        })
    }

    fn fetch(&mut self, _: Arc<[u64]>) -> Fetching<'_> {
        Box::pin(ready(Ok(Vec::new())))
    }
}

pub(crate) async fn measure(directory: &Path, producers: usize, sessions: usize, lasts: Duration) -> Rate {
    let file = tempfile::tempfile_in(directory).unwrap();
    let log = Arc::new(Log::default());
    let (messages, syncs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..producers {
        let (log, messages) = (Arc::clone(&log), Arc::clone(&messages));
        tasks.spawn(async move {
            loop {
                log.append(sessions).await;
                messages.fetch_add(1, Relaxed);
            }
        });
    }
    let _ = timeout(lasts, log.write(file, &syncs)).await;
    Rate {
        messages: messages.load(Relaxed),
        syncs: syncs.load(Relaxed),
        took: began.elapsed(),
    }
}
