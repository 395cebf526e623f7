use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use squall_proto::client::{Record, Saved};

use super::{Commit, DatabaseStore, Store, StoreError};

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
        let database = DatabaseStore::open_file(path.as_ref(), since_1970)?;
        Ok(Self {
            database: Some(database),
        })
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.database.as_mut().ok_or_else(interrupted)?.load()
    }

    fn append(&mut self, record: &Record<'_>) {
        if let Some(database) = &mut self.database {
            database.append(record);
        }
    }

    fn commit(&mut self) -> Commit<'_> {
        Box::pin(async {
            let mut database = self.database.take().ok_or_else(interrupted)?;
            let commit = move || database.commit_now().map(|()| database);
            #[expect(
                clippy::disallowed_methods,
                reason = "a disk blocks, and no world's client has a file: the order of threads decides nothing here, because the client waits for this one"
            )]
            let committed = tokio::task::spawn_blocking(commit).await;
            let database = committed.map_err(|ended| StoreError::Failed(ended.into()))??;
            self.database = Some(database);
            Ok(())
        })
    }
}

/// A commit was given up before it was done: what it came to is known only when the file is opened again.
fn interrupted() -> StoreError {
    StoreError::Failed("an earlier commit did not come to an end".into())
}

fn since_1970() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "no other clock goes on between two processes, and no world's client has a file"
    )]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
