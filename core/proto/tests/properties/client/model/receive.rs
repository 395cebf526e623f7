//! Messages from the server.

use squall_proto::{
    Ack, Packet, PacketId, Property, Publish, Qos, ReasonCode, TopicName, Version,
    client::{Acknowledge, Event, Message, Receipt, Refusal},
};

use super::{Model, Phase};

/// A QoS 1 or 2 message whose exchange is not over.
pub(super) struct Received {
    packet_id: u16,
    qos: Qos,
    state: State,
    /// Whether its PUBLISH came on this connection.
    came_here: bool,
    receipt: Option<Receipt>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The application has it.
    Held,
    /// The application has said this of it, but an older one comes first.
    Ready(Result<(), Refusal>),
    /// PUBREC was sent.
    AwaitingPubrel,
}

impl Model {
    pub(super) fn receive(&mut self, publish: &Publish) {
        let Some(topic) = self.topic(publish) else { return };
        let qos = publish.delivery.qos();
        let Some(packet_id) = publish.delivery.packet_id() else {
            return self.delivered(topic, publish);
        };
        let known = self
            .received
            .iter()
            .position(|it| it.packet_id == packet_id.value() && it.is_same(publish));
        // [MQTT-3.3.4-9]
        let unfinished = self.received.iter().filter(|it| it.came_here).count();
        let is_counted = known.is_some_and(|at| self.received[at].came_here);
        if !is_counted && unfinished >= usize::from(self.receive_maximum()) && qos > Qos::AtMostOnce {
            return self.violated(&[ReasonCode::ReceiveMaximumExceeded]);
        }
        match known {
            // It has no answer yet, and gets one in its turn.
            Some(at) if self.received[at].came_here && self.received[at].state != State::AwaitingPubrel => {}
            // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] Not delivered again.
            Some(at) => {
                self.received[at].came_here = true;
                self.due.push((packet_id, qos));
            }
            None => {
                self.received.retain(|it| it.packet_id != packet_id.value());
                self.received.push(Received {
                    packet_id: packet_id.value(),
                    qos,
                    state: match self.options.acknowledge {
                        Acknowledge::Automatic => State::Ready(Ok(())),
                        Acknowledge::Manual => State::Held,
                    },
                    came_here: true,
                    receipt: None,
                });
                self.due.push((packet_id, qos));
                self.delivered(topic, publish);
            }
        }
        self.acknowledge_ready();
    }

    fn delivered(&mut self, topic: TopicName, publish: &Publish) {
        let is_forwarded = |property: &&Property| !matches!(property, Property::TopicAlias(_));
        self.events.push(Event::Message {
            message: Message {
                topic,
                payload: publish.payload.clone(),
                qos: publish.delivery.qos(),
                retain: publish.retain,
                properties: publish.properties.iter().filter(is_forwarded).cloned().collect(),
            },
            dup: publish.dup && publish.delivery.qos() == Qos::AtLeastOnce,
            receipt: None,
        });
    }

    /// The event of a message; its receipt is the client's to choose.
    pub(super) fn told_message(&mut self, event: &Event) -> Result<(), String> {
        let Event::Message {
            message,
            dup,
            receipt,
        } = event
        else {
            return Err("no message".into());
        };
        let plain = Event::Message {
            message: message.clone(),
            dup: *dup,
            receipt: None,
        };
        let index = self
            .events
            .iter()
            .position(|it| *it == plain)
            .ok_or("no such message came")?;
        self.events.remove(index);
        let wanted = message.qos > Qos::AtMostOnce && self.options.acknowledge == Acknowledge::Manual;
        if receipt.is_some() != wanted
            || self
                .received
                .iter()
                .any(|it| receipt.is_some() && it.receipt == *receipt)
        {
            return Err("the receipt is wrong".into());
        }
        if let (Some(receipt), Some(received)) = (receipt, self.received.last_mut()) {
            received.receipt = Some(*receipt);
        }
        Ok(())
    }

    /// Receipts that the application has not used, oldest first.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        let held = self.received.iter().filter(|it| it.state == State::Held);
        held.filter_map(|it| it.receipt).collect()
    }

    pub(crate) fn acknowledge(
        &mut self,
        now: squall_proto::Instant,
        receipt: Receipt,
        verdict: Result<(), Refusal>,
    ) {
        self.now = now;
        let is_it = |it: &&mut Received| it.receipt == Some(receipt) && it.state == State::Held;
        if let Some(received) = self.received.iter_mut().find(is_it) {
            received.state = State::Ready(verdict);
        }
        if self.is_connected() {
            self.acknowledge_ready();
        }
    }

    /// [MQTT-4.6.0-2] [MQTT-4.6.0-3] [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3] In the order of the PUBLISH packets, at each QoS.
    fn acknowledge_ready(&mut self) {
        for qos in [Qos::AtLeastOnce, Qos::ExactlyOnce] {
            while let Some(at) = self.due.iter().position(|(_, of)| *of == qos) {
                let packet_id = self.due[at].0;
                let is_it = |it: &Received| it.packet_id == packet_id.value();
                let Some(index) = self.received.iter().position(is_it) else {
                    self.due.remove(at);
                    continue;
                };
                let verdict = match self.received[index].state {
                    State::Held => break,
                    State::Ready(verdict) => verdict,
                    State::AwaitingPubrel => Ok(()),
                };
                self.due.remove(at);
                self.answer(index, verdict);
            }
        }
    }

    /// [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-9] [v3 MQTT-4.3.2-2] [v3 MQTT-4.3.3-2]
    fn answer(&mut self, index: usize, verdict: Result<(), Refusal>) {
        let code = match (self.version(), verdict) {
            (Version::V5, Err(refusal)) => refusal.reason_code(),
            (Version::V5, Ok(())) | (Version::V3_1_1, _) => ReasonCode::Success,
        };
        let received = &mut self.received[index];
        let ack = Ack::of(PacketId::new(received.packet_id).unwrap(), code);
        if received.qos == Qos::AtLeastOnce {
            self.received.remove(index);
            self.answers.push(Packet::Puback(ack));
        } else {
            received.state = State::AwaitingPubrel;
            if code.is_error() {
                self.received.remove(index);
            }
            self.answers.push(Packet::Pubrec(ack));
        }
    }

    /// [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2]
    pub(super) fn released(&mut self, packet_id: PacketId) {
        let is_it = |it: &Received| {
            it.packet_id == packet_id.value()
                && it.qos == Qos::ExactlyOnce
                && it.state == State::AwaitingPubrel
        };
        let code = match self.received.iter().position(is_it) {
            Some(at) => {
                self.received.remove(at);
                ReasonCode::Success
            }
            None if self.version() == Version::V3_1_1 => ReasonCode::Success,
            None => ReasonCode::PacketIdentifierNotFound,
        };
        self.answers.push(Packet::Pubcomp(Ack::of(packet_id, code)));
    }

    /// What becomes of messages that are not finished when the connection ends. A QoS 1 message stays the same one only if it
    /// comes again on the next connection.
    pub(super) fn received_offline(&mut self) {
        self.due.clear();
        self.received
            .retain(|it| it.qos == Qos::ExactlyOnce || it.came_here);
        for received in &mut self.received {
            received.came_here = false;
        }
    }

    /// The topic of a PUBLISH, unless it ends the connection. [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-10]
    fn topic(&mut self, publish: &Publish) -> Option<TopicName> {
        let maximum = self.options.topic_alias_maximum;
        let Phase::Connected(connection) = &mut self.phase else {
            return None;
        };
        let alias = publish.properties.topic_alias().map(|alias| alias.value());
        if alias.is_some_and(|alias| alias > maximum) {
            self.violated(&[ReasonCode::TopicAliasInvalid]);
            return None;
        }
        if let (Some(alias), Some(topic)) = (alias, &publish.topic) {
            connection.aliases_of_server.insert(alias, topic.clone());
        }
        let aliased = alias.and_then(|alias| connection.aliases_of_server.get(&alias).cloned());
        let topic = publish.topic.clone().or(aliased);
        if topic.is_none() {
            self.violated(&[ReasonCode::ProtocolError]);
        }
        topic
    }

    const fn receive_maximum(&self) -> u16 {
        match self.options.version {
            Version::V3_1_1 => u16::MAX,
            Version::V5 => self.options.receive_maximum,
        }
    }
}

impl Received {
    /// Whether a PUBLISH with its Packet Identifier is the same message again.
    fn is_same(&self, publish: &Publish) -> bool {
        match self.qos {
            Qos::ExactlyOnce => true,
            // [MQTT-4.3.2-5] After PUBACK it is a new message; before, on a new connection, DUP says that it is not.
            Qos::AtMostOnce | Qos::AtLeastOnce => self.came_here || publish.dup,
        }
    }
}
