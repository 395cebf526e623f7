use std::{io, mem, ops::Range, sync::Arc};

use parking_lot::{Mutex, MutexGuard};

/// A disk in memory: what is written can be read at once, and is there after a loss of power when it was synced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    written: Vec<u8>,
    synced: Vec<u8>,
    /// What was written since the last sync, whatever came of that.
    dirty: Vec<Range<usize>>,
    trouble: Option<Trouble>,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing more can be written.
    Full,
    /// Syncs fail, and what they should have synced is taken for synced from then on, as Linux does.
    SyncError,
}

impl Disk {
    pub(crate) fn after_power_loss(&self) -> Self {
        let synced = self.0.lock().synced.clone();
        Self(Arc::new(Mutex::new(State {
            written: synced.clone(),
            synced,
            ..State::default()
        })))
    }

    pub(crate) fn trouble(&self, trouble: Option<Trouble>) {
        self.0.lock().trouble = trouble;
    }
}

impl State {
    fn write(&mut self, at: usize, data: &[u8]) -> io::Result<()> {
        let range = at..at + data.len();
        let written = self.written.get_mut(range.clone());
        written.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        self.dirty.push(range);
        Ok(())
    }

    fn sync(&mut self) {
        self.synced.resize(self.written.len(), 0);
        for range in mem::take(&mut self.dirty) {
            let range = range.start..range.end.min(self.written.len());
            if let (Some(to), Some(from)) = (self.synced.get_mut(range.clone()), self.written.get(range)) {
                to.copy_from_slice(from);
            }
        }
    }

    fn check(&self, trouble: Trouble) -> io::Result<()> {
        if self.trouble == Some(trouble) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().written.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let disk = self.0.lock();
        let from = disk.written.get(at..at + out.len());
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.0.lock().written.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk: MutexGuard<'_, State> = self.0.lock();
        disk.check(Trouble::SyncError)
            .inspect_err(|_| disk.dirty.clear())?;
        disk.sync();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let mut disk = self.0.lock();
        disk.check(Trouble::Full)?;
        disk.write(at, data)
    }
}
