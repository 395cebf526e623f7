use std::{
    fmt, io,
    ops::{Bound, Range},
    sync::Arc,
};

use parking_lot::Mutex;
use redb::{BackendError, StorageBackend};

/// A backend that outlives the databases on it: after an error redb gives a database up for ever, and another has to be opened, while
/// nobody else gets the file in between. Clones are the same backend; it is closed with the last of them.
#[derive(Clone)]
pub(crate) struct Lasting(Arc<Inner>);

struct Inner {
    backend: Box<dyn StorageBackend>,
    /// What was written since the last sync that succeeded.
    unsynced: Mutex<Vec<Range<u64>>>,
    /// The locks that are held until the end.
    locked: Mutex<Vec<Locked>>,
}

type Locked = (Bound<u64>, Bound<u64>);

impl Lasting {
    pub(crate) fn new(backend: impl StorageBackend) -> Self {
        Self(Arc::new(Inner {
            backend: Box::new(backend),
            unsynced: Mutex::default(),
            locked: Mutex::default(),
        }))
    }

    /// Writes once more what was written since the last sync that succeeded, and syncs it. A kernel whose sync failed may take what it
    /// could not write for written: it can still be read, and no later sync would write it.
    pub(crate) fn write_again(&self) -> io::Result<()> {
        let mut unsynced = self.0.unsynced.lock().clone();
        unsynced.sort_by_key(|range| range.start);
        let (len, mut done) = (self.0.backend.len()?, 0);
        for range in unsynced {
            let mut at = range.start.max(done);
            let end = range.end.min(len);
            while at < end {
                let mut bytes = vec![0; piece(end - at)];
                self.0.backend.read(at, &mut bytes)?;
                self.0.backend.write(at, &bytes)?;
                at += bytes.len() as u64;
            }
            done = done.max(end);
        }
        self.sync_data()
    }

    fn lock(
        &self,
        range: Locked,
        lock: impl FnOnce() -> Result<bool, BackendError>,
    ) -> Result<bool, BackendError> {
        let mut locked = self.0.locked.lock();
        if locked.contains(&range) {
            return Ok(true);
        }
        let is_locked = lock()?;
        if is_locked {
            locked.push(range);
        }
        Ok(is_locked)
    }
}

impl StorageBackend for Lasting {
    fn len(&self) -> io::Result<u64> {
        self.0.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.backend.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.backend.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.backend.sync_data()?;
        self.0.unsynced.lock().clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let written = offset..offset.saturating_add(data.len() as u64);
        self.0.unsynced.lock().push(written);
        self.0.backend.write(offset, data)
    }

    /// The next database on it goes on.
    fn close(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.lock((start, end), || self.0.backend.try_lock_range(start, end))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.lock((start, end), || self.0.backend.try_lock_shared_range(start, end))
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let locked = || self.0.backend.lock_range(start, end).map(|()| true);
        self.lock((start, end), locked).map(|_| ())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let locked = || self.0.backend.lock_shared_range(start, end).map(|()| true);
        self.lock((start, end), locked).map(|_| ())
    }

    /// It is held until the end.
    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.backend.query_lock_range(start, end)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // What was committed is on it whatever comes of this.
        let _ = self.backend.close();
    }
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting").finish_non_exhaustive()
    }
}

/// Bytes that are written again at once.
fn piece(left: u64) -> usize {
    usize::try_from(left).map_or(PIECE_MAX, |left| left.min(PIECE_MAX))
}

const PIECE_MAX: usize = 1 << 20;
