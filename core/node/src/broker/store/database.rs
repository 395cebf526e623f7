use std::{
    fmt,
    fs::File,
    future::ready,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Database, ReadableDatabase as _, StorageBackend, backends::FileBackend};
use squall_proto::broker::{Fetched, Record, Saved};

use super::{
    Commit, Fetching, Records, Store, StoreError,
    format::{self, FORMAT},
    tables::{self, Tables, Visit},
    unsynced::Unsynced,
};
use crate::database::{self, Lasting, Progress, Trouble, Watcher, unharmed};

/// Bytes of the database that are kept in memory.
pub(super) const CACHE: usize = 64 << 20;

/// Bytes of a file that is worth making shorter.
const LARGE: u64 = 64 << 20;

/// Keeps records in a [redb](https://docs.rs/redb) database on any backend: each commit is whole there or not there at all, and its pages
/// have checksums, which are read when it is opened. It commits on the task that asks for it: where that blocks, see
/// [`FileStore`](super::FileStore).
pub struct DatabaseStore {
    path: PathBuf,
    backend: Lasting,
    /// `None` after an error, until it is opened again.
    database: Option<Database>,
    watcher: Watcher,
}

impl DatabaseStore {
    /// Opens the database on this backend, or makes one, if it is empty. `path` is what errors call it.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(backend: impl StorageBackend, path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::on(Ok(Lasting::new(backend)), path.into(), Watcher::nobody())
    }

    pub(super) fn open_file(path: &Path, watcher: Watcher) -> Result<Self, StoreError> {
        let backend = file(path).and_then(|file| Ok(Lasting::new(FileBackend::new(file)?)));
        Self::on(backend, path.to_owned(), watcher)
    }

    pub(super) fn open_unsynced(path: &Path, watcher: Watcher) -> Result<Self, StoreError> {
        let backend = file(path).and_then(|file| Ok(Lasting::new(Unsynced::new(file)?)));
        Self::on(backend, path.to_owned(), watcher)
    }

    fn on(backend: Result<Lasting, Trouble>, path: PathBuf, watcher: Watcher) -> Result<Self, StoreError> {
        let opened = backend.and_then(|backend| {
            let mut database = database::open(backend.clone(), CACHE, &watcher)?;
            let format = unharmed(|| format::current(&database))?;
            if format == FORMAT && is_mostly_free(&database, &backend)? {
                watcher.tell(Progress::Compacting);
                unharmed(|| Ok(database.compact()?))?;
            }
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
            watcher,
        })
    }

    fn read(&self) -> Result<Saved, Trouble> {
        let database = self.database.as_ref().ok_or(redb::Error::PreviousIo)?;
        let transaction = database.begin_read()?;
        let (mut saved, mut rows, of) = (Saved::new(), 0, tables::count(&transaction)?);
        let mut take = |record: &Record<'_>| {
            if let Record::Message { message, content } = record {
                saved.outline(*message, content);
            } else {
                saved.apply(record);
            }
            rows += 1;
            self.watcher.tell(Progress::Read { rows, of });
        };
        tables::records(
            &transaction,
            &mut Visit {
                record: &mut take,
                trouble: &mut Err,
            },
        )?;
        let needed: Vec<u64> = saved.needed().into_iter().collect();
        tables::messages(&transaction, &needed, &mut |record| saved.apply(record))?;
        Ok(saved)
    }

    /// Reads messages, and waits for the backend.
    pub(super) fn fetch_now(&mut self, messages: &[u64]) -> Result<Vec<Fetched>, StoreError> {
        let read = self.opened().and_then(|database| {
            let read = unharmed(|| fetch(&database, messages))?;
            Ok((database, read))
        });
        let (database, read) = read.map_err(|trouble| named(&self.path, trouble))?;
        self.database = Some(database);
        Ok(read)
    }

    /// The database, opened again after an error.
    fn opened(&mut self) -> Result<Database, Trouble> {
        match self.database.take() {
            Some(database) => Ok(database),
            None => database::open_again(self.backend.clone(), CACHE),
        }
    }

    /// Commits, and waits for the backend.
    pub(super) fn commit_now(&mut self, records: &Records) -> Result<(), StoreError> {
        let committed = self.opened().and_then(|database| {
            unharmed(move || write(&database, records).map(|()| database)).map_err(Trouble::of_work)
        });
        self.database = Some(committed.map_err(|trouble| named(&self.path, trouble))?);
        Ok(())
    }
}

impl Store for DatabaseStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        unharmed(|| self.read()).map_err(|trouble| named(&self.path, trouble))
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        Box::pin(ready(self.commit_now(&records)))
    }

    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_> {
        Box::pin(ready(self.fetch_now(&messages)))
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

fn fetch(database: &Database, messages: &[u64]) -> Result<Vec<Fetched>, Trouble> {
    let mut read = Vec::new();
    let mut take = |record: &Record<'_>| {
        if let Record::Message { message, content } = *record {
            read.push(Fetched {
                message,
                topic: content.topic.clone(),
                payload: content.payload.clone(),
                properties: content.properties.clone(),
            });
        }
    };
    tables::messages(&database.begin_read()?, messages, &mut take)?;
    Ok(read)
}

fn file(path: &Path) -> Result<File, Trouble> {
    database::begin_file_anew(path)?;
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    Ok(options.open(path)?)
}

/// Whether the file is large, and most of it holds nothing: a compaction is worth its time then.
fn is_mostly_free(database: &Database, backend: &Lasting) -> Result<bool, Trouble> {
    let len = backend.len()?;
    if len < LARGE {
        return Ok(false);
    }
    let stats = database.begin_write()?.stats()?;
    let used = stats
        .allocated_pages()
        .saturating_mul(u64::try_from(stats.page_size()).unwrap_or(u64::MAX));
    Ok(used < len / 2)
}

pub(super) fn named(path: &Path, trouble: Trouble) -> StoreError {
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
