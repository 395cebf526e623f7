use std::{future::ready, sync::Arc};

use parking_lot::Mutex;
use squall_proto::client::{Record, Saved};

use super::{Commit, Store, StoreError};

/// Keeps records as long as the process lives: a client that ends, and one that begins with a clone of its store, are one client to the
/// server.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    saved: Arc<Mutex<Saved>>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(self.saved.lock().clone())
    }

    fn append(&mut self, record: &Record<'_>) {
        self.saved.lock().apply(record);
    }

    fn commit(&mut self) -> Commit<'_> {
        Box::pin(ready(Ok(())))
    }

    fn blocks(&self) -> bool {
        false
    }
}
