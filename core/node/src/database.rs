//! redb as both stores use it, and what goes wrong with it; `blocking` is for files, `lasting` for what goes on after an
//! error, `overlay` for what is only looked at, `message` is how both write messages.

mod blocking;
mod lasting;
mod message;
mod overlay;
mod progress;

use std::{
    fs::File,
    io::{self, Read},
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{Builder, Database, DatabaseError, StorageBackend};
use squall_proto::PacketId;

pub use self::progress::{Progress, Watcher};
pub(crate) use self::{
    blocking::{Blocking, INTERRUPTED},
    lasting::Lasting,
    message::{publish, publish_bytes},
    overlay::Overlay,
};

/// Why a database cannot be used. Whose it is says what is to be done.
pub(crate) enum Trouble {
    /// Somebody else has it open.
    InUse,
    /// What was read is not what was written.
    Damaged(String),
    /// The disk is full, the file may not be written, and the like.
    Failed(redb::Error),
}

/// Opens the database on this backend, or makes one, if it is empty. `cache`: bytes of it that are kept in memory.
pub(crate) fn open(
    backend: impl StorageBackend,
    cache: usize,
    watcher: &Watcher,
) -> Result<Database, Trouble> {
    begin_anew(&backend)?;
    opened(cache, watcher, |builder| builder.create_with_backend(backend))
}

/// As [`open`], of what may be damaged: redb alone says whether it can be read.
pub(crate) fn open_unchecked(backend: impl StorageBackend, cache: usize) -> Result<Database, Trouble> {
    unharmed(|| Ok(builder(cache).create_with_backend(backend)?))
}

/// Opens a database again that an error has ended. redb looks at all that its last process may not have finished.
pub(crate) fn open_again(backend: Lasting, cache: usize) -> Result<Database, Trouble> {
    unharmed(|| {
        backend.write_again()?;
        Ok(builder(cache).create_with_backend(backend)?)
    })
}

/// As [`open`], of a file that is locked as long as the database is open.
pub(crate) fn open_file(path: &Path, cache: usize) -> Result<Database, Trouble> {
    begin_file_anew(path)?;
    opened(cache, &Watcher::nobody(), |builder| builder.create(path))
}

/// redb takes what a disk has lied about for a fault of its own, and panics. To whom the database belongs it is a damaged file.
pub(crate) fn unharmed<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(Trouble::Damaged("it holds what was never written there".into())))
}

impl Trouble {
    /// As what may pass, whatever it is: what a database says that did not get to the end of its work is no verdict on its file.
    pub(crate) fn of_work(self) -> Self {
        match self {
            Self::Damaged(why) => Self::Failed(redb::Error::Corrupted(why)),
            Self::InUse | Self::Failed(_) => self,
        }
    }

    /// Something in it is not as it is written there.
    pub(crate) fn unreadable(what: &str) -> Self {
        Self::Damaged(format!("{what} in it cannot be read"))
    }
}

impl<E: Into<redb::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        let error = error.into();
        if let redb::Error::DatabaseAlreadyOpen = error {
            return Self::InUse;
        }
        if let redb::Error::Corrupted(why) = error {
            return Self::Damaged(why);
        }
        if let redb::Error::Io(error) = &error
            && let io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof = error.kind()
        {
            return Self::Damaged(error.to_string());
        }
        Self::Failed(error)
    }
}

/// The Packet Identifier that was written as this.
pub(crate) fn packet_id(value: u16) -> Result<PacketId, Trouble> {
    PacketId::new(value).ok_or_else(|| Trouble::unreadable("a Packet Identifier"))
}

fn builder(cache: usize) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(cache);
    builder
}

/// Opens a database and compares all of it with its checksums, if redb has not done so: it does where the last process did not close it.
fn opened(
    cache: usize,
    watcher: &Watcher,
    open: impl FnOnce(&Builder) -> Result<Database, DatabaseError>,
) -> Result<Database, Trouble> {
    let repaired = Arc::new(AtomicBool::new(false));
    let mut builder = builder(cache);
    let (told, is_repaired) = (watcher.clone(), Arc::clone(&repaired));
    builder.set_repair_callback(move |session| {
        is_repaired.store(true, Ordering::Relaxed);
        told.tell(Progress::Repaired(session.progress()));
    });
    unharmed(|| {
        let mut database = open(&builder)?;
        if !repaired.load(Ordering::Relaxed) {
            watcher.tell(Progress::Checking);
            check(&mut database)?;
        }
        Ok(database)
    })
}

/// Compares all of it with its checksums.
pub(crate) fn check(database: &mut Database) -> Result<(), Trouble> {
    unharmed(|| match database.check_integrity()? {
        true => Ok(()),
        false => Err(Trouble::Damaged("its checksums do not match".into())),
    })
}

/// What redb has not even put its mark on was never committed to: its making was cut short, and redb would not make it again.
fn begin_anew(backend: &impl StorageBackend) -> io::Result<()> {
    let mut head = [0; HEAD];
    let len = backend.len()?;
    if len >= HEAD as u64 {
        backend.read(0, &mut head)?;
    }
    if len > 0 && head == [0; HEAD] {
        backend.set_len(0)?;
    }
    Ok(())
}

/// As [`begin_anew`], if nobody has the file open. What else is wrong with it redb says.
pub(crate) fn begin_file_anew(path: &Path) -> io::Result<()> {
    let Ok(mut file) = File::options().read(true).write(true).open(path) else {
        return Ok(());
    };
    if file.try_lock().is_err() {
        return Ok(());
    }
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(HEAD as u64).read_to_end(&mut head)?;
    if !head.is_empty() && head.iter().all(|byte| *byte == 0) {
        file.set_len(0)?;
    }
    Ok(())
}

/// Bytes of the mark that a database of redb begins with.
const HEAD: usize = 9;
