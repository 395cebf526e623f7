use std::path::Path;

use squall_proto::broker::Saved;

use super::{Commit, DatabaseStore, Records, Store, StoreError};

/// Keeps records in one file, as [`DatabaseStore`] does. It commits on a thread where it may block.
#[derive(Debug)]
pub struct FileStore {
    /// `None` while it commits.
    database: Option<DatabaseStore>,
}

impl FileStore {
    /// Opens the file, or makes one. No other process may have it open.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let database = Some(DatabaseStore::open_file(path.as_ref())?);
        Ok(Self { database })
    }

    /// As [`FileStore::open`], but a commit is over when the operating system has it: a crash of the process takes nothing back, a loss
    /// of power may take everything.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open_unsynced(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let database = Some(DatabaseStore::open_unsynced(path.as_ref())?);
        Ok(Self { database })
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.database.as_mut().ok_or_else(interrupted)?.load()
    }

    fn commit(&mut self, records: Records) -> Commit<'_> {
        Box::pin(async {
            let database = self.database.take().ok_or_else(interrupted)?;
            let commit = move || database.commit_now(&records).map(|()| database);
            #[expect(
                clippy::disallowed_methods,
                reason = "a disk blocks, and no world's broker has a file: the order of threads decides nothing there"
            )]
            let committed = tokio::task::spawn_blocking(commit).await;
            self.database = Some(committed.map_err(|_| interrupted())??);
            Ok(())
        })
    }
}

/// A commit was given up before it was done: what it came to is known only when the file is opened again.
fn interrupted() -> StoreError {
    StoreError::Failed {
        path: "the store".into(),
        why: "an earlier commit did not come to an end".into(),
    }
}
