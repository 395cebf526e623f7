use std::{
    fs::File,
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
