use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use squall_proto::{Delivery, Instant, Packet, PacketId, Publish, Qos, Text, TopicName};

use super::{SessionKey, Sessions, Wires};
use crate::trace::{Event, Side, What, WireId};

/// Every Application Message that reached the broker, known by its payload.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_payload: BTreeMap<Bytes, Message>,
    /// QoS 2 messages that the broker has taken and whose PUBREL has not come.
    unreleased: BTreeSet<(SessionKey, PacketId)>,
    /// Messages in the order they first reached the broker.
    count: u64,
}

/// An Application Message. What is published again after a session was lost is the same one, published twice.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) topic: TopicName,
    /// The Client Identifier of who published it.
    pub(crate) publisher: Text,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// Its place in the order in which messages first reached the broker.
    pub(crate) number: u64,
    /// When it first reached the broker, and the place of that in the trace.
    pub(crate) first: (Instant, usize),
    /// How often it was published, a redelivery that the receiver must recognise not counted.
    pub(crate) published: usize,
    /// It is a Will: when it is published is not on its client's wire.
    pub(crate) is_will: bool,
}

impl Messages {
    /// The message with this payload.
    pub(crate) fn get(&self, payload: &Bytes) -> Option<&Message> {
        self.by_payload.get(payload)
    }

    pub(super) fn observe(&mut self, index: usize, event: &Event, wires: &Wires, sessions: &Sessions) {
        let What::Arrived {
            wire,
            from: Side::Client,
            packet,
        } = &event.what
        else {
            return;
        };
        match packet {
            Packet::Publish(publish) => self.arrived((event.at, index), *wire, publish, wires, sessions),
            Packet::Pubrel(pubrel) => {
                if let Some((session, _)) = sessions.of_wire(wires, *wire) {
                    self.unreleased.remove(&(session, pubrel.packet_id));
                }
            }
            Packet::Connect(connect) => {
                if let Some(will) = &connect.will {
                    let topic = will.topic.clone();
                    let publisher = connect.client_id.clone();
                    let message =
                        self.known(&will.payload.clone().into(), topic, publisher, (event.at, index));
                    (message.qos, message.retain, message.is_will) = (will.qos, will.retain, true);
                }
            }
            _other_packets => {}
        }
    }

    fn arrived(
        &mut self,
        first: (Instant, usize),
        wire: WireId,
        publish: &Publish,
        wires: &Wires,
        sessions: &Sessions,
    ) {
        let topic = wires
            .get(wire)
            .and_then(|wire| wire.topic_of(Side::Client, publish));
        let (Some(topic), Some((session, _))) = (topic, sessions.of_wire(wires, wire)) else {
            return;
        };
        let publisher = session.client_id.clone();
        let is_new = match publish.delivery {
            Delivery::AtMostOnce | Delivery::AtLeastOnce(_) => true,
            // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] Until PUBREL the same Packet Identifier is the same message.
            Delivery::ExactlyOnce(packet_id) => self.unreleased.insert((session, packet_id)),
        };
        let message = self.known(&publish.payload, topic, publisher, first);
        message.qos = publish.delivery.qos();
        message.retain |= publish.retain;
        message.published += usize::from(is_new);
    }

    fn known(
        &mut self,
        payload: &Bytes,
        topic: TopicName,
        publisher: Text,
        first: (Instant, usize),
    ) -> &mut Message {
        let count = &mut self.count;
        self.by_payload.entry(payload.clone()).or_insert_with(|| {
            *count += 1;
            Message {
                topic,
                publisher,
                qos: Qos::AtMostOnce,
                retain: false,
                number: *count,
                first,
                published: 0,
                is_will: false,
            }
        })
    }
}
