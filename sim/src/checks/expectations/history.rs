use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use squall_proto::{Instant, Packet, PacketType, Publish, Qos, TopicName};

use crate::{
    checks::Now,
    model::{Lookup, Receipt},
    scenario::Expectation,
    trace::{Side, Told, What, WireId, packet_line},
};

/// What happened, by the names of the scenario.
#[derive(Default)]
pub(super) struct History {
    /// In the order they were first sent.
    pub(super) published: Vec<Published>,
    known: BTreeSet<Bytes>,
    /// In the order they came.
    received: Vec<Received>,
    /// By receiver and payload.
    places: Lookup<(String, Bytes), Vec<usize>>,
    /// The CONNACKs that reached each client.
    pub(super) connacks: BTreeMap<String, Vec<Connected>>,
    /// The connections of each client, in the order they were opened.
    pub(super) wires: BTreeMap<String, Vec<WireId>>,
    /// Where each client told its application that its store has failed.
    pub(super) store_failures: BTreeMap<String, Vec<usize>>,
    /// What each client told its application, with the place of that in the trace.
    pub(super) told: BTreeMap<String, Vec<(usize, Told)>>,
    /// Every packet, if the scenario asks for any: kept as it is shown.
    pub(super) lines: Vec<Line>,
}

/// A packet that a client sent, or that reached it.
pub(super) struct Line {
    pub(super) index: usize,
    pub(super) client: String,
    pub(super) wire: WireId,
    /// The client sent it.
    pub(super) sent: bool,
    pub(super) packet_type: PacketType,
    pub(super) text: String,
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
    pub(super) by: String,
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
    /// What reached this client, in the order it came.
    pub(super) fn received_by(&self, name: &str) -> impl Iterator<Item = &Received> {
        self.received.iter().filter(move |received| received.by == name)
    }

    /// How this message reached this client, in the order it came.
    pub(super) fn received(&self, name: &str, payload: &Bytes) -> Vec<&Received> {
        let places = self
            .places
            .get(&(name.to_owned(), payload.clone()))
            .into_iter()
            .flatten();
        places.filter_map(|place| self.received.get(*place)).collect()
    }

    pub(super) fn observe(&mut self, now: &Now<'_>) {
        self.keep_line(now);
        match &now.event.what {
            What::Application {
                client,
                told: Told::StoreFailed { .. },
            } => self
                .store_failures
                .entry(client.clone())
                .or_default()
                .push(now.index),
            What::Application { client, told } => {
                let all = self.told.entry(client.clone()).or_default();
                all.push((now.index, told.clone()));
            }
            What::Opened { wire, client } => self.wires.entry(client.clone()).or_default().push(*wire),
            What::Sent {
                wire,
                from: Side::Client,
                packet: Packet::Publish(publish),
            } => self.published(now, *wire, publish),
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            } => self.take(now, *wire, publish),
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Connack(connack),
            } => {
                let connected = Connected {
                    index: now.index,
                    is_accepted: !connack.reason_code.is_error(),
                    session_present: connack.session_present,
                };
                self.connacks.entry(name(now, *wire)).or_default().push(connected);
            }
            _other_events => {}
        }
    }

    fn keep_line(&mut self, now: &Now<'_>) {
        let asks = |expectation: &Expectation| matches!(expectation, Expectation::Packets(_));
        if !now.model.scenario.expect.iter().any(asks) {
            return;
        }
        let (wire, packet, sent) = match &now.event.what {
            What::Sent {
                wire,
                from: Side::Client,
                packet,
            } => (wire, packet, true),
            What::Arrived {
                wire,
                from: Side::Broker,
                packet,
            } => (wire, packet, false),
            _other_events => return,
        };
        self.lines.push(Line {
            index: now.index,
            client: name(now, *wire),
            wire: *wire,
            sent,
            packet_type: packet.packet_type(),
            text: packet_line(packet),
        });
    }

    fn published(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        let Some(topic) = now.model.seen.topic else { return };
        if self.known.insert(publish.payload.clone()) {
            self.published.push(Published {
                by: name(now, wire),
                payload: publish.payload.clone(),
                topic: now.model.topics.name(topic).clone(),
                qos: publish.delivery.qos(),
                at: now.at,
                index: now.index,
            });
        }
    }

    fn take(&mut self, now: &Now<'_>, wire: WireId, publish: &Publish) {
        let model = now.model;
        let (Some(topic), Some(Receipt::New)) = (model.seen.topic, model.seen.receipt) else {
            return;
        };
        let name = name(now, wire);
        let places = self
            .places
            .entry((name.clone(), publish.payload.clone()))
            .or_default();
        places.push(self.received.len());
        self.received.push(Received {
            by: name,
            index: now.index,
            at: now.at,
            topic: model.topics.name(topic).clone(),
            retain: publish.retain,
            after_silence: silence_before_will(now),
        });
    }
}

/// From the last packet of the client whose Will this is to now.
fn silence_before_will(now: &Now<'_>) -> Option<Duration> {
    let message = now.model.messages.get(now.model.seen.message?);
    if !message.is_will {
        return None;
    }
    let mut wires = now.model.wires.of_client(message.publisher).rev();
    let (_, wire) = wires.find(|(_, wire)| wire.over_for(Side::Broker).is_some())?;
    Some(now.at.saturating_since(wire.heard_at))
}

fn name(now: &Now<'_>, wire: WireId) -> String {
    let wire = now.model.wires.get(wire);
    wire.map(|wire| wire.name.clone()).unwrap_or_default()
}
