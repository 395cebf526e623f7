use squall_node::client::{
    Commit, DatabaseStore, Store, StoreError,
    protocol::{Record, Saved},
};

use crate::world::{Host, disk::Disk};

/// The store that ships, on a simulated disk: what takes time there takes virtual time.
pub(super) struct DiskStore {
    database: DatabaseStore,
    disk: Disk,
}

impl DiskStore {
    /// For the process that runs now on this host.
    pub(super) fn open(disk: &Disk, host: Host) -> Result<Self, StoreError> {
        Ok(Self {
            database: DatabaseStore::open(disk.open(), "session.redb", move || host.wall_clock())?,
            disk: disk.clone(),
        })
    }
}

impl Store for DiskStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.database.load()
    }

    fn append(&mut self, record: &Record<'_>) {
        self.database.append(record);
    }

    fn commit(&mut self) -> Commit<'_> {
        Box::pin(async {
            self.database.commit().await?;
            self.disk.synced().await;
            Ok(())
        })
    }
}
