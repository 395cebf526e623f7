use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use squall_proto::{Delivery, Instant, Packet, PacketId, Publish, Qos, TopicName};

use crate::{
    checks::Now,
    model::SessionKey,
    trace::{Side, What, WireId},
};

/// What happened, by the names of the scenario.
#[derive(Default)]
pub(super) struct History {
    /// In the order they were first sent.
    pub(super) published: Vec<Published>,
    known: BTreeSet<Bytes>,
    /// By receiver and payload.
    pub(super) received: BTreeMap<(String, Bytes), Vec<Received>>,
    /// The CONNACKs that reached each client.
    pub(super) connacks: BTreeMap<String, Vec<Connected>>,
    /// The connections of each client, in the order they were opened.
    pub(super) wires: BTreeMap<String, Vec<WireId>>,
    unreleased: BTreeSet<(SessionKey, PacketId)>,
}

/// A message of a client.
pub(super) struct Published {
    pub(super) by: String,
    pub(super) payload: Bytes,
    pub(super) topic: TopicName,
    pub(super) qos: Qos,
    pub(super) at: Instant,
    pub(super) index: usize,
}

/// A message that reached a client, redeliveries that it must recognise not counted.
pub(super) struct Received {
    pub(super) index: usize,
    pub(super) at: Instant,
    pub(super) topic: TopicName,
    pub(super) retain: bool,
    /// It is a Will: so long after its client was last heard.
    pub(super) after_silence: Option<Duration>,
}

/// A CONNACK.
pub(super) struct Connected {
    pub(super) index: usize,
    pub(super) is_accepted: bool,
    pub(super) session_present: bool,
}

impl History {
    pub(super) fn observe(&mut self, now: &Now<'_>) {
        match &now.event.what {
            What::Opened { wire, client } => self.wires.entry(client.clone()).or_default().push(*wire),
            What::Sent {
                wire,
                from: Side::Client,
                packet: Packet::Publish(publish),
            } => {
                self.published(now, *wire, publish);
            }
            What::Arrived {
                wire,
                from: Side::Broker,
                packet,
            } => match packet {
                Packet::Publish(publish) => self.received(now, *wire, publish),
                Packet::Connack(connack) => {
                    let connected = Connected {
                        index: now.index,
                        is_accepted: !connack.reason_code.is_error(),
                        session_present: connack.session_present,
                    };
                    self.connacks.entry(name(now, *wire)).or_default().push(connected);
                }
                Packet::Pubrel(ack) => {
                    if let Some((session, _)) = now.model.sessions.of_wire(&now.model.wires, *wire) {
                        self.unreleased.remove(&(session, ack.packet_id));
                    }
                }
                _other_packets => {}
            },
            _other_events => {}
        }
    }

    fn published(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        let topic = now
            .model
            .wires
            .get(wire)
            .and_then(|wire| wire.topic_of(Side::Client, publish));
        let Some(topic) = topic else { return };
        if self.known.insert(publish.payload.clone()) {
            self.published.push(Published {
                by: name(now, wire),
                payload: publish.payload.clone(),
                topic,
                qos: publish.delivery.qos(),
                at: now.at,
                index: now.index,
            });
        }
    }

    fn received(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        let wires = &now.model.wires;
        let topic = wires
            .get(wire)
            .and_then(|wire| wire.topic_of(Side::Broker, publish));
        let (Some(topic), Some((session, _))) = (topic, now.model.sessions.of_wire(wires, wire)) else {
            return;
        };
        if let Delivery::ExactlyOnce(packet_id) = publish.delivery
            && !self.unreleased.insert((session, packet_id))
        {
            return;
        }
        let received = Received {
            index: now.index,
            at: now.at,
            topic,
            retain: publish.retain,
            after_silence: silence_before_will(now, &publish.payload),
        };
        let key = (name(now, wire), publish.payload.clone());
        self.received.entry(key).or_default().push(received);
    }
}

/// From the last packet of the client whose Will this is to now.
fn silence_before_will(now: &Now<'_>, payload: &Bytes) -> Option<Duration> {
    let message = now
        .model
        .messages
        .get(payload)
        .filter(|message| message.is_will)?;
    let mut wires = now.model.wires.iter().rev().map(|(_, wire)| wire);
    let wire = wires
        .find(|wire| wire.client_id() == Some(&message.publisher) && wire.over_for(Side::Broker).is_some())?;
    Some(now.at.saturating_since(wire.heard_at))
}

fn name(now: &Now<'_>, wire: WireId) -> String {
    now.model
        .wires
        .get(wire)
        .map(|wire| wire.name.clone())
        .unwrap_or_default()
}
