//! Where a client keeps what the next process needs to take up its session again: the messages that are not finished, with the Packet
//! Identifiers by which the server knows them. In reading order: the trait, `database`, `file` (the same in a file), `memory`.

mod database;
mod file;
mod memory;

use std::{future::Future, path::PathBuf, pin::Pin};

use squall_proto::client::{Record, Saved};

pub use self::{database::DatabaseStore, file::FileStore, memory::MemoryStore};

/// Keeps the records of a client. Records are appended in their order and committed together, before a packet leaves that may depend on
/// one of them.
pub trait Store: Send + 'static {
    /// What the records of earlier processes come to. Called once, before anything else.
    fn load(&mut self) -> Result<Saved, StoreError>;

    /// Notes a record, for the next commit.
    fn append(&mut self, record: &Record<'_>);

    /// Puts what was appended on stable storage. When this is over, a crash takes none of it back. The client waits for it and writes
    /// nothing meanwhile; nothing is asked of the store until it is over, and nothing any more after an error.
    fn commit(&mut self) -> Commit<'_>;

    /// Whether [`Store::commit`] does anything that takes time.
    fn blocks(&self) -> bool {
        true
    }
}

/// See [`Store::commit`].
pub type Commit<'s> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 's>>;

/// Why records cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Two clients would overwrite each other's records.
    #[error("{} is used by another client: give each its own", .0.display())]
    InUse(PathBuf),
    /// What was read is not what was written.
    #[error(
        "{} is damaged: {why}. Move it away to begin anew; the messages in it that were not finished are lost",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The disk is full, the file may not be written, and the like.
    #[error("cannot keep the client's messages: {0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}
