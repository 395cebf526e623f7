//! Where a broker keeps what outlives its process. In reading order: the trait, `change` (a record that can wait for its commit),
//! `database` with its `format` and its `tables`, `file` (the same in a file), `inspection` (a look at one), `unsynced` (a file that nobody waits for).

mod change;
mod database;
mod file;
mod format;
mod inspection;
mod tables;
mod unsynced;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

use squall_proto::broker::{Record, Saved};

use self::change::Change;
pub use self::{
    database::DatabaseStore,
    file::FileStore,
    inspection::{Inspection, Totals},
};
pub use crate::database::{Progress, Watcher};

/// Keeps the records of a broker.
pub trait Store: Send + 'static {
    /// What the records of earlier processes come to. Called once, before anything else.
    fn load(&mut self) -> Result<Saved, StoreError>;

    /// Puts records on stable storage, in their order: all of them or, after a crash, none. When this is over, a crash takes none of
    /// them back. After an error that [may pass](StoreError::may_pass) nobody knows whether they are there; nothing else is asked of the
    /// store then but to commit the same records again, which comes to the same as to commit them once. After any other error nothing
    /// is asked of it.
    fn commit(&mut self, records: Arc<Records>) -> Commit<'_>;
}

/// See [`Store::commit`].
pub type Commit<'s> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 's>>;

/// Records that wait to be committed together.
#[derive(Debug, Default)]
pub struct Records {
    changes: Vec<Change>,
    bytes: usize,
}

impl Records {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.changes.len()
    }

    /// Roughly the memory that they take.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Each, in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.changes.iter().map(Change::record)
    }

    /// Appends a record.
    pub fn push(&mut self, record: &Record<'_>) {
        let change = Change::of(record);
        self.bytes += change.size();
        self.changes.push(change);
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
