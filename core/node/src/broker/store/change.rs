use std::time::Duration;

use bytes::{Bytes, BytesMut};
use squall_proto::{
    Instant, PacketId, Properties, Qos, Text, TopicFilter, TopicName, Will,
    broker::{Content, Record, Subscription},
};

use super::run::Run;
use crate::database::publish_bytes;

/// A [`Record`] with what it borrows; times in microseconds.
#[derive(Debug)]
pub(super) enum Change {
    Session {
        session: u64,
        client_id: Text,
        expiry: Option<u64>,
        disconnected_at: Option<u64>,
    },
    SessionEnded(u64),
    Will {
        session: u64,
        will: Will,
        due_at: Option<u64>,
    },
    WillEnded(u64),
    Subscribed(u64, TopicFilter, Subscription),
    Unsubscribed(u64, TopicFilter),
    Received(u64, PacketId),
    Completed(u64, PacketId),
    Message {
        message: u64,
        contents: Box<Contents>,
        expires_at: Option<u64>,
    },
    Forgotten(u64),
    Retained(TopicName, u64),
    RetainedRemoved(TopicName),
    Queued(Run),
    Sent(u64, PacketId),
    Released(u64),
    Finished(u64),
}

/// A [`Content`] with what it borrows, but when it expires.
#[derive(Debug)]
pub(super) struct Contents {
    topic: TopicName,
    payload: Bytes,
    qos: Qos,
    properties: Properties,
}

impl Change {
    pub(super) fn of(record: &Record<'_>) -> Self {
        match *record {
            Record::Session {
                session,
                client_id,
                expiry,
                disconnected_at,
            } => Self::Session {
                session,
                client_id: client_id.clone(),
                expiry: expiry.map(micros),
                disconnected_at: disconnected_at.map(Instant::as_micros),
            },
            Record::SessionEnded { session } => Self::SessionEnded(session),
            Record::Will {
                session,
                will,
                due_at,
            } => Self::Will {
                session,
                will: will.clone(),
                due_at: due_at.map(Instant::as_micros),
            },
            Record::WillEnded { session } => Self::WillEnded(session),
            Record::Subscribed {
                session,
                filter,
                subscription,
            } => Self::Subscribed(session, filter.clone(), subscription),
            Record::Unsubscribed { session, filter } => Self::Unsubscribed(session, filter.clone()),
            Record::Received { session, packet_id } => Self::Received(session, packet_id),
            Record::Completed { session, packet_id } => Self::Completed(session, packet_id),
            Record::Message { message, content } => Self::Message {
                message,
                contents: Box::new(Contents::of(content)),
                expires_at: content.expires_at.map(Instant::as_micros),
            },
            Record::Forgotten { message } => Self::Forgotten(message),
            Record::Retained { topic, message } => Self::Retained(topic.clone(), message),
            Record::RetainedRemoved { topic } => Self::RetainedRemoved(topic.clone()),
            Record::Queued { order, delivery } => Self::Queued(Run::of(order, delivery)),
            Record::Sent { order, packet_id } => Self::Sent(order, packet_id),
            Record::Released { order } => Self::Released(order),
            Record::Finished { order } => Self::Finished(order),
        }
    }

    /// Shows what it was made of.
    pub(super) fn each(&self, show: &mut dyn FnMut(&Record<'_>)) {
        if let Self::Queued(run) = self {
            run.each(show);
        } else if let Some(record) = self.record() {
            show(&record);
        }
    }

    /// The one record that it was made of; `None` of a run.
    fn record(&self) -> Option<Record<'_>> {
        Some(match self {
            Self::Session {
                session,
                client_id,
                expiry,
                disconnected_at,
            } => Record::Session {
                session: *session,
                client_id,
                expiry: expiry.map(Duration::from_micros),
                disconnected_at: disconnected_at.map(Instant::from_micros),
            },
            Self::SessionEnded(session) => Record::SessionEnded { session: *session },
            Self::Will {
                session,
                will,
                due_at,
            } => Record::Will {
                session: *session,
                will,
                due_at: due_at.map(Instant::from_micros),
            },
            Self::WillEnded(session) => Record::WillEnded { session: *session },
            Self::Subscribed(session, filter, subscription) => Record::Subscribed {
                session: *session,
                filter,
                subscription: *subscription,
            },
            Self::Unsubscribed(session, filter) => Record::Unsubscribed {
                session: *session,
                filter,
            },
            Self::Received(session, packet_id) => Record::Received {
                session: *session,
                packet_id: *packet_id,
            },
            Self::Completed(session, packet_id) => Record::Completed {
                session: *session,
                packet_id: *packet_id,
            },
            Self::Message {
                message,
                contents,
                expires_at,
            } => Record::Message {
                message: *message,
                content: contents.content(expires_at.map(Instant::from_micros)),
            },
            Self::Forgotten(message) => Record::Forgotten { message: *message },
            Self::Retained(topic, message) => Record::Retained {
                topic,
                message: *message,
            },
            Self::RetainedRemoved(topic) => Record::RetainedRemoved { topic },
            Self::Queued(_) => return None,
            Self::Sent(order, packet_id) => Record::Sent {
                order: *order,
                packet_id: *packet_id,
            },
            Self::Released(order) => Record::Released { order: *order },
            Self::Finished(order) => Record::Finished { order: *order },
        })
    }

    /// Roughly the memory that it takes.
    pub(super) fn size(&self) -> usize {
        let more = match self {
            Self::Will { will, .. } => will.payload.bytes().len(),
            Self::Message { contents, .. } => contents.payload.len(),
            Self::Queued(run) => run.entries.len(),
            Self::Session { .. }
            | Self::SessionEnded(_)
            | Self::WillEnded(_)
            | Self::Subscribed(..)
            | Self::Unsubscribed(..)
            | Self::Received(..)
            | Self::Completed(..)
            | Self::Forgotten(_)
            | Self::Retained(..)
            | Self::RetainedRemoved(_)
            | Self::Sent(..)
            | Self::Released(_)
            | Self::Finished(_) => 0,
        };
        size_of::<Self>() + more
    }
}

impl Contents {
    fn of(content: Content<'_>) -> Self {
        Self {
            topic: content.topic.clone(),
            payload: content.payload.clone(),
            qos: content.qos,
            properties: content.properties.clone(),
        }
    }

    fn content(&self, expires_at: Option<Instant>) -> Content<'_> {
        Content {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            properties: &self.properties,
            expires_at,
        }
    }

    /// As a database has it.
    pub(super) fn bytes(&self) -> BytesMut {
        publish_bytes(&self.topic, &self.payload, self.qos, false, &self.properties)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
