use std::{collections::VecDeque, io, mem, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use tokio::time::Instant;

/// What is on a disk: for processes, and for whoever comes after a power loss.
#[derive(Default)]
pub(super) struct Image {
    /// What processes read.
    seen: Vec<u8>,
    /// What a power loss leaves for sure.
    durable: Vec<u8>,
    /// Written since the last sync, oldest first.
    unsynced: Vec<Change>,
    /// What was asked to be synced, and when that is done; oldest first.
    syncing: VecDeque<(Instant, Vec<Change>)>,
}

enum Change {
    Write { offset: u64, data: Vec<u8> },
    Length(u64),
}

/// What a power loss leaves of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// Nothing.
    Lost,
    /// What was written first.
    First,
    /// Whole writes, any of them: a disk writes in the order it likes.
    Any,
    /// Sectors of 512 bytes, any of them.
    TornAt512,
    /// Pages of 4,096 bytes, any of them.
    TornAt4096,
}

impl Unsynced {
    pub(crate) const ALL: [Self; 5] = [
        Self::Lost,
        Self::First,
        Self::Any,
        Self::TornAt512,
        Self::TornAt4096,
    ];

    /// Those that tear a write.
    pub(crate) const TORN: [Self; 2] = [Self::TornAt512, Self::TornAt4096];
}

impl Image {
    pub(super) fn copied(&self) -> Self {
        Self {
            seen: self.seen.clone(),
            durable: self.seen.clone(),
            ..Self::default()
        }
    }

    pub(super) const fn len(&self) -> u64 {
        self.seen.len() as u64
    }

    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let begins = index(offset)?;
        let bytes = begins
            .checked_add(out.len())
            .and_then(|ends| self.seen.get(begins..ends))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn write(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write {
            offset,
            data: data.to_vec(),
        })
    }

    pub(super) fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.change(Change::Length(len))
    }

    /// A write of which only the first sectors get through, and perhaps none; it is not said which.
    pub(super) fn tear(&mut self, offset: u64, data: &[u8], chance: &mut Pcg64Mcg) -> io::Result<()> {
        let sectors = chance.random_range(0..=data.len() / SECTOR);
        let through = data.get(..sectors * SECTOR).unwrap_or(data);
        self.write(offset, through)?;
        Err(io::Error::other("the write did not come to its end"))
    }

    /// What was written is durable as soon as `takes` is over; syncs are done one after the other.
    pub(super) fn sync(&mut self, now: Instant, takes: Duration) {
        let changes = mem::take(&mut self.unsynced);
        let begins = self.syncing.back().map_or(now, |(done_at, _)| now.max(*done_at));
        self.syncing.push_back((begins + takes, changes));
        self.settle(now);
    }

    /// When the last sync that was asked for is done, unless all are.
    pub(super) fn synced_at(&self) -> Option<Instant> {
        self.syncing.back().map(|(done_at, _)| *done_at)
    }

    pub(super) fn power_lost(&mut self, now: Instant, left: Unsynced, chance: &mut Pcg64Mcg) {
        self.settle(now);
        // What came after a sync that is not done was never written: whoever wrote it waited for the sync.
        let waits = self.syncing.pop_front().map(|(_, changes)| changes);
        let changes = waits.unwrap_or_else(|| mem::take(&mut self.unsynced));
        self.syncing.clear();
        self.unsynced.clear();
        leave(&mut self.durable, &changes, left, chance);
        self.seen.clone_from(&self.durable);
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        change.apply(&mut self.seen)?;
        self.unsynced.push(change);
        Ok(())
    }

    fn settle(&mut self, now: Instant) {
        while let Some((done_at, _)) = self.syncing.front()
            && *done_at <= now
            && let Some((_, changes)) = self.syncing.pop_front()
        {
            for change in changes {
                change.apply(&mut self.durable).expect("it was applied before");
            }
        }
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Length(len) => to.resize(index(*len)?, 0),
            Self::Write { offset, data } => write(to, index(*offset)?, data)?,
        }
        Ok(())
    }
}

/// What is left of changes that were not synced. Between two writes to one place the later one wins, if it is left.
fn leave(durable: &mut Vec<u8>, changes: &[Change], left: Unsynced, chance: &mut Pcg64Mcg) {
    let apply =
        |durable: &mut Vec<u8>, change: &Change| change.apply(durable).expect("it was applied before");
    let percent = chance.random_range(0..=100);
    match left {
        Unsynced::Lost => {}
        Unsynced::First => {
            let first = chance.random_range(0..=changes.len());
            changes
                .iter()
                .take(first)
                .for_each(|change| apply(durable, change));
        }
        Unsynced::Any => {
            let left = changes.iter().filter(|_| chance.random_ratio(percent, 100));
            left.for_each(|change| apply(durable, change));
        }
        Unsynced::TornAt512 => tear(durable, changes, SECTOR, || chance.random_ratio(percent, 100)),
        Unsynced::TornAt4096 => tear(durable, changes, PAGE, || chance.random_ratio(percent, 100)),
    }
}

fn tear(durable: &mut Vec<u8>, changes: &[Change], size: usize, mut stays: impl FnMut() -> bool) {
    for change in changes {
        match change {
            Change::Length(_) => {
                if stays() {
                    change.apply(durable).expect("it was applied before");
                }
            }
            Change::Write { offset, data } => {
                let mut at = index(*offset).expect("it was applied before");
                let mut rest = data.as_slice();
                while !rest.is_empty() {
                    let (piece, after) = rest.split_at(rest.len().min(size - at % size));
                    if stays() {
                        write(durable, at, piece).expect("it was applied before");
                    }
                    at += piece.len();
                    rest = after;
                }
            }
        }
    }
}

fn write(to: &mut Vec<u8>, begins: usize, data: &[u8]) -> io::Result<()> {
    let ends = begins
        .checked_add(data.len())
        .ok_or(io::ErrorKind::FileTooLarge)?;
    if to.len() < ends {
        to.resize(ends, 0);
    }
    let place = to.get_mut(begins..ends).ok_or(io::ErrorKind::FileTooLarge)?;
    place.copy_from_slice(data);
    Ok(())
}

fn index(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

const SECTOR: usize = 512;
const PAGE: usize = 4096;
