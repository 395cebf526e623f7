use std::{
    fmt,
    future::ready,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::BytesMut;
use redb::{
    Database, ReadableTable as _, StorageBackend, StorageError, Table, TableDefinition, TableError,
    WriteTransaction,
};
use squall_proto::{
    PacketId, ReasonCode, Text,
    client::{Message, Record, Saved},
};

use super::{Commit, Store, StoreError};
use crate::database::{self, Trouble, Watcher, packet_id, publish_bytes, unharmed};

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
        let database =
            database::open(backend, CACHE, &Watcher::nobody()).map_err(|trouble| named(&path, trouble))?;
        Ok(Self::of(database, path, Box::new(wall_clock)))
    }

    pub(super) fn open_file(
        path: &Path,
        wall_clock: impl Fn() -> Duration + Send + 'static,
    ) -> Result<Self, StoreError> {
        let database = database::open_file(path, CACHE).map_err(|trouble| named(path, trouble))?;
        Ok(Self::of(database, path.to_owned(), Box::new(wall_clock)))
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
        unharmed(|| Ok(self.write()?)).map_err(|trouble| named(&self.path, trouble))?;
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

    fn read(&self) -> Result<Saved, Trouble> {
        let transaction = self.database.begin_write()?;
        let tables = Tables::open(&transaction)?;
        let mut saved = Saved::new();
        if let Some(client_id) = tables.session.get(0)? {
            let client_id =
                Text::new(client_id.value()).map_err(|_| Trouble::unreadable("a client identifier"))?;
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
        unharmed(|| self.read()).map_err(|trouble| named(&self.path, trouble))
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

    fn messages(&self, now: u64, saved: &mut Saved) -> Result<(), Trouble> {
        for entry in self.messages.iter()? {
            let (order, value) = entry?;
            let (since, publish) = value.value();
            let message = &message(publish).ok_or_else(|| Trouble::unreadable("a message"))?;
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
                        ReasonCode::from_value(code).ok_or_else(|| Trouble::unreadable("a Reason Code"))?;
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
                let Message {
                    topic,
                    payload,
                    qos,
                    retain,
                    properties,
                } = message;
                let publish = publish_bytes(topic, payload, *qos, *retain, properties);
                Self::Queued(order, now_ms().saturating_sub(waited), publish)
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

fn message(bytes: &[u8]) -> Option<Message> {
    let (topic, publish) = database::publish(bytes)?;
    Some(Message {
        topic,
        payload: publish.payload,
        qos: publish.delivery.qos(),
        retain: publish.retain,
        properties: publish.properties,
    })
}

fn named(path: &Path, trouble: Trouble) -> StoreError {
    let path = path.to_owned();
    match trouble {
        Trouble::InUse => StoreError::InUse(path),
        Trouble::Damaged(why) => StoreError::Damaged { path, why },
        Trouble::Failed(error) => StoreError::Failed(error.into()),
    }
}

impl fmt::Debug for DatabaseStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseStore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
