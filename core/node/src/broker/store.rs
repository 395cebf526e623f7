//! Where a broker keeps what outlives its process. In reading order: the trait, `change` (a record that can wait for its commit), `run` (many deliveries as one),
//! `database` with its `format` and its `tables`, `file` (the same in a file), `inspection` (a look at one), `unsynced` (a file that nobody waits for).

mod change;
mod database;
mod file;
mod format;
mod inspection;
mod run;
mod tables;
mod unsynced;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

use squall_proto::broker::{Fetched, Record, Saved};

use self::{change::Change, run::Run};
pub use self::{
    database::DatabaseStore,
    file::FileStore,
    inspection::{Inspection, Totals},
};
pub use crate::database::{Progress, Watcher};

/// Keeps the records of a broker.
pub trait Store: Send + 'static {
    /// What the records of earlier processes come to; of messages no more than [is needed at once](Saved::needed). Called once, before
    /// anything else.
    fn load(&mut self) -> Result<Saved, StoreError>;

    /// Puts records on stable storage, in their order: all of them or, after a crash, none. When this is over, a crash takes none of
    /// them back. After an error that [may pass](StoreError::may_pass) nobody knows whether they are there; nothing else is asked of the
    /// store then but to commit the same records again, which comes to the same as to commit them once. After any other error nothing
    /// is asked of it.
    fn commit(&mut self, records: Arc<Records>) -> Commit<'_>;

    /// Reads messages by their numbers, as what was committed before has them. Those that it has not are left out. After an error that
    /// [may pass](StoreError::may_pass) the same is asked again.
    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_>;
}

/// See [`Store::commit`].
pub type Commit<'s> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 's>>;

/// See [`Store::fetch`].
pub type Fetching<'s> = Pin<Box<dyn Future<Output = Result<Vec<Fetched>, StoreError>> + Send + 's>>;

/// Records that wait to be committed together.
#[derive(Debug, Default)]
pub struct Records {
    changes: Vec<Change>,
    len: usize,
    bytes: usize,
    /// Where in `changes` the last deliveries are.
    last_run: Option<usize>,
}

impl Records {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Roughly the memory that they take.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Shows each. Deliveries of one message come one after the other, before what was said between them; the others in order.
    pub fn each(&self, mut show: impl FnMut(&Record<'_>)) {
        for change in &self.changes {
            change.each(&mut show);
        }
    }

    /// Appends a record.
    pub fn push(&mut self, record: &Record<'_>) {
        self.len += 1;
        if let Record::Queued { order, delivery } = *record {
            if let Some(bytes) = self.last_run().and_then(|run| run.append(order, delivery)) {
                self.bytes += bytes;
                return;
            }
            self.last_run = Some(self.changes.len());
        }
        let change = Change::of(record);
        self.bytes += change.size();
        self.changes.push(change);
    }

    /// A delivery that is taken in there comes before the records since: none of them is about it.
    fn last_run(&mut self) -> Option<&mut Run> {
        let Some(Change::Queued(run)) = self.changes.get_mut(self.last_run?) else {
            return None;
        };
        Some(run)
    }
}

/// Why records cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Two brokers would overwrite each other's records.
    #[error("{} is used by another broker", .0.display())]
    InUse(PathBuf),
    /// What was read is not what was written.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A later Squall has written it.
    #[error("{} has format {format}, and this program knows formats up to {}", path.display(), format::FORMAT)]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// The disk is full, the file may not be written, and the like.
    #[error("cannot keep records in {}: {why}", path.display())]
    Failed {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        why: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether it may be over when it is tried again: the disk has room again, or is back.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::InUse(_) | Self::Damaged { .. } | Self::Newer { .. } => false,
            Self::Failed { .. } => true,
        }
    }

    /// What can be done about it.
    pub const fn mend(&self) -> &'static str {
        match self {
            Self::InUse(_) => "stop the other broker, or give each a data directory of its own",
            Self::Damaged { .. } => {
                "save what can be read with `squall store export`, then put back a copy of it, or move it away to begin anew"
            }
            Self::Newer { .. } => "start the version of squall that wrote it, or a later one",
            Self::Failed { .. } => "see that the disk has room, and that the broker may write there",
        }
    }
}
