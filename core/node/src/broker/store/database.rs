use std::{
    fmt,
    fs::File,
    future::ready,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Database, ReadableTable as _, StorageBackend, TableDefinition, backends::FileBackend};
use squall_proto::broker::Saved;

use super::{Commit, Records, Store, StoreError, tables::Tables, unsynced::Unsynced};
use crate::database::{self, Lasting, Trouble, unharmed};

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
    backend: Lasting,
    /// `None` after an error, until it is opened again.
    database: Option<Database>,
}

impl DatabaseStore {
    /// Opens the database on this backend, or makes one, if it is empty. `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(backend: impl StorageBackend, path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::on(Ok(Lasting::new(backend)), path.into())
    }

    pub(super) fn open_file(path: &Path) -> Result<Self, StoreError> {
        let backend = file(path).and_then(|file| Ok(Lasting::new(FileBackend::new(file)?)));
        Self::on(backend, path.to_owned())
    }

    pub(super) fn open_unsynced(path: &Path) -> Result<Self, StoreError> {
        let backend = file(path).and_then(|file| Ok(Lasting::new(Unsynced::new(file)?)));
        Self::on(backend, path.to_owned())
    }

    fn on(backend: Result<Lasting, Trouble>, path: PathBuf) -> Result<Self, StoreError> {
        let opened = backend.and_then(|backend| {
            let database = database::open(backend.clone(), CACHE)?;
            let format = unharmed(|| format(&database))?;
            Ok((backend, database, format))
        });
        let (backend, database, format) = opened.map_err(|trouble| named(&path, trouble))?;
        if format > FORMAT {
            return Err(StoreError::Newer { path, format });
        }
        Ok(Self {
            path,
            backend,
            database: Some(database),
        })
    }

    /// Commits, and waits for the backend.
    pub(super) fn commit_now(&mut self, records: &Records) -> Result<(), StoreError> {
        let database = match self.database.take() {
            Some(database) => Ok(database),
            None => database::open_again(self.backend.clone(), CACHE),
        };
        let committed = database.and_then(|database| {
            unharmed(move || write(&database, records).map(|()| database)).map_err(Trouble::of_work)
        });
        self.database = Some(committed.map_err(|trouble| named(&self.path, trouble))?);
        Ok(())
    }
}

impl Store for DatabaseStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        let read = unharmed(|| {
            let database = self.database.as_ref().ok_or(redb::Error::PreviousIo)?;
            let transaction = database.begin_write()?;
            Tables::open(&transaction)?.read()
        });
        read.map_err(|trouble| named(&self.path, trouble))
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        Box::pin(ready(self.commit_now(&records)))
    }
}

/// All of them in one transaction. To do so twice comes to the same as to do it once: records say what is, not by how much it changes.
fn write(database: &Database, records: &Records) -> Result<(), Trouble> {
    let transaction = database.begin_write()?;
    let mut tables = Tables::open(&transaction)?;
    for change in &records.changes {
        tables.apply(change)?;
    }
    drop(tables);
    transaction.commit()?;
    Ok(())
}

fn file(path: &Path) -> Result<File, Trouble> {
    database::begin_file_anew(path)?;
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    Ok(options.open(path)?)
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
