use std::time::Duration;

use bytes::BytesMut;
use redb::{
    Key, ReadOnlyTable, ReadTransaction, ReadableTableMetadata as _, TableDefinition, TableError, Value,
};
use squall_proto::{
    Decoder, Instant, Packet, Qos, SubscriptionId, Text, TopicFilter, TopicName, Will,
    broker::{Content, Record, Subscription},
};

use super::{
    super::run::{self, Over},
    DELIVERIES, EXCHANGES, MESSAGES, NO_LOCAL, OVER, RECEIVED, RETAIN, RETAINED, SESSIONS, SUBSCRIPTIONS,
    WILLS,
};
use crate::database::{Trouble, packet_id, publish, unharmed};

/// What becomes of what is read.
pub(in crate::broker::store) struct Visit<'v> {
    pub(in crate::broker::store) record: &'v mut dyn FnMut(&Record<'_>),
    /// Something cannot be read; to give it back ends the reading.
    pub(in crate::broker::store) trouble: &'v mut dyn FnMut(Trouble) -> Result<(), Trouble>,
}

type Show<'s> = dyn FnMut(&Record<'_>) + 's;

/// Shows all that is kept as records, in an order in which they can be applied.
pub(in crate::broker::store) fn records(
    transaction: &ReadTransaction,
    visit: &mut Visit<'_>,
) -> Result<(), Trouble> {
    each(transaction, SESSIONS, visit, session)?;
    each(transaction, WILLS, visit, will)?;
    each(transaction, SUBSCRIPTIONS, visit, subscribed)?;
    each(transaction, RECEIVED, visit, received)?;
    each(transaction, MESSAGES, visit, message)?;
    each(transaction, RETAINED, visit, retained)?;
    deliveries(transaction, visit)?;
    each(transaction, EXCHANGES, visit, exchange)
}

/// Shows those of these messages that are kept.
pub(in crate::broker::store) fn messages(
    transaction: &ReadTransaction,
    numbers: &[u64],
    show: &mut Show<'_>,
) -> Result<(), Trouble> {
    let Some(table) = table(transaction, MESSAGES)? else {
        return Ok(());
    };
    for number in numbers {
        if let Some(row) = table.get(number)? {
            message(*number, row.value(), show)?;
        }
    }
    Ok(())
}

/// How many rows there are in all.
pub(in crate::broker::store) fn count(transaction: &ReadTransaction) -> Result<u64, Trouble> {
    Ok(rows(transaction, SESSIONS)?
        + rows(transaction, WILLS)?
        + rows(transaction, SUBSCRIPTIONS)?
        + rows(transaction, RECEIVED)?
        + rows(transaction, MESSAGES)?
        + rows(transaction, RETAINED)?
        + rows(transaction, DELIVERIES)?
        + rows(transaction, EXCHANGES)?)
}

fn rows<K: Key, V: Value>(
    transaction: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
) -> Result<u64, Trouble> {
    table(transaction, definition)?.map_or(Ok(0), |table| Ok(table.len()?))
}

/// `None` in a database to which nothing was committed yet.
fn table<K: Key, V: Value>(
    transaction: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, Trouble> {
    match transaction.open_table(definition) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows the rows of a table. Where its tree is broken the rest of it is given up, and the next table may still be whole.
fn each<K: Key + 'static, V: Value + 'static>(
    transaction: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
    visit: &mut Visit<'_>,
    show: impl Fn(K::SelfType<'_>, V::SelfType<'_>, &mut Show<'_>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let opened = unharmed(|| {
        let Some(table) = table(transaction, definition)? else {
            return Ok(None);
        };
        Ok(Some(table.range::<K::SelfType<'_>>(..)?))
    });
    let mut rows = match opened {
        Ok(Some(rows)) => rows,
        Ok(None) => return Ok(()),
        Err(trouble) => return (visit.trouble)(trouble),
    };
    loop {
        match unharmed(|| Ok(rows.next().transpose()?)) {
            Ok(Some((key, value))) => {
                if let Err(trouble) = show(key.value(), value.value(), visit.record) {
                    (visit.trouble)(trouble)?;
                }
            }
            Ok(None) => return Ok(()),
            Err(trouble) => return (visit.trouble)(trouble),
        }
    }
}

fn session(
    session: u64,
    (client_id, expiry, disconnected_at): (&str, Option<u64>, Option<u64>),
    show: &mut Show<'_>,
) -> Result<(), Trouble> {
    show(&Record::Session {
        session,
        client_id: &text(client_id)?,
        expiry: expiry.map(Duration::from_micros),
        disconnected_at: disconnected_at.map(Instant::from_micros),
    });
    Ok(())
}

fn will(session: u64, (due_at, bytes): (Option<u64>, &[u8]), show: &mut Show<'_>) -> Result<(), Trouble> {
    show(&Record::Will {
        session,
        will: &will_of(bytes).ok_or_else(|| Trouble::unreadable("a Will"))?,
        due_at: due_at.map(Instant::from_micros),
    });
    Ok(())
}

fn subscribed(
    (session, name, is_shared): (u64, &str, bool),
    (options, id): (u8, u32),
    show: &mut Show<'_>,
) -> Result<(), Trouble> {
    show(&Record::Subscribed {
        session,
        filter: &filter(name, is_shared)?,
        subscription: subscription(options, id)?,
    });
    Ok(())
}

fn received((session, packet_id): (u64, u16), (): (), show: &mut Show<'_>) -> Result<(), Trouble> {
    let packet_id = self::packet_id(packet_id)?;
    show(&Record::Received { session, packet_id });
    Ok(())
}

fn message(
    message: u64,
    (expires_at, bytes): (Option<u64>, &[u8]),
    show: &mut Show<'_>,
) -> Result<(), Trouble> {
    let (topic, publish) = publish(bytes).ok_or_else(|| Trouble::unreadable("a message"))?;
    show(&Record::Message {
        message,
        content: Content {
            topic: &topic,
            payload: &publish.payload,
            qos: publish.delivery.qos(),
            properties: &publish.properties,
            expires_at: expires_at.map(Instant::from_micros),
        },
    });
    Ok(())
}

fn retained(topic: &str, message: u64, show: &mut Show<'_>) -> Result<(), Trouble> {
    let topic = &TopicName::new(topic).map_err(|_| Trouble::unreadable("a Topic Name"))?;
    show(&Record::Retained { topic, message });
    Ok(())
}

fn deliveries(transaction: &ReadTransaction, visit: &mut Visit<'_>) -> Result<(), Trouble> {
    let over = match unharmed(|| table(transaction, OVER)) {
        Ok(over) => over,
        Err(trouble) => return (visit.trouble)(trouble),
    };
    each(
        transaction,
        DELIVERIES,
        visit,
        |first, (message, count, entries), show| {
            let over = over.as_ref().map(|over| over.get(first)).transpose()?.flatten();
            let over = over.map_or_else(|| Over(Vec::new()), |over| Over(over.value().to_vec()));
            run::deliveries((first, message, count), entries, &over, show)
        },
    )
}

fn exchange(order: u64, (packet_id, is_released): (u16, bool), show: &mut Show<'_>) -> Result<(), Trouble> {
    let packet_id = self::packet_id(packet_id)?;
    show(&Record::Sent { order, packet_id });
    if is_released {
        show(&Record::Released { order });
    }
    Ok(())
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

fn will_of(bytes: &[u8]) -> Option<Will> {
    match Decoder::new(u32::MAX).decode(&mut BytesMut::from(bytes)) {
        Ok(Some(Packet::Connect(connect))) => connect.will,
        Ok(_) | Err(_) => None,
    }
}
