use std::{path::Path, sync::Arc};

use squall_proto::broker::Saved;

use super::{Commit, DatabaseStore, Fetching, Records, Store, StoreError};
use crate::database::{Blocking, INTERRUPTED, Watcher};

/// Keeps records in one file, as [`DatabaseStore`] does. It commits on a thread where it may block.
#[derive(Debug)]
pub struct FileStore(Blocking<DatabaseStore>);

impl FileStore {
    /// Opens the file, or makes one. No other process may have it open.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Ok(Self(Blocking::new(DatabaseStore::open_file(
            path.as_ref(),
            Watcher::nobody(),
        )?)))
    }

    /// As [`FileStore::open`], with somebody who is told how far that has come, and [`Store::load`] after it.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open_watched(path: impl AsRef<Path>, watcher: Watcher) -> Result<Self, StoreError> {
        Ok(Self(Blocking::new(DatabaseStore::open_file(
            path.as_ref(),
            watcher,
        )?)))
    }

    /// As [`FileStore::open_watched`], but a commit is over when the operating system has it: a crash of the process takes nothing back, a loss
    /// of power may take everything.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open_unsynced(path: impl AsRef<Path>, watcher: Watcher) -> Result<Self, StoreError> {
        Ok(Self(Blocking::new(DatabaseStore::open_unsynced(
            path.as_ref(),
            watcher,
        )?)))
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.0.get().ok_or_else(interrupted)?.load()
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        Box::pin(async {
            let committed = self.0.run(move |database| database.commit_now(&records));
            committed.await.ok_or_else(interrupted)?
        })
    }

    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_> {
        Box::pin(async {
            let read = self.0.run(move |database| database.fetch_now(&messages));
            read.await.ok_or_else(interrupted)?
        })
    }
}

fn interrupted() -> StoreError {
    StoreError::Failed {
        path: "the store".into(),
        why: INTERRUPTED.into(),
    }
}
