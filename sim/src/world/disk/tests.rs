//! The real redb on a disk of ours, through thousands of crashes.

use std::{
    cell::Cell,
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _, StorageBackend,
    TableDefinition,
};

use squall_node::client::{DatabaseStore, Store as _};

use super::{Disk, Handle, Trouble, Unsynced};
use crate::{span::Span, world::generator};

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("t");

fn database(handle: impl StorageBackend) -> Result<Database, redb::DatabaseError> {
    Database::builder()
        .set_cache_size(1 << 20)
        .create_with_backend(handle)
}

/// Value 0 of the table says how many more there are, each of them its key many times over.
fn write(database: &Database, n: u64) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(TABLE)?;
        table.insert(n, value(n).as_slice())?;
        table.insert(0, n.to_be_bytes().as_slice())?;
    }
    transaction.commit()?;
    Ok(())
}

fn value(n: u64) -> Vec<u8> {
    n.to_be_bytes().repeat(usize::try_from(n * 37 % 700).unwrap())
}

/// How many values there are, if they are what was written.
fn read(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(TABLE) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let last = table.get(0)?.expect("the number is in the first commit");
    let last = u64::from_be_bytes(last.value().try_into().unwrap());
    assert_eq!(table.len()?, last + 1, "no value is missing, and none too many");
    for entry in table.iter()?.skip(1) {
        let (n, found) = entry?;
        assert_eq!(found.value(), value(n.value()), "value {}", n.value());
    }
    Ok(last)
}

/// The power fails after so many operations.
#[derive(Debug)]
struct Dying {
    handle: Handle,
    left: AtomicU64,
}

impl Dying {
    fn alive(&self) -> io::Result<&Handle> {
        let left = self.left.load(Ordering::Relaxed);
        let left = left.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
        self.left.store(left, Ordering::Relaxed);
        Ok(&self.handle)
    }
}

impl StorageBackend for Dying {
    fn len(&self) -> io::Result<u64> {
        self.alive()?.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.alive()?.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.alive()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.alive()?.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.alive()?.write(offset, data)
    }
}

/// Has the power fail somewhere in a life, which is a number of commits: by an error that no later operation survives. Says how many
/// commits came to their end, and how many were begun.
fn life(disk: &Disk, from: u64, chance: &mut Pcg64Mcg) -> (u64, u64) {
    let left = AtomicU64::new(chance.random_range(0..60));
    let dying = Dying {
        handle: disk.open(),
        left,
    };
    let (mut done, mut begun) = (from, from);
    if let Ok(database) = database(dying) {
        for n in from + 1..=from + 5 {
            begun = n;
            if write(&database, n).is_err() {
                break;
            }
            done = n;
        }
        // Whatever its destructor does: the process has ended.
        disk.process_ended();
        drop(database);
    }
    (done, begun)
}

fn crashes(seed: u64, lives: u64, how: &[Unsynced]) {
    let disk = Disk::new(seed, "a");
    let mut chance = generator(seed, "crashes");
    // The making of a database is not proof against a power loss: see below.
    drop(database(disk.open()).unwrap());
    let mut kept = 0;
    for life_number in 0..lives {
        let (done, begun) = life(&disk, kept, &mut chance);
        disk.power_lost(how);
        let database = database(disk.open()).unwrap_or_else(|error| panic!("life {life_number}: {error}"));
        kept = read(&database).unwrap();
        assert!(
            (done..=begun).contains(&kept),
            "life {life_number}: {done} commits of {begun}, and {kept} are there"
        );
        disk.process_ended();
        drop(database);
    }
}

#[test]
fn nothing_that_was_committed_is_lost_or_torn_by_a_power_loss() {
    for seed in 0..16 {
        crashes(seed, 15, &Unsynced::ALL);
        for how in Unsynced::ALL {
            crashes(seed, 10, &[how]);
        }
    }
}

#[test]
fn a_store_whose_making_was_cut_short_by_a_power_loss_begins_anew() {
    for how in Unsynced::ALL {
        for operations in 0..60 {
            let disk = Disk::new(operations, "a");
            let left = AtomicU64::new(operations);
            let handle = disk.open();
            let began = DatabaseStore::open(Dying { handle, left }, "a", Duration::default);
            disk.power_lost(&[how]);
            drop(began);
            let mut store = DatabaseStore::open(disk.open(), "a", Duration::default)
                .unwrap_or_else(|error| panic!("{how:?} after {operations}: {error}"));
            assert_eq!(store.load().unwrap().message_count(), 0);
        }
    }
}

#[test]
fn a_process_that_ends_leaves_all_that_it_has_written() {
    let disk = Disk::new(0, "a");
    let handle = disk.open();
    handle.write(3, b"abc").unwrap();
    disk.process_ended();
    let mut read = [1; 6];
    disk.open().read(0, &mut read).unwrap();
    assert_eq!(&read, b"\0\0\0abc");
    assert!(
        handle.write(0, b"x").is_err() && handle.sync_data().is_err(),
        "it is of another process"
    );
}

#[test]
fn a_sync_that_lies_loses_commits_and_what_is_lost_is_seen() {
    let lost = (0..100).filter(|seed| {
        let disk = Disk::new(*seed, "a");
        drop(database(disk.open()).unwrap());
        disk.trouble(Trouble::LyingSync, None);
        let database_that_is_lied_to = database(disk.open()).unwrap();
        for n in 1..=5 {
            write(&database_that_is_lied_to, n).unwrap();
        }
        disk.power_lost(&Unsynced::ALL);
        drop(database_that_is_lied_to);
        // It cannot be opened, or says that something is missing.
        !matches!(database(disk.open()).map(|database| read(&database)), Ok(Ok(5)))
    });
    let lost = lost.count();
    assert!(lost > 80, "{lost}");
}

#[test]
fn the_same_seed_leaves_the_same_disk() {
    let left = |seed| {
        let disk = Disk::new(seed, "a");
        let handle = disk.open();
        handle.set_len(20_000).unwrap();
        handle.sync_data().unwrap();
        for n in 1..20_u8 {
            handle.write(u64::from(n) * 700, &[n; 2000]).unwrap();
        }
        disk.power_lost(&[Unsynced::TornAt512]);
        let mut left = vec![0; 20_000];
        disk.open().read(0, &mut left).unwrap();
        left
    };
    assert_eq!(left(1), left(1));
    assert_ne!(left(1), left(2));
    let torn = left(3);
    assert!(
        torn.chunks(512)
            .any(|sector| sector.iter().all(|byte| *byte == 0)),
        "some sectors are not there"
    );
}

#[test]
fn each_trouble_does_what_it_says_to_as_many_operations_as_it_says() {
    let disk = Disk::new(0, "a");
    let handle = disk.open();
    let mut byte = [0];
    handle.write(0, b"a").unwrap();
    let fails = |trouble, operate: &mut dyn FnMut() -> io::Result<()>| {
        let (id, mut told) = disk.trouble(trouble, Some(2));
        let failed = Cell::new(0);
        for _ in 0..3 {
            failed.set(failed.get() + u32::from(operate().is_err()));
        }
        assert_eq!((failed.get(), told.try_recv()), (2, Ok(2)), "{trouble:?}");
        assert_eq!(disk.heal(id), 0, "it is over");
    };
    fails(Trouble::ReadError, &mut || handle.read(0, &mut byte));
    fails(Trouble::WriteError, &mut || handle.write(0, b"x"));
    fails(Trouble::SyncError, &mut || handle.sync_data());
    fails(Trouble::TornWrite, &mut || handle.write(0, &[0; 2000]));
    fails(Trouble::Full { room: 1 }, &mut || handle.write(0, b"yy"));
}

#[test]
fn a_full_disk_takes_what_there_is_room_for() {
    let disk = Disk::new(0, "a");
    let handle = disk.open();
    let (id, _) = disk.trouble(Trouble::Full { room: 5 }, None);
    handle.write(0, b"1234").unwrap();
    assert_eq!(
        handle.write(4, b"56").unwrap_err().kind(),
        io::ErrorKind::StorageFull
    );
    handle.write(4, b"5").unwrap();
    assert_eq!(disk.heal(id), 1);
    handle.write(5, b"678").unwrap();
    assert_eq!(handle.len().unwrap(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_sync_has_not_done_when_power_is_lost_was_not_synced() {
    let second = Span::from_millis(1000);
    for (after, length) in [(500, 0), (1000, 1), (1500, 1), (2000, 2)] {
        let disk = Disk::new(0, "a");
        let handle = disk.open();
        disk.trouble(Trouble::SlowSync(second.into()), None);
        handle.write(0, b"1").unwrap();
        handle.sync_data().unwrap();
        // A writer waits for its sync, so this is a second later; power loss in between finds it unwritten.
        handle.write(1, b"2").unwrap();
        handle.sync_data().unwrap();
        tokio::time::sleep(Duration::from_millis(after)).await;
        disk.power_lost(&[Unsynced::Lost]);
        assert_eq!(disk.open().len().unwrap(), length, "after {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_syncs_waits_for_all_of_them() {
    let disk = Disk::new(0, "a");
    let handle = disk.open();
    disk.synced().await;
    let (id, _) = disk.trouble(Trouble::SlowSync(Span::from_millis(300).into()), None);
    let began = tokio::time::Instant::now();
    handle.sync_data().unwrap();
    handle.sync_data().unwrap();
    disk.synced().await;
    assert_eq!((began.elapsed().as_millis(), disk.heal(id)), (600, 2));
}
