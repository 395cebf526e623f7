use super::{
    Client, Event, Message, Output, Receipt, Record, Refusal, State,
    connection::Connection,
    session::{Received, Session},
};
use crate::{
    Delivery, Instant, Packet, PacketId, Property, Publish, Qos, ReasonCode, TopicName, Version, Violation,
    exchange::{InboundQos2, Request},
};

/// A message from the server: delivered, then acknowledged as its QoS demands, at once or when the application says so.
// [MQTT-3.3.4-1] [MQTT-4.5.0-2] [v3 MQTT-3.3.4-1] [v3 MQTT-4.5.0-2]
pub(super) fn publish(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    mut publish: Publish,
    out: &mut impl Output,
) -> Result<(), Violation> {
    let topic = topic(connection, &mut publish)?;
    let qos = publish.delivery.qos();
    let Some(packet_id) = publish.delivery.packet_id() else {
        deliver(topic, publish, None, out);
        return Ok(());
    };
    let known = known(session, connection, packet_id, &publish);
    connection.take(packet_id, qos, known == Known::Pending)?;
    match known {
        Known::New => {
            let receipt = session.receive(packet_id, qos, connection);
            deliver(topic, publish, receipt, out);
        }
        Known::Again => session.attach(packet_id, connection.number()),
        Known::Pending => {}
    }
    answer(session, connection, now, out);
    Ok(())
}

/// What a PUBLISH with a Packet Identifier is to this client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// A message that it has not had.
    New,
    /// A message that it had, and whose answer the server has not: a resumed session sends it again.
    Again,
    /// A message that it had on this connection and has not answered yet.
    Pending,
}

// [MQTT-4.3.2-5] [v3 MQTT-4.3.2-2] At QoS 1 a message is new unless we have not sent its PUBACK.
// [MQTT-4.3.3-10] [MQTT-4.3.3-12] [v3 MQTT-4.3.3-2] At QoS 2 it is one message from PUBLISH to PUBREL, however often it comes.
fn known(session: &Session, connection: &Connection, packet_id: PacketId, publish: &Publish) -> Known {
    match (session.received.get(&packet_id), publish.delivery.qos()) {
        (
            Some(Received::Taken {
                qos, connection: on, ..
            }),
            of,
        ) if *qos == of && *on == connection.number() => Known::Pending,
        (
            Some(Received::Taken {
                qos: Qos::AtLeastOnce,
                ..
            }),
            Qos::AtLeastOnce,
        ) if publish.dup => Known::Again,
        (
            Some(
                Received::Taken {
                    qos: Qos::ExactlyOnce,
                    ..
                }
                | Received::AwaitingPubrel,
            ),
            Qos::ExactlyOnce,
        ) => Known::Again,
        (Some(Received::Taken { .. } | Received::AwaitingPubrel) | None, _) => Known::New,
    }
}

impl Client {
    /// The application says what it makes of a message. Of an earlier session, or said before, it means nothing.
    pub(super) fn acknowledge(
        &mut self,
        now: Instant,
        receipt: Receipt,
        verdict: Result<(), Refusal>,
        out: &mut impl Output,
    ) {
        let Some(Received::Taken {
            number,
            verdict: slot @ None,
            ..
        }) = self.session.received.get_mut(&receipt.packet_id)
        else {
            return;
        };
        if *number != receipt.number {
            return;
        }
        *slot = Some(verdict);
        if let State::Connected(connection) = &mut self.state {
            answer(&mut self.session, connection, now, out);
        }
        self.keep(receipt.packet_id, out);
    }

    /// The application has a QoS 2 message whose PUBREC cannot leave yet: no later process hands it over again.
    // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2]
    fn keep(&self, packet_id: PacketId, out: &mut impl Output) {
        if let Some(Received::Taken {
            qos: Qos::ExactlyOnce,
            verdict: Some(Ok(())),
            ..
        }) = self.session.received.get(&packet_id)
        {
            out.persist(Record::Received { packet_id });
        }
    }
}

/// Sends the acknowledgements whose turn has come: a message that the application still has holds back those after it.
// [MQTT-4.6.0-2] [MQTT-4.6.0-3] [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3] In the order of the PUBLISH packets, at each QoS.
fn answer(session: &mut Session, connection: &mut Connection, now: Instant, out: &mut impl Output) {
    while let Some(&packet_id) = connection.pubacks.front() {
        let reason_code = match session.received.get(&packet_id) {
            Some(Received::Taken {
                qos: Qos::AtLeastOnce,
                verdict,
                ..
            }) => match verdict {
                None => break,
                Some(verdict) => Some(reason_code(connection, *verdict)),
            },
            Some(Received::Taken { .. } | Received::AwaitingPubrel) | None => None,
        };
        connection.pubacks.pop_front();
        if let Some(reason_code) = reason_code {
            // [MQTT-4.3.2-4] [v3 MQTT-4.3.2-2]
            session.received.remove(&packet_id);
            let puback = connection.ack(packet_id, reason_code);
            connection.send(now, &Packet::Puback(puback), out);
        }
    }
    while let Some(&packet_id) = connection.pubrecs.front() {
        let reason_code = match session.received.get(&packet_id) {
            Some(Received::Taken {
                qos: Qos::ExactlyOnce,
                verdict: None,
                ..
            }) => return,
            Some(Received::Taken {
                qos: Qos::ExactlyOnce,
                verdict: Some(verdict),
                ..
            }) => Some(reason_code(connection, *verdict)),
            Some(Received::AwaitingPubrel) => Some(ReasonCode::Success),
            Some(Received::Taken { .. }) | None => None,
        };
        connection.pubrecs.pop_front();
        if let Some(reason_code) = reason_code {
            pubrec(session, connection, now, packet_id, reason_code, out);
        }
    }
}

// [MQTT-4.3.3-8] [v3 MQTT-4.3.3-2]
fn pubrec(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    reason_code: ReasonCode,
    out: &mut impl Output,
) {
    let request = if reason_code.is_error() {
        Request::PublishRefused
    } else {
        Request::Publish
    };
    match session.stage(packet_id).next(request) {
        Some(InboundQos2::AwaitingPubrel) => {
            if session.stage(packet_id).is_new() {
                out.persist(Record::Received { packet_id });
            }
            session.received.insert(packet_id, Received::AwaitingPubrel);
        }
        // [MQTT-4.3.3-9] The Packet Identifier of a refused message is free.
        Some(InboundQos2::Free) | None => {
            session.received.remove(&packet_id);
            connection.received.remove(&packet_id);
        }
    }
    let pubrec = connection.ack(packet_id, reason_code);
    connection.send(now, &Packet::Pubrec(pubrec), out);
}

/// 3.1.1 has no word for a refusal: the message is acknowledged.
const fn reason_code(connection: &Connection, verdict: Result<(), Refusal>) -> ReasonCode {
    match (connection.version(), verdict) {
        (Version::V3_1_1, _) | (Version::V5, Ok(())) => ReasonCode::Success,
        (Version::V5, Err(refusal)) => refusal.reason_code(),
    }
}

/// The end of a QoS 2 message from the server.
// [MQTT-4.3.3-13]
// [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2] PUBCOMP is the answer, whether or not the Packet Identifier is known.
pub(super) fn pubrel(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    out: &mut impl Output,
) {
    let reason_code = match session.stage(packet_id).next(Request::Pubrel) {
        Some(_) => {
            out.persist(Record::Completed { packet_id });
            session.received.remove(&packet_id);
            connection.received.remove(&packet_id);
            ReasonCode::Success
        }
        None => ReasonCode::PacketIdentifierNotFound,
    };
    let pubcomp = connection.ack(packet_id, reason_code);
    connection.send(now, &Packet::Pubcomp(pubcomp), out);
}

fn deliver(topic: TopicName, publish: Publish, receipt: Option<Receipt>, out: &mut impl Output) {
    out.event(Event::Message {
        dup: publish.dup && !matches!(publish.delivery, Delivery::ExactlyOnce(_)),
        receipt,
        message: Message {
            topic,
            qos: publish.delivery.qos(),
            payload: publish.payload,
            retain: publish.retain,
            properties: publish.properties,
        },
    });
}

/// The Topic Name of a PUBLISH, by itself or by the alias that stands for it.
// [MQTT-3.3.2-10] [MQTT-3.1.2-26] [MQTT-3.1.2-27] Every alias up to the maximum we announced, none above it.
fn topic(connection: &mut Connection, publish: &mut Publish) -> Result<TopicName, Violation> {
    let alias = publish.properties.topic_alias();
    // [X5-3.3.2.3.4-1]
    if alias.is_some_and(|alias| alias.value() > connection.topic_alias_maximum()) {
        return Err(Violation::TopicAliasTooLarge);
    }
    publish
        .properties
        .retain(|property| !matches!(property, Property::TopicAlias(_)));
    match (publish.topic.take(), alias) {
        (Some(topic), None) => Ok(topic),
        (Some(topic), Some(alias)) => {
            connection.aliases.insert(alias, topic.clone());
            Ok(topic)
        }
        // [X5-3.3.4-1]
        (None, alias) => alias
            .and_then(|alias| connection.aliases.get(&alias))
            .cloned()
            .ok_or(Violation::UnknownTopicAlias),
    }
}
