//! The tables of a broker's database. What is queued is written at the end of its table, whoever it is for.

use std::time::Duration;

use bytes::BytesMut;
use redb::{ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction};
use squall_proto::{
    Connect, Decoder, Instant, Packet, Properties, Qos, SubscriptionId, Text, TopicFilter, TopicName,
    Version, Will,
    broker::{Content, Owed, Record, Saved, SharedBy, Subscription},
    encode,
};

use super::change::{Change, Queued};
use crate::database::{Trouble, packet_id, publish};

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
/// By order: session, message, options as in SUBSCRIBE, Subscription Identifiers of four bytes each, shared subscription.
const DELIVERIES: TableDefinition<'_, u64, Delivery<'_>> = TableDefinition::new("deliveries");
/// By order, of those that were sent: Packet Identifier, and whether PUBREC came.
const EXCHANGES: TableDefinition<'_, u64, (u16, bool)> = TableDefinition::new("exchanges");

type Delivery<'a> = (u64, u64, u8, &'a [u8], Option<&'a str>);

/// The bits of options where SUBSCRIBE has them; RETAIN of a message stands in the place of Retain As Published.
const NO_LOCAL: u8 = 1 << 2;
const RETAIN: u8 = 1 << 3;
/// RETAIN as it was published.
const PUBLISHED_RETAIN: u8 = 1 << 4;

pub(super) struct Tables<'t> {
    sessions: Table<'t, u64, (&'static str, Option<u64>, Option<u64>)>,
    wills: Table<'t, u64, (Option<u64>, &'static [u8])>,
    subscriptions: Table<'t, (u64, &'static str, bool), (u8, u32)>,
    received: Table<'t, (u64, u16), ()>,
    messages: Table<'t, u64, (Option<u64>, &'static [u8])>,
    retained: Table<'t, &'static str, u64>,
    deliveries: Table<'t, u64, Delivery<'static>>,
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
            Change::Queued(order, queued) => self.queue(*order, queued)?,
            Change::Sent(order, packet_id) => {
                self.exchanges.insert(order, (packet_id.value(), false))?;
            }
            Change::Released(order) => self.release(*order)?,
            Change::Finished(order) => {
                self.deliveries.remove(order)?;
                self.exchanges.remove(order)?;
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

    fn queue(&mut self, order: u64, queued: &Queued) -> Result<(), Trouble> {
        let ids: Vec<u8> = queued
            .subscription_ids
            .iter()
            .flat_map(|id| id.value().to_be_bytes())
            .collect();
        let mut options = queued.qos.value();
        for (is_set, bit) in [
            (queued.retain, RETAIN),
            (
                queued.share.as_ref().is_some_and(|(_, retain)| *retain),
                PUBLISHED_RETAIN,
            ),
        ] {
            options |= if is_set { bit } else { 0 };
        }
        let share = queued.share.as_ref().map(|(filter, _)| &**filter);
        let delivery = (queued.session, queued.message, options, &*ids, share);
        self.deliveries.insert(order, delivery)?;
        Ok(())
    }

    fn release(&mut self, order: u64) -> Result<(), Trouble> {
        let sent = self.exchanges.get(order)?.map(|exchange| exchange.value());
        if let Some((packet_id, _)) = sent {
            self.exchanges.insert(order, (packet_id, true))?;
        }
        Ok(())
    }

    /// What all of it comes to.
    pub(super) fn read(&self) -> Result<Saved, Trouble> {
        let mut saved = Saved::new();
        self.read_sessions(&mut saved)?;
        self.read_messages(&mut saved)?;
        self.read_deliveries(&mut saved)?;
        Ok(saved)
    }

    fn read_sessions(&self, saved: &mut Saved) -> Result<(), Trouble> {
        for entry in self.sessions.iter()? {
            let (session, value) = entry?;
            let (client_id, expiry, disconnected_at) = value.value();
            saved.apply(&Record::Session {
                session: session.value(),
                client_id: &text(client_id)?,
                expiry: expiry.map(Duration::from_micros),
                disconnected_at: disconnected_at.map(Instant::from_micros),
            });
        }
        for entry in self.wills.iter()? {
            let (session, value) = entry?;
            let (due_at, bytes) = value.value();
            saved.apply(&Record::Will {
                session: session.value(),
                will: &will(bytes).ok_or_else(|| Trouble::unreadable("a Will"))?,
                due_at: due_at.map(Instant::from_micros),
            });
        }
        for entry in self.subscriptions.iter()? {
            let (key, value) = entry?;
            let ((session, filter, is_shared), (options, id)) = (key.value(), value.value());
            saved.apply(&Record::Subscribed {
                session,
                filter: &self::filter(filter, is_shared)?,
                subscription: subscription(options, id)?,
            });
        }
        for entry in self.received.iter()? {
            let (session, packet_id) = entry?.0.value();
            let packet_id = self::packet_id(packet_id)?;
            saved.apply(&Record::Received { session, packet_id });
        }
        Ok(())
    }

    fn read_messages(&self, saved: &mut Saved) -> Result<(), Trouble> {
        for entry in self.messages.iter()? {
            let (message, value) = entry?;
            let (expires_at, bytes) = value.value();
            let (topic, publish) = publish(bytes).ok_or_else(|| Trouble::unreadable("a message"))?;
            saved.apply(&Record::Message {
                message: message.value(),
                content: Content {
                    topic: &topic,
                    payload: &publish.payload,
                    qos: publish.delivery.qos(),
                    properties: &publish.properties,
                    expires_at: expires_at.map(Instant::from_micros),
                },
            });
        }
        for entry in self.retained.iter()? {
            let (topic, message) = entry?;
            let topic = TopicName::new(topic.value()).map_err(|_| Trouble::unreadable("a Topic Name"))?;
            saved.apply(&Record::Retained {
                topic: &topic,
                message: message.value(),
            });
        }
        Ok(())
    }

    fn read_deliveries(&self, saved: &mut Saved) -> Result<(), Trouble> {
        for entry in self.deliveries.iter()? {
            let (order, value) = entry?;
            let (session, message, options, ids, share) = value.value();
            let share = share.map(|share| filter(share, true)).transpose()?;
            saved.apply(&Record::Queued {
                order: order.value(),
                delivery: Owed {
                    session,
                    message,
                    qos: qos(options)?,
                    retain: options & RETAIN != 0,
                    subscription_ids: &subscription_ids(ids)?,
                    share: share.as_ref().map(|filter| SharedBy {
                        filter,
                        retain: options & PUBLISHED_RETAIN != 0,
                    }),
                },
            });
        }
        for entry in self.exchanges.iter()? {
            let (order, value) = entry?;
            let (order, (packet_id, is_released)) = (order.value(), value.value());
            let packet_id = self::packet_id(packet_id)?;
            saved.apply(&Record::Sent { order, packet_id });
            if is_released {
                saved.apply(&Record::Released { order });
            }
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

fn subscription(options: u8, id: u32) -> Result<Subscription, Trouble> {
    Ok(Subscription {
        qos: qos(options)?,
        no_local: options & NO_LOCAL != 0,
        retain_as_published: options & RETAIN != 0,
        id: SubscriptionId::new(id),
    })
}

fn qos(options: u8) -> Result<Qos, Trouble> {
    Qos::from_value(options & 3).ok_or_else(|| Trouble::unreadable("a QoS"))
}

fn subscription_ids(bytes: &[u8]) -> Result<Vec<SubscriptionId>, Trouble> {
    let (ids, rest) = bytes.as_chunks::<4>();
    let ids: Option<_> = ids
        .iter()
        .map(|id| SubscriptionId::new(u32::from_be_bytes(*id)))
        .collect();
    ids.filter(|_| rest.is_empty())
        .ok_or_else(|| Trouble::unreadable("a Subscription Identifier"))
}

fn filter(filter: &str, is_shared: bool) -> Result<TopicFilter, Trouble> {
    let text = text(filter)?;
    let filter = if is_shared {
        TopicFilter::from_text(text)
    } else {
        TopicFilter::not_shared(text)
    };
    filter.map_err(|_| Trouble::unreadable("a Topic Filter"))
}

fn text(text: &str) -> Result<Text, Trouble> {
    Text::new(text).map_err(|_| Trouble::unreadable("a string"))
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

fn will(bytes: &[u8]) -> Option<Will> {
    match Decoder::new(u32::MAX).decode(&mut BytesMut::from(bytes)) {
        Ok(Some(Packet::Connect(connect))) => connect.will,
        Ok(_) | Err(_) => None,
    }
}
