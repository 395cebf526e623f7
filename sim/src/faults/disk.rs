use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::{
    number::{Count, NumberRange},
    span::SpanRange,
    world::disk::Trouble,
};

/// Something is wrong with the disk of a client that has `store: disk`, or of a broker with `durability: disk`: for a time, or for the next so many operations of the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// `broker`, or the name of a client or a group of clients.
    pub host: String,
    /// What is wrong.
    pub kind: DiskKind,
    /// How long a `slow_sync` takes, each drawn anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<SpanRange>,
    /// How many bytes still fit before it is `full`. 0, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<NumberRange<0, { u64::MAX }>>,
    /// How long. One of `for` and `next` is given.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SpanRange>,
    /// For how many operations that it touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Count>,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiskKind {
    /// Writes fail as soon as there is no room.
    Full,
    /// Reads fail.
    ReadError,
    /// Writes fail and change nothing.
    WriteError,
    /// Syncs fail. What was written stays written, and a later sync that succeeds takes it along.
    SyncError,
    /// Syncs take time.
    SlowSync,
    /// Syncs say that they are done and do nothing: what was written is lost if power is.
    LyingSync,
    /// Of a write only the first sectors get through, or none, and it fails.
    TornWrite,
}

impl Disk {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.host]
    }

    pub(super) fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts.unwrap_or_default())
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            room: self.room.map(|room| room.drawn(chance)),
            lasts: self.lasts.map(|lasts| lasts.drawn(chance)),
            next: self.next.map(|next| next.drawn(chance)),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        match self.next {
            Some(next) => stage.disk_operations(&self.host, self.trouble(), next.max()),
            None => stage.disk(&self.host, self.trouble()),
        }
    }

    fn trouble(&self) -> Trouble {
        match self.kind {
            DiskKind::Full => Trouble::Full {
                room: self.room.map_or(0, NumberRange::max),
            },
            DiskKind::ReadError => Trouble::ReadError,
            DiskKind::WriteError => Trouble::WriteError,
            DiskKind::SyncError => Trouble::SyncError,
            DiskKind::SlowSync => Trouble::SlowSync(self.takes.unwrap_or_default()),
            DiskKind::LyingSync => Trouble::LyingSync,
            DiskKind::TornWrite => Trouble::TornWrite,
        }
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DiskKind::Full => "full",
            DiskKind::ReadError => "read error",
            DiskKind::WriteError => "write error",
            DiskKind::SyncError => "sync error",
            DiskKind::SlowSync => "slow sync",
            DiskKind::LyingSync => "lying sync",
            DiskKind::TornWrite => "torn write",
        };
        write!(f, "of {}: {kind}", self.host)
    }
}
