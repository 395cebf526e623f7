//! The tables of a broker's database. What is queued is written at the end of its table, whoever it is for. Here is how they are written,
//! `reading` is how they are read.

mod reading;

use bytes::BytesMut;
use redb::{ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction};
use squall_proto::{
    Connect, Packet, Properties, SubscriptionId, Text, TopicFilter, Version, Will, broker::Subscription,
    encode,
};

pub(super) use self::reading::{Visit, count, messages, records};
use super::{change::Change, run::Over};
use crate::database::Trouble;

/// By number: Client Identifier, how long it outlives its connection, when that ended. Times are in microseconds, since 1970.
const SESSIONS: TableDefinition<'_, u64, (&str, Option<u64>, Option<u64>)> = TableDefinition::new("sessions");
/// By session: when it is due, and a 5.0 CONNECT that has it.
const WILLS: TableDefinition<'_, u64, (Option<u64>, &[u8])> = TableDefinition::new("wills");
/// By session, Topic Filter, and whether that is of a shared subscription: options as in SUBSCRIBE, and Subscription Identifier or 0.
const SUBSCRIPTIONS: TableDefinition<'_, (u64, &str, bool), (u8, u32)> =
    TableDefinition::new("subscriptions");
/// By session: Packet Identifiers of QoS 2 messages from the client, without PUBREL.
const RECEIVED: TableDefinition<'_, (u64, u16), ()> = TableDefinition::new("received");
/// By number: when it expires, and its PUBLISH as 5.0 writes it.
const MESSAGES: TableDefinition<'_, u64, (Option<u64>, &[u8])> = TableDefinition::new("messages");
/// By topic: the number of its message.
const RETAINED: TableDefinition<'_, &str, u64> = TableDefinition::new("retained");
/// By the order of the first: message, how many deliveries of it follow each other, and these (see `run`).
const DELIVERIES: TableDefinition<'_, u64, (u64, u32, &[u8])> = TableDefinition::new("deliveries");
/// By the order of the first, where some but not all of them are over: which.
const OVER: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("over");
/// By order, of those that were sent: Packet Identifier, and whether PUBREC came.
const EXCHANGES: TableDefinition<'_, u64, (u16, bool)> = TableDefinition::new("exchanges");

/// The bits of options where SUBSCRIBE has them.
const NO_LOCAL: u8 = 1 << 2;
const RETAIN: u8 = 1 << 3;

pub(super) struct Tables<'t> {
    sessions: Table<'t, u64, (&'static str, Option<u64>, Option<u64>)>,
    wills: Table<'t, u64, (Option<u64>, &'static [u8])>,
    subscriptions: Table<'t, (u64, &'static str, bool), (u8, u32)>,
    received: Table<'t, (u64, u16), ()>,
    messages: Table<'t, u64, (Option<u64>, &'static [u8])>,
    retained: Table<'t, &'static str, u64>,
    deliveries: Table<'t, u64, (u64, u32, &'static [u8])>,
    over: Table<'t, u64, &'static [u8]>,
    exchanges: Table<'t, u64, (u16, bool)>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            wills: transaction.open_table(WILLS)?,
            subscriptions: transaction.open_table(SUBSCRIPTIONS)?,
            received: transaction.open_table(RECEIVED)?,
            messages: transaction.open_table(MESSAGES)?,
            retained: transaction.open_table(RETAINED)?,
            deliveries: transaction.open_table(DELIVERIES)?,
            over: transaction.open_table(OVER)?,
            exchanges: transaction.open_table(EXCHANGES)?,
        })
    }

    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Trouble> {
        match change {
            Change::Session {
                session,
                client_id,
                expiry,
                disconnected_at,
            } => {
                _ = self
                    .sessions
                    .insert(session, (&**client_id, *expiry, *disconnected_at))?
            }
            Change::SessionEnded(session) => self.end_session(*session)?,
            Change::Will {
                session,
                will,
                due_at,
            } => _ = self.wills.insert(session, (*due_at, &*will_bytes(will)))?,
            Change::WillEnded(session) => _ = self.wills.remove(session)?,
            Change::Subscribed(session, filter, subscription) => {
                let id = subscription.id.map_or(0, SubscriptionId::value);
                self.subscriptions
                    .insert(key(*session, filter), (options(*subscription), id))?;
            }
            Change::Unsubscribed(session, filter) => {
                self.subscriptions.remove(key(*session, filter))?;
            }
            Change::Received(session, packet_id) => {
                self.received.insert((*session, packet_id.value()), ())?;
            }
            Change::Completed(session, packet_id) => {
                self.received.remove((*session, packet_id.value()))?;
            }
            Change::Message {
                message,
                contents,
                expires_at,
            } => _ = self.messages.insert(message, (*expires_at, &*contents.bytes()))?,
            Change::Forgotten(message) => _ = self.messages.remove(message)?,
            Change::Retained(topic, message) => _ = self.retained.insert(&**topic, message)?,
            Change::RetainedRemoved(topic) => _ = self.retained.remove(&**topic)?,
            Change::Queued(run) => {
                let row = (run.message, run.count, &*run.entries);
                self.deliveries.insert(run.first, row)?;
            }
            Change::Sent(order, packet_id) => {
                self.exchanges.insert(order, (packet_id.value(), false))?;
            }
            Change::Released(order) => self.release(*order)?,
            Change::Finished(order) => {
                self.exchanges.remove(order)?;
                self.finish(*order)?;
            }
        }
        Ok(())
    }

    fn end_session(&mut self, session: u64) -> Result<(), Trouble> {
        let after = session.saturating_add(1);
        self.sessions.remove(session)?;
        self.wills.remove(session)?;
        self.received.retain_in((session, 0)..(after, 0), |_, ()| false)?;
        self.subscriptions
            .retain_in((session, "", false)..(after, "", false), |_, _| false)?;
        Ok(())
    }

    /// A delivery is over, and its run with the last of it.
    fn finish(&mut self, order: u64) -> Result<(), Trouble> {
        let run = self.deliveries.range(..=order)?.next_back().transpose()?;
        let Some((first, count)) = run.map(|(first, run)| (first.value(), run.value().1)) else {
            return Ok(());
        };
        let index = u32::try_from(order - first).unwrap_or(u32::MAX);
        if index >= count {
            return Ok(());
        }
        if count == 1 {
            self.deliveries.remove(first)?;
            return Ok(());
        }
        let over = self.over.get(first)?.map(|over| Over(over.value().to_vec()));
        let mut over = over.unwrap_or_else(|| Over::none(count));
        over.set(index);
        if over.are(count) {
            self.deliveries.remove(first)?;
            self.over.remove(first)?;
        } else {
            self.over.insert(first, &*over.0)?;
        }
        Ok(())
    }

    fn release(&mut self, order: u64) -> Result<(), Trouble> {
        let sent = self.exchanges.get(order)?.map(|exchange| exchange.value());
        if let Some((packet_id, _)) = sent {
            self.exchanges.insert(order, (packet_id, true))?;
        }
        Ok(())
    }
}

fn key(session: u64, filter: &TopicFilter) -> (u64, &str, bool) {
    (session, filter, filter.share_name().is_some())
}

const fn options(subscription: Subscription) -> u8 {
    let no_local = if subscription.no_local { NO_LOCAL } else { 0 };
    let retain = if subscription.retain_as_published {
        RETAIN
    } else {
        0
    };
    subscription.qos.value() | no_local | retain
}

fn will_bytes(will: &Will) -> BytesMut {
    let connect = Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 0,
        client_id: Text::default(),
        will: Some(will.clone()),
        user_name: None,
        password: None,
        properties: Properties::new(),
    };
    let mut bytes = BytesMut::new();
    encode(
        Version::V5,
        (&Packet::Connect(Box::new(connect))).into(),
        &mut bytes,
    );
    bytes
}
