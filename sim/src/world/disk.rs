//! The disk of a host, under the real redb: what is written stays in the kernel's memory until a sync, and a power loss may lose, tear or
//! reorder what was not synced; troubles make it fail, fill up, take its time or lie.
//!
//! ```text
//! redb --read, write--> Handle --> Image: what processes see --sync--> what a power loss leaves
//!                        | epoch        ^ troubles: the faults
//! ```
//!
//! In reading order: [`Disk`] and [`Handle`], `image` (what is on the disk), `trouble` (what is wrong with it).
//!
//! **Invariant:** a process that has ended writes nothing more: its handle is of an earlier epoch.

mod image;
#[cfg(test)]
mod tests;
mod trouble;

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::seq::IndexedRandom as _;
use rand_pcg::Pcg64Mcg;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use self::{image::Image, trouble::Troubles};
pub(crate) use self::{
    image::Unsynced,
    trouble::{Operation, Trouble, TroubleId},
};
use super::generator;

/// The disk of a host. It outlives the host's processes; clones are the same disk.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<State>>);

/// A process's hold on a disk, as a backend of redb. Another that is opened, or the end of the process, makes it useless.
pub(crate) struct Handle {
    disk: Disk,
    epoch: u64,
}

struct State {
    image: Image,
    troubles: Troubles,
    epoch: u64,
    /// Draws what a power loss leaves, and where a write is torn.
    chance: Pcg64Mcg,
}

impl Disk {
    /// The empty disk of the host of this name.
    pub(crate) fn new(seed: u64, host: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            image: Image::default(),
            troubles: Troubles::default(),
            epoch: 0,
            chance: generator(seed, &format!("disk {host}")),
        })))
    }

    /// For the process that runs now, in place of any other.
    pub(crate) fn open(&self) -> Handle {
        let mut state = self.state();
        state.epoch += 1;
        Handle {
            disk: self.clone(),
            epoch: state.epoch,
        }
    }

    /// The process that had it open has ended: its kernel still has everything that was written.
    pub(crate) fn process_ended(&self) {
        self.state().epoch += 1;
    }

    /// Power is lost, and what was not synced is left in one of these ways.
    pub(crate) fn power_lost(&self, unsynced: &[Unsynced]) {
        let mut state = self.state();
        let State {
            image, epoch, chance, ..
        } = &mut *state;
        *epoch += 1;
        let unsynced = unsynced.choose(chance).copied().unwrap_or(Unsynced::Lost);
        image.power_lost(Instant::now(), unsynced, chance);
    }

    /// Another with what the kernel of this one's host has, and nothing wrong with it.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self::new(0, "copy");
        copy.state().image = self.state().image.copied();
        copy
    }

    /// It is replaced by an empty one.
    pub(crate) fn replace(&self) {
        let mut state = self.state();
        state.epoch += 1;
        state.image = Image::default();
    }

    /// Something is wrong with it until it is healed, or has done so to as many operations as `next` says: then it tells how many.
    pub(crate) fn trouble(&self, trouble: Trouble, next: Option<u64>) -> (TroubleId, oneshot::Receiver<u64>) {
        self.state().troubles.add(trouble, next)
    }

    /// Ends a trouble, and says how many operations it touched.
    pub(crate) fn heal(&self, trouble: TroubleId) -> u64 {
        self.state().troubles.remove(trouble)
    }

    /// Waits until the syncs that were asked for are done: a slow one takes its time.
    pub(crate) async fn synced(&self) {
        let done_at = self.state().image.synced_at();
        if let Some(done_at) = done_at {
            sleep_until(done_at).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handle {
    /// Does one operation, if this is the process that may and nothing is wrong.
    fn operate<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.disk.state();
        if state.epoch != self.epoch {
            return Err(io::Error::other("the process that opened it has ended"));
        }
        state.troubles.fail(operation)?;
        act(&mut state)
    }
}

impl redb::StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        self.operate(Operation::Other, |state| Ok(state.image.len()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.operate(Operation::Read, |state| state.image.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate(Operation::Grow, |state| state.image.set_len(len))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let bytes = data.len() as u64;
        self.operate(Operation::Write { bytes }, |state| {
            let State {
                image,
                troubles,
                chance,
                ..
            } = state;
            if troubles.tears() {
                return image.tear(offset, data, chance);
            }
            image.write(offset, data)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.operate(Operation::Sync, |state| {
            let State {
                image,
                troubles,
                chance,
                ..
            } = state;
            if !troubles.lies() {
                let takes = troubles.slowness(chance).unwrap_or(Duration::ZERO);
                image.sync(Instant::now(), takes);
            }
            Ok(())
        })
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
