use std::{
    collections::BTreeSet,
    fmt,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use redb::{Database, ReadableDatabase as _};
use squall_proto::broker::Record;

use super::{
    StoreError,
    database::{CACHE, named},
    format::{self, FORMAT},
    tables::{self, Visit},
};
use crate::database::{self, Overlay, Trouble, unharmed};

/// A broker's store, looked at by who is no broker. The file is left as it is: also what a crash left unfinished is only looked through.
pub struct Inspection {
    path: PathBuf,
    database: Database,
    format: Option<u64>,
    /// No broker begins to use the file meanwhile.
    _file: File,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sessions, those included that only have a Will.
    pub sessions: usize,
    /// Subscriptions of all sessions.
    pub subscriptions: usize,
    /// Wills that may still be published.
    pub wills: usize,
    /// Deliveries that are not finished: those that wait, and those under way.
    pub deliveries: usize,
    /// Messages that they and the retained ones are.
    pub messages: usize,
    /// Topics with a retained message.
    pub retained: usize,
}

impl Inspection {
    /// Opens the file, whatever its format.
    ///
    /// # Errors
    ///
    /// When there is none, a broker uses it, or nothing in it can be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let opened = open(&path).and_then(|(file, database)| {
            let format = unharmed(|| format::of(&database))?;
            Ok((file, database, format))
        });
        let (file, database, format) = opened.map_err(|trouble| named(&path, trouble))?;
        Ok(Self {
            path,
            database,
            format,
            _file: file,
        })
    }

    /// The format that it says it has; `None` where nothing was kept in it yet.
    pub const fn format(&self) -> Option<u64> {
        self.format
    }

    /// Compares all of it with its checksums, and reads it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where something is not what was written, [`StoreError::Newer`] where a later Squall has written it.
    pub fn check(&mut self) -> Result<Totals, StoreError> {
        if let Some(format) = self.format.filter(|format| *format > FORMAT) {
            let path = self.path.clone();
            return Err(StoreError::Newer { path, format });
        }
        self.totals().map_err(|trouble| named(&self.path, trouble))
    }

    /// Shows all that can be read as records, in an order in which they can be applied, and says what cannot be. Of a newer format that is
    /// what it has in common with this one.
    pub fn each(&self, record: &mut dyn FnMut(&Record<'_>), unreadable: &mut dyn FnMut(String)) {
        let mut trouble = |trouble| {
            unreadable(named(&self.path, trouble).to_string());
            Ok(())
        };
        let mut visit = Visit {
            record,
            trouble: &mut trouble,
        };
        let read = unharmed(|| tables::records(&self.database.begin_read()?, &mut visit));
        if let Err(trouble) = read {
            unreadable(named(&self.path, trouble).to_string());
        }
    }

    fn totals(&mut self) -> Result<Totals, Trouble> {
        database::check(&mut self.database)?;
        let mut count = Count::default();
        let transaction = self.database.begin_read()?;
        let mut visit = Visit {
            record: &mut |record| count.add(record),
            trouble: &mut Err,
        };
        unharmed(|| tables::records(&transaction, &mut visit))?;
        if count.astray.is_empty() {
            Ok(count.totals)
        } else {
            let astray = count.astray.len();
            Err(Trouble::Damaged(format!(
                "{astray} deliveries in it are of sessions or messages that are not"
            )))
        }
    }
}

#[derive(Default)]
struct Count {
    totals: Totals,
    sessions: BTreeSet<u64>,
    messages: BTreeSet<u64>,
    /// Deliveries that lack what they are made of.
    astray: BTreeSet<u64>,
}

impl Count {
    fn add(&mut self, record: &Record<'_>) {
        let totals = &mut self.totals;
        match record {
            Record::Session { session, .. } => {
                totals.sessions += 1;
                self.sessions.insert(*session);
            }
            Record::Will { .. } => totals.wills += 1,
            Record::Subscribed { .. } => totals.subscriptions += 1,
            Record::Message { message, .. } => {
                totals.messages += 1;
                self.messages.insert(*message);
            }
            Record::Retained { .. } => totals.retained += 1,
            Record::Queued { order, delivery } => {
                totals.deliveries += 1;
                if !self.sessions.contains(&delivery.session) || !self.messages.contains(&delivery.message) {
                    self.astray.insert(*order);
                }
            }
            // Its message is the receiver's, and kept no longer.
            Record::Released { order } => _ = self.astray.remove(order),
            Record::Received { .. }
            | Record::Sent { .. }
            | Record::SessionEnded { .. }
            | Record::WillEnded { .. }
            | Record::Unsubscribed { .. }
            | Record::Completed { .. }
            | Record::Forgotten { .. }
            | Record::RetainedRemoved { .. }
            | Record::Finished { .. } => {}
        }
    }
}

fn open(path: &Path) -> Result<(File, Database), Trouble> {
    let file = File::open(path)?;
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Trouble::InUse),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let database = database::open_unchecked(Overlay::new(file.try_clone()?)?, CACHE)?;
    Ok((file, database))
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
