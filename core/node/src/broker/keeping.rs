//! The keeping of records: one task commits, while it does the next gather, and an error is tried again until it passes. Between commits it
//! reads what the broker wants back.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    mem,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use squall_proto::{
    ConnId,
    broker::{Fetch, Fetched, Input},
};
use tokio::time::sleep;
use tracing::{error, info};

use super::{
    shared::{Core, Shared},
    store::{Records, Store, StoreError},
};

impl Shared {
    /// Commits records as they come, until that fails for good: while one commit is under way, those of the next gather. To drop it is to
    /// crash, unless [`Shared::all_kept`].
    pub(super) async fn keep(&self) {
        let Some(store) = &self.store else {
            return pending().await;
        };
        loop {
            tokio::select! {
                biased;
                () = self.failed_for_good() => return,
                _ = self.recorded.wait_for(|recorded| *recorded) => {}
            }
            let mut store = store.lock().await;
            self.serve_from(&mut **store).await;
        }
    }

    /// Waits until all records are kept, or never will be.
    pub(super) async fn all_kept(&self) {
        self.all_kept.wait_for(|all_kept| *all_kept).await;
    }

    /// Waits until records could not be kept for so long.
    pub(super) async fn failing_for(&self, patience: Duration) {
        loop {
            self.failure.wait_for(Option::is_some).await;
            tokio::select! {
                biased;
                _ = self.failure.wait_for(Option::is_none) => {}
                () = sleep(patience) => return,
            }
        }
    }

    /// Why records cannot be kept, while that lasts.
    pub(super) fn failure(&self) -> Option<Arc<StoreError>> {
        self.failure.get()
    }

    /// Waits, where what comes on this connection makes records and too many wait for a commit.
    pub(super) fn poll_room(&self, conn: ConnId, cx: &Context<'_>) -> Poll<()> {
        if !self.behind.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        let mut core = self.core.lock();
        if !core.links.is_behind() || !core.links.has_recorded(conn) {
            return Poll::Ready(());
        }
        core.waiting.insert(conn, cx.waker().clone());
        Poll::Pending
    }

    /// Has records committed, and says so where there are too many.
    pub(super) fn note_records(&self, core: &Core) {
        if core.links.has_records() && self.all_kept.get() {
            self.all_kept.set(false);
        }
        if (core.links.has_records() || core.links.has_fetches()) && !self.recorded.get() {
            self.recorded.set(true);
        }
        if core.links.is_behind() {
            self.behind.store(true, Ordering::Relaxed);
        }
    }

    /// Commits the records that wait, and then reads what was wanted before, however often that fails.
    async fn serve_from(&self, store: &mut dyn Store) {
        let (records, fetches) = self.take_work();
        if let Some((commit, records)) = records
            && !self.commit_to(store, commit, Arc::new(records)).await
        {
            return;
        }
        if !fetches.is_empty() {
            self.fetch_from(store, fetches).await;
        }
    }

    /// Commits these records; `false` when that will never be done.
    async fn commit_to(&self, store: &mut dyn Store, commit: u64, records: Arc<Records>) -> bool {
        let mut pause = PAUSE_MIN;
        while let Err(failure) = store.commit(Arc::clone(&records)).await {
            if !self.is_tried_again(failure, &mut pause).await {
                return false;
            }
        }
        self.release(commit);
        self.recovered();
        true
    }

    /// Reads what the broker wants, and gives it to it.
    async fn fetch_from(&self, store: &mut dyn Store, fetches: Vec<Fetch>) {
        let wanted = fetches.iter().flat_map(Fetch::messages).copied();
        let wanted: BTreeSet<u64> = wanted.collect();
        let wanted: Arc<[u64]> = wanted.into_iter().collect();
        let mut pause = PAUSE_MIN;
        let read = loop {
            match store.fetch(Arc::clone(&wanted)).await {
                Ok(read) => break read,
                Err(failure) => {
                    if !self.is_tried_again(failure, &mut pause).await {
                        return;
                    }
                }
            }
        };
        self.recovered();
        let read: BTreeMap<u64, Fetched> = read.into_iter().map(|read| (read.message, read)).collect();
        for fetch in fetches {
            let found = fetch.messages().iter().filter_map(|number| read.get(number));
            let found = found.cloned().collect();
            self.step(|core, now| core.handle(now, Input::Fetched(fetch, found)));
        }
    }

    /// The store has failed: waits until it is to be tried again; `false` if it is not.
    async fn is_tried_again(&self, failure: StoreError, pause: &mut Duration) -> bool {
        let may_pass = failure.may_pass();
        self.failed(failure);
        if !may_pass {
            self.all_kept.set(true);
            return false;
        }
        *pause = self.pause(*pause).await;
        true
    }

    /// Waits between two attempts, and says how long to wait the next time: who is to stop has no time to wait long.
    async fn pause(&self, pause: Duration) -> Duration {
        let is_stopping = self.stopping.get();
        tokio::select! {
            biased;
            () = self.stopped(), if !is_stopping => PAUSE_MIN,
            () = sleep(pause) => if is_stopping { PAUSE_MIN } else { PAUSE_MAX.min(pause * 2) },
        }
    }

    fn take_work(&self) -> (Option<(u64, Records)>, Vec<Fetch>) {
        let mut core = self.core.lock();
        let taken = (core.links.take_records(), core.links.take_fetches());
        self.recorded.set(core.links.has_fetches());
        let waiting = self.wake(&mut core);
        drop(core);
        waiting.for_each(Waker::wake);
        taken
    }

    /// There is room for records: who waits for that.
    fn wake(&self, core: &mut Core) -> impl Iterator<Item = Waker> + use<> {
        self.behind.store(false, Ordering::Relaxed);
        mem::take(&mut core.waiting).into_values()
    }

    /// From now on what needs a record is refused.
    fn failed(&self, failure: StoreError) {
        let is_first = self.failure.get().is_none();
        if is_first {
            let what_follows =
                "QoS 1 and 2, subscriptions and sessions that would have to be kept are refused";
            error!(%failure, "records cannot be kept: {what_follows}; {}", failure.mend());
        }
        self.failure.set(Some(Arc::new(failure)));
        if is_first {
            let waiting = self.step(|core, now| {
                core.links.stall(true);
                core.handle(now, Input::StoreFailed);
                self.wake(core)
            });
            waiting.for_each(Waker::wake);
        }
    }

    /// The store does what is asked of it, again perhaps.
    fn recovered(&self) {
        if self.failure.get().is_none() {
            return;
        }
        info!("records are kept again");
        self.failure.set(None);
        self.step(|core, now| {
            core.links.stall(false);
            core.handle(now, Input::StoreRecovered);
        });
    }

    async fn failed_for_good(&self) {
        let is_for_good = |failure: &Arc<StoreError>| !failure.may_pass();
        self.failure
            .wait_for(|failure| failure.as_ref().is_some_and(is_for_good))
            .await;
    }

    /// What waited for a commit leaves.
    fn release(&self, commit: u64) {
        let mut unflushed = Vec::new();
        let mut core = self.core.lock();
        core.links.committed(commit, &mut unflushed);
        if !core.links.has_records() {
            self.all_kept.set(true);
        }
        drop(core);
        for outbox in unflushed {
            outbox.flush();
        }
    }
}

/// Between two attempts to commit, when they fail; doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
