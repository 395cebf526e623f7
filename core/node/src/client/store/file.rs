use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use squall_proto::client::{Record, Saved};

use super::{Commit, DatabaseStore, Store, StoreError};
use crate::database::{Blocking, INTERRUPTED};

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
        let database = DatabaseStore::open_file(path.as_ref(), since_1970)?;
        Ok(Self(Blocking::new(database)))
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.0.get().ok_or_else(interrupted)?.load()
    }

    fn append(&mut self, record: &Record<'_>) {
        if let Some(database) = self.0.get() {
            database.append(record);
        }
    }

    fn commit(&mut self) -> Commit<'_> {
        Box::pin(async {
            let committed = self.0.run(DatabaseStore::commit_now).await;
            committed.ok_or_else(interrupted)?
        })
    }
}

fn interrupted() -> StoreError {
    StoreError::Failed(INTERRUPTED.into())
}

fn since_1970() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "no other clock goes on between two processes, and no world's client has a file"
    )]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
