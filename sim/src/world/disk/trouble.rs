use std::{io, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use tokio::sync::oneshot;

use crate::span::SpanRange;

/// What a process does with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read,
    Write {
        bytes: u64,
    },
    /// Makes the file longer or shorter.
    Grow,
    Sync,
    /// Nothing that reaches the disk.
    Other,
}

/// Something wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// So many bytes more can be written, and then none.
    Full { room: u64 },
    /// Reads fail.
    ReadError,
    /// Writes fail and change nothing.
    WriteError,
    /// Syncs fail: what was written stays as it is, for a later one.
    SyncError,
    /// Syncs take this long, drawn anew for each.
    SlowSync(SpanRange),
    /// Syncs say that they are done and do nothing.
    LyingSync,
    /// Of a write only the first sectors get through, and perhaps none; then it fails.
    TornWrite,
}

/// Names a trouble to who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TroubleId(u64);

/// All that is wrong with a disk.
#[derive(Default)]
pub(super) struct Troubles {
    all: Vec<Present>,
    next_id: u64,
}

struct Present {
    id: TroubleId,
    trouble: Trouble,
    touched: u64,
    /// How many operations more it touches, if that is limited.
    left: Option<u64>,
    /// Whoever waits for the last of them.
    tell: Option<oneshot::Sender<u64>>,
}

impl Troubles {
    pub(super) fn add(&mut self, trouble: Trouble, next: Option<u64>) -> (TroubleId, oneshot::Receiver<u64>) {
        let id = TroubleId(self.next_id);
        self.next_id += 1;
        let (tell, told) = oneshot::channel();
        self.all.push(Present {
            id,
            trouble,
            touched: 0,
            left: next,
            tell: Some(tell),
        });
        (id, told)
    }

    pub(super) fn remove(&mut self, id: TroubleId) -> u64 {
        let at = self.all.iter().position(|present| present.id == id);
        at.map_or(0, |at| self.all.remove(at).touched)
    }

    /// Whether an operation fails before it does anything.
    pub(super) fn fail(&mut self, operation: Operation) -> io::Result<()> {
        let fails = |trouble: &mut Trouble| match (trouble, operation) {
            (Trouble::Full { room }, Operation::Write { bytes }) => match room.checked_sub(bytes) {
                Some(rest) => {
                    *room = rest;
                    None
                }
                None => Some(io::ErrorKind::StorageFull.into()),
            },
            (Trouble::ReadError, Operation::Read) => Some(io::Error::other("the disk cannot be read")),
            (Trouble::WriteError, Operation::Write { .. } | Operation::Grow) => {
                Some(io::Error::other("the disk cannot be written"))
            }
            (Trouble::SyncError, Operation::Sync) => Some(io::Error::other("the disk cannot be synced")),
            (
                Trouble::Full { .. }
                | Trouble::ReadError
                | Trouble::WriteError
                | Trouble::SyncError
                | Trouble::SlowSync(_)
                | Trouble::LyingSync
                | Trouble::TornWrite,
                _,
            ) => None,
        };
        self.first(fails).map_or(Ok(()), Err)
    }

    /// Whether a write is torn.
    pub(super) fn tears(&mut self) -> bool {
        self.first(|trouble| (*trouble == Trouble::TornWrite).then_some(()))
            .is_some()
    }

    /// Whether a sync only says that it is done.
    pub(super) fn lies(&mut self) -> bool {
        self.first(|trouble| (*trouble == Trouble::LyingSync).then_some(()))
            .is_some()
    }

    /// How long a sync takes, if that is longer than no time.
    pub(super) fn slowness(&mut self, chance: &mut Pcg64Mcg) -> Option<Duration> {
        self.first(|trouble| match trouble {
            Trouble::SlowSync(takes) => Some(Duration::from_millis(chance.random_range(takes.millis()))),
            Trouble::Full { .. }
            | Trouble::ReadError
            | Trouble::WriteError
            | Trouble::SyncError
            | Trouble::LyingSync
            | Trouble::TornWrite => None,
        })
    }

    /// The first trouble with which something happens, counted; and what happens.
    fn first<T>(&mut self, mut happens: impl FnMut(&mut Trouble) -> Option<T>) -> Option<T> {
        let (at, what) = self
            .all
            .iter_mut()
            .enumerate()
            .find_map(|(at, present)| happens(&mut present.trouble).map(|what| (at, what)))?;
        if let Some(present) = self.all.get_mut(at)
            && present.touch()
        {
            self.all.remove(at);
        }
        Some(what)
    }
}

impl Present {
    /// Counts an operation. Whether it was the last.
    fn touch(&mut self) -> bool {
        self.touched += 1;
        let Some(left) = &mut self.left else { return false };
        *left = left.saturating_sub(1);
        if *left == 0
            && let Some(tell) = self.tell.take()
        {
            // Who no longer waits need not be told.
            _ = tell.send(self.touched);
        }
        *left == 0
    }
}
