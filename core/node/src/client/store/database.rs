use std::{
    fmt,
    fs::File,
    future::ready,
    io::{self, Read},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::BytesMut;
use redb::{
    Builder, Database, DatabaseError, ReadableTable as _, StorageBackend, StorageError, Table,
    TableDefinition, TableError, WriteTransaction,
};
use squall_proto::{
    Decoder, Delivery, Packet, PacketId, Publish, Qos, ReasonCode, Text, Version,
    client::{Message, Record, Saved},
    encode,
};

use super::{Commit, Store, StoreError};

/// Client Identifier, under 0.
const SESSION: TableDefinition<'_, u8, &str> = TableDefinition::new("session");
/// Messages that are not finished, by order: since when they wait (milliseconds since 1970), and their PUBLISH as 5.0 writes it.
const MESSAGES: TableDefinition<'_, u64, (u64, &[u8])> = TableDefinition::new("messages");
/// Of those that were sent, by order: Packet Identifier, and after PUBREC its Reason Code and when it came.
const EXCHANGES: TableDefinition<'_, u64, (u16, Option<(u8, u64)>)> = TableDefinition::new("exchanges");
/// Packet Identifiers of QoS 2 messages from the server, without PUBREL.
const RECEIVED: TableDefinition<'_, u16, ()> = TableDefinition::new("received");

/// Bytes of the database that are kept in memory.
const CACHE: usize = 1 << 20;

/// Keeps records in a [redb](https://docs.rs/redb) database on any backend: each commit is whole there or not there at all, and its pages
/// have checksums, which are read when it is opened. It commits on the client's own task: where that blocks, see
/// [`FileStore`](super::FileStore).
pub struct DatabaseStore {
    path: PathBuf,
    database: Database,
    wall_clock: Box<dyn Fn() -> Duration + Send>,
    changes: Vec<Change>,
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
fn begin_file_anew(path: &Path) -> io::Result<()> {
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

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

/// A record, with what it borrows.
enum Change {
    Session(Text),
    Queued(u64, u64, BytesMut),
    Sent(u64, PacketId),
    Released(u64, PacketId, ReasonCode, u64),
    Finished(u64),
    Received(PacketId),
    Completed(PacketId),
}

impl DatabaseStore {
    /// Opens the database on this backend, or makes one, if it is empty. `path` is what errors call it. `wall_clock` is the time since the
    /// beginning of 1970: Message Expiry Intervals count by it while no process runs.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(
        backend: impl StorageBackend,
        path: impl Into<PathBuf>,
        wall_clock: impl Fn() -> Duration + Send + 'static,
    ) -> Result<Self, StoreError> {
        let path = path.into();
        begin_anew(&backend).map_err(|error| failed(&path, error.into()))?;
        let opened = unharmed(&path, || {
            let opened = builder().create_with_backend(backend);
            checked(opened, &path)
        });
        Ok(Self::of(opened?, path, Box::new(wall_clock)))
    }

    pub(super) fn open_file(
        path: &Path,
        wall_clock: impl Fn() -> Duration + Send + 'static,
    ) -> Result<Self, StoreError> {
        begin_file_anew(path).map_err(|error| failed(path, error.into()))?;
        let opened = unharmed(path, || checked(builder().create(path), path));
        Ok(Self::of(opened?, path.to_owned(), Box::new(wall_clock)))
    }

    fn of(database: Database, path: PathBuf, wall_clock: Box<dyn Fn() -> Duration + Send>) -> Self {
        Self {
            path,
            database,
            wall_clock,
            changes: Vec::new(),
        }
    }

    /// Commits, and waits for the backend.
    pub(super) fn commit_now(&mut self) -> Result<(), StoreError> {
        unharmed(&self.path, || {
            self.write().map_err(|error| failed(&self.path, error))
        })?;
        self.changes.clear();
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from((self.wall_clock)().as_millis()).unwrap_or(u64::MAX)
    }

    fn write(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut tables = Tables::open(&transaction)?;
            for change in &self.changes {
                tables.apply(change)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn read(&self) -> Result<Saved, ReadError> {
        let transaction = self.database.begin_write()?;
        let tables = Tables::open(&transaction)?;
        let mut saved = Saved::new();
        if let Some(client_id) = tables.session.get(0)? {
            let client_id =
                Text::new(client_id.value()).map_err(|_| ReadError::Damaged("a client identifier"))?;
            saved.apply(&Record::Session {
                client_id: &client_id,
            });
        }
        tables.messages(self.now_ms(), &mut saved)?;
        for received in tables.received.iter()? {
            let packet_id = packet_id(received?.0.value())?;
            saved.apply(&Record::Received { packet_id });
        }
        Ok(saved)
    }
}

impl Store for DatabaseStore {
    fn load(&mut self) -> Result<Saved, StoreError> {
        unharmed(&self.path, || {
            self.read().map_err(|error| match error {
                ReadError::Damaged(what) => damaged(&self.path, format!("{what} in it cannot be read")),
                ReadError::Database(error) => failed(&self.path, error),
            })
        })
    }

    fn append(&mut self, record: &Record<'_>) {
        let change = Change::of(record, || self.now_ms());
        self.changes.push(change);
    }

    fn commit(&mut self) -> Commit<'_> {
        Box::pin(ready(self.commit_now()))
    }
}

struct Tables<'t> {
    session: Table<'t, u8, &'static str>,
    messages: Table<'t, u64, (u64, &'static [u8])>,
    exchanges: Table<'t, u64, (u16, Option<(u8, u64)>)>,
    received: Table<'t, u16, ()>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            session: transaction.open_table(SESSION)?,
            messages: transaction.open_table(MESSAGES)?,
            exchanges: transaction.open_table(EXCHANGES)?,
            received: transaction.open_table(RECEIVED)?,
        })
    }

    fn apply(&mut self, change: &Change) -> Result<(), StorageError> {
        match change {
            Change::Session(client_id) => {
                self.session.insert(0, &**client_id)?;
                self.received.retain(|_, ()| false)?;
            }
            Change::Queued(order, since, publish) => {
                self.messages.insert(order, (*since, &**publish))?;
                self.exchanges.remove(order)?;
            }
            Change::Sent(order, packet_id) => {
                self.exchanges.insert(order, (packet_id.value(), None))?;
            }
            Change::Released(order, packet_id, reason_code, released) => {
                let received = Some((reason_code.value(), *released));
                self.exchanges.insert(order, (packet_id.value(), received))?;
                self.messages.remove(order)?;
            }
            Change::Finished(order) => {
                self.exchanges.remove(order)?;
                self.messages.remove(order)?;
            }
            Change::Received(packet_id) => _ = self.received.insert(packet_id.value(), ())?,
            Change::Completed(packet_id) => _ = self.received.remove(packet_id.value())?,
        }
        Ok(())
    }

    fn messages(&self, now: u64, saved: &mut Saved) -> Result<(), ReadError> {
        for entry in self.messages.iter()? {
            let (order, value) = entry?;
            let (since, publish) = value.value();
            let message = &message(publish).ok_or(ReadError::Damaged("a message"))?;
            let (order, waited) = (order.value(), Duration::from_millis(now.saturating_sub(since)));
            saved.apply(&Record::Queued {
                order,
                message,
                waited,
            });
        }
        for entry in self.exchanges.iter()? {
            let (order, value) = entry?;
            let (order, (id, released)) = (order.value(), value.value());
            let packet_id = packet_id(id)?;
            saved.apply(&match released {
                None => Record::Sent { order, packet_id },
                Some((code, released)) => {
                    let reason_code =
                        ReasonCode::from_value(code).ok_or(ReadError::Damaged("a Reason Code"))?;
                    Record::Released {
                        order,
                        packet_id,
                        reason_code,
                        released,
                    }
                }
            });
        }
        Ok(())
    }
}

impl Change {
    fn of(record: &Record<'_>, now_ms: impl FnOnce() -> u64) -> Self {
        match *record {
            Record::Session { client_id } => Self::Session(client_id.clone()),
            Record::Queued {
                order,
                message,
                waited,
            } => {
                let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                Self::Queued(order, now_ms().saturating_sub(waited), publish(message))
            }
            Record::Sent { order, packet_id } => Self::Sent(order, packet_id),
            Record::Released {
                order,
                packet_id,
                reason_code,
                released,
            } => Self::Released(order, packet_id, reason_code, released),
            Record::Finished { order } => Self::Finished(order),
            Record::Received { packet_id } => Self::Received(packet_id),
            Record::Completed { packet_id } => Self::Completed(packet_id),
        }
    }
}

fn publish(message: &Message) -> BytesMut {
    let delivery = match message.qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(PacketId::MIN),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(PacketId::MIN),
    };
    let publish = Packet::Publish(Publish {
        dup: false,
        retain: message.retain,
        delivery,
        topic: Some(message.topic.clone()),
        payload: message.payload.clone(),
        properties: message.properties.clone(),
    });
    let mut bytes = BytesMut::new();
    encode(Version::V5, (&publish).into(), &mut bytes);
    bytes
}

fn message(publish: &[u8]) -> Option<Message> {
    let decoded = Decoder::with_version(Version::V5, u32::MAX).decode(&mut BytesMut::from(publish));
    let Ok(Some(Packet::Publish(publish))) = decoded else {
        return None;
    };
    Some(Message {
        topic: publish.topic?,
        payload: publish.payload,
        qos: publish.delivery.qos(),
        retain: publish.retain,
        properties: publish.properties,
    })
}

fn packet_id(value: u16) -> Result<PacketId, ReadError> {
    PacketId::new(value).ok_or(ReadError::Damaged("a Packet Identifier"))
}

enum ReadError {
    Damaged(&'static str),
    Database(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// redb takes what a disk has lied about for a fault of its own, and panics. To whom the store belongs it is a damaged file.
fn unharmed<T>(path: &Path, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(damaged(path, "it holds what was never written there")))
}

fn checked(opened: Result<Database, DatabaseError>, path: &Path) -> Result<Database, StoreError> {
    let mut database = opened.map_err(|error| cannot_open(path, error))?;
    match database.check_integrity() {
        Ok(true) => Ok(database),
        Ok(false) => Err(damaged(path, "its checksums do not match")),
        Err(error) => Err(cannot_open(path, error)),
    }
}

fn cannot_open(path: &Path, error: DatabaseError) -> StoreError {
    if let DatabaseError::DatabaseAlreadyOpen = error {
        return StoreError::InUse(path.to_owned());
    }
    failed(path, error.into())
}

fn failed(path: &Path, error: redb::Error) -> StoreError {
    if let redb::Error::Corrupted(why) = error {
        return damaged(path, why);
    }
    if let redb::Error::Io(error) = &error
        && let io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof = error.kind()
    {
        return damaged(path, error.to_string());
    }
    StoreError::Failed(error.into())
}

fn damaged(path: &Path, why: impl Into<String>) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        why: why.into(),
    }
}

impl fmt::Debug for DatabaseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
