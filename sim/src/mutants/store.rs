use std::{fmt, io, sync::Arc};

use redb::StorageBackend;
use squall_node::broker::{Commit, Fetching, Records, Store, StoreError};
use squall_proto::broker::Saved;

use super::Mutator;

/// A broker's store that a mutant keeps badly.
pub(crate) struct MutatedStore<S> {
    below: S,
    mutator: Mutator,
}

/// A broker's disk that a mutant uses badly.
pub(crate) struct MutatedDisk<B> {
    below: B,
    mutator: Option<Mutator>,
}

impl<S: Store> MutatedStore<S> {
    pub(crate) fn new(below: S, mutator: Mutator) -> Self {
        mutator.begins_anew();
        Self { below, mutator }
    }
}

impl<S: Store> Store for MutatedStore<S> {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.below.load()
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        match self.mutator.records(&records) {
            None => self.below.commit(records),
            Some(kept) => self.below.commit(Arc::new(kept)),
        }
    }

    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_> {
        Box::pin(async move {
            let found = self.below.fetch(messages).await?;
            Ok(self.mutator.fetched(found))
        })
    }
}

impl<B> MutatedDisk<B> {
    pub(crate) const fn new(below: B, mutator: Option<Mutator>) -> Self {
        Self { below, mutator }
    }
}

impl<B: fmt::Debug> fmt::Debug for MutatedDisk<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.below.fmt(f)
    }
}

impl<B: StorageBackend> StorageBackend for MutatedDisk<B> {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.below.set_len(len)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.below.write(offset, data)
    }

    fn sync_data(&self) -> io::Result<()> {
        match &self.mutator {
            Some(mutator) if mutator.leaves_out_sync() => Ok(()),
            Some(_) | None => self.below.sync_data(),
        }
    }
}
