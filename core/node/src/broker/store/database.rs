use std::{
    fmt,
    future::ready,
    path::{Path, PathBuf},
};

use redb::{Database, ReadableTable as _, StorageBackend, TableDefinition};
use squall_proto::broker::Saved;

use super::{Commit, Records, Store, StoreError, tables::Tables, unsynced::Unsynced};
use crate::database::{self, Trouble, unharmed};

/// The newest format that this program knows.
pub(super) const FORMAT: u64 = 1;

/// The format, under 0.
const META: TableDefinition<'_, u8, u64> = TableDefinition::new("meta");

/// Bytes of the database that are kept in memory.
const CACHE: usize = 64 << 20;

/// Keeps records in a [redb](https://docs.rs/redb) database on any backend: each commit is whole there or not there at all, and its pages
/// have checksums, which are read when it is opened. It commits on the task that asks for it: where that blocks, see
/// [`FileStore`](super::FileStore).
pub struct DatabaseStore {
    path: PathBuf,
    database: Database,
}

impl DatabaseStore {
    /// Opens the database on this backend, or makes one, if it is empty. `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(backend: impl StorageBackend, path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let opened = database::open(backend, CACHE);
        Self::of(opened, path)
    }

    pub(super) fn open_file(path: &Path) -> Result<Self, StoreError> {
        Self::of(database::open_file(path, CACHE), path.to_owned())
    }

    pub(super) fn open_unsynced(path: &Path) -> Result<Self, StoreError> {
        let opened = database::begin_file_anew(path)
            .map_err(Trouble::from)
            .and_then(|()| Ok(Unsynced::open(path)?))
            .and_then(|file| database::open(file, CACHE));
        Self::of(opened, path.to_owned())
    }

    fn of(opened: Result<Database, Trouble>, path: PathBuf) -> Result<Self, StoreError> {
        let format = opened.and_then(|database| unharmed(|| Ok((format(&database)?, database))));
        let (format, database) = format.map_err(|trouble| named(&path, trouble))?;
        if format > FORMAT {
            return Err(StoreError::Newer { path, format });
        }
        Ok(Self { path, database })
    }

    /// Commits, and waits for the backend.
    pub(super) fn commit_now(&self, records: &Records) -> Result<(), StoreError> {
        let written = unharmed(|| {
            let transaction = self.database.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            for change in &records.changes {
                tables.apply(change)?;
            }
            drop(tables);
            transaction.commit()?;
            Ok(())
        });
        written.map_err(|trouble| named(&self.path, trouble))
    }
}

impl Store for DatabaseStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        let read = unharmed(|| {
            let transaction = self.database.begin_write()?;
            Tables::open(&transaction)?.read()
        });
        read.map_err(|trouble| named(&self.path, trouble))
    }

    fn commit(&mut self, records: Records) -> Commit<'_> {
        Box::pin(ready(self.commit_now(&records)))
    }
}

/// What the database says of itself; if it is new, it says from now on that it has the newest.
fn format(database: &Database) -> Result<u64, Trouble> {
    let transaction = database.begin_write()?;
    let mut meta = transaction.open_table(META)?;
    if let Some(format) = meta.get(0)?.map(|format| format.value()) {
        return Ok(format);
    }
    meta.insert(0, FORMAT)?;
    drop(meta);
    transaction.commit()?;
    Ok(FORMAT)
}

fn named(path: &Path, trouble: Trouble) -> StoreError {
    let path = path.to_owned();
    match trouble {
        Trouble::InUse => StoreError::InUse(path),
        Trouble::Damaged(why) => StoreError::Damaged { path, why },
        Trouble::Failed(error) => StoreError::Failed {
            path,
            why: error.into(),
        },
    }
}

impl fmt::Debug for DatabaseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
