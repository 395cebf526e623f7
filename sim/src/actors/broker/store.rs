use std::sync::Arc;

use squall_node::broker::{Commit, DatabaseStore, Fetching, Records, Store, StoreError};
use squall_proto::broker::Saved;

use crate::{
    mutants::{MutatedDisk, Mutator},
    world::disk::Disk,
};

/// The store that ships, on a simulated disk: what takes time there takes virtual time.
pub(super) struct DiskStore {
    database: DatabaseStore,
    disk: Disk,
}

impl DiskStore {
    /// For the process that runs now.
    pub(super) fn open(disk: &Disk, mutator: Option<Mutator>) -> Result<Self, StoreError> {
        Ok(Self {
            database: DatabaseStore::open(MutatedDisk::new(disk.open(), mutator), "broker.redb")?,
            disk: disk.clone(),
        })
    }
}

/// What the next process would find on a broker's disk, if it can be read.
pub(crate) fn stored(disk: &Disk) -> Option<Saved> {
    let mut store = DatabaseStore::open(disk.copied().open(), "broker.redb").ok()?;
    store.load().ok()
}

impl Store for DiskStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.database.load()
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        Box::pin(async {
            self.database.commit(records).await?;
            self.disk.synced().await;
            Ok(())
        })
    }

    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_> {
        self.database.fetch(messages)
    }
}
