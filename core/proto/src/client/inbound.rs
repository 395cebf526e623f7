use super::{Event, Message, Output, connection::Connection, session::Session};
use crate::{
    Ack, Delivery, Instant, Packet, PacketId, Property, Publish, ReasonCode, TopicName, Violation,
    exchange::{InboundQos2, Request},
};

/// A message from the server: delivered, then acknowledged as its QoS demands.
// [MQTT-3.3.4-1] [MQTT-4.5.0-2] [v3 MQTT-3.3.4-1] [v3 MQTT-4.5.0-2]
// [MQTT-4.6.0-2] [MQTT-4.6.0-3] [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3] At once, so in the order of the PUBLISH packets.
pub(super) fn publish(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    mut publish: Publish,
    out: &mut impl Output,
) -> Result<(), Violation> {
    let topic = topic(connection, &mut publish)?;
    let delivery = publish.delivery;
    match delivery {
        Delivery::AtMostOnce => deliver(topic, publish, out),
        // [MQTT-4.3.2-4] [v3 MQTT-4.3.2-2]
        Delivery::AtLeastOnce(packet_id) => {
            deliver(topic, publish, out);
            connection.send(now, &Packet::Puback(Ack::success(packet_id)), out);
        }
        Delivery::ExactlyOnce(packet_id) => {
            connection.take(packet_id)?;
            // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] Delivered once, however often it comes.
            if state(session, packet_id).is_new() {
                session.received.insert(packet_id);
                deliver(topic, publish, out);
            }
            // [MQTT-4.3.3-8]
            connection.send(now, &Packet::Pubrec(Ack::success(packet_id)), out);
        }
    }
    Ok(())
}

/// The end of a QoS 2 message from the server.
// [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2] PUBCOMP is the answer, whether or not the Packet Identifier is known.
pub(super) fn pubrel(
    session: &mut Session,
    connection: &mut Connection,
    now: Instant,
    packet_id: PacketId,
    out: &mut impl Output,
) {
    let reason_code = match state(session, packet_id).next(Request::Pubrel) {
        Some(_) => ReasonCode::Success,
        None => ReasonCode::PacketIdentifierNotFound,
    };
    session.received.remove(&packet_id);
    connection.received.remove(&packet_id);
    let pubcomp = connection.ack(packet_id, reason_code);
    connection.send(now, &Packet::Pubcomp(pubcomp), out);
}

fn state(session: &Session, packet_id: PacketId) -> InboundQos2 {
    if session.received.contains(&packet_id) {
        InboundQos2::AwaitingPubrel
    } else {
        InboundQos2::Free
    }
}

fn deliver(topic: TopicName, publish: Publish, out: &mut impl Output) {
    out.event(Event::Message {
        dup: publish.dup && !matches!(publish.delivery, Delivery::ExactlyOnce(_)),
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
        (None, alias) => alias
            .and_then(|alias| connection.aliases.get(&alias))
            .cloned()
            .ok_or(Violation::UnknownTopicAlias),
    }
}
