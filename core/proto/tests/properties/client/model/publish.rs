//! Messages of the application, on their way to the server.

use squall_proto::{
    Ack, Instant, Packet, PacketId, Properties, Property, Publish, Qos, ReasonCode, Version,
    client::{AtMostOnceOffline, Event, Failure, Message, Misuse, Overflow, Ticket},
    encoded_len,
};

use super::{Connection, Model, Phase};
use crate::values::delivery;

/// A message that was not sent, or is to be sent as new.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) message: Message,
    pub(super) since: Instant,
    pub(super) expires_at: Option<Instant>,
}

pub(super) struct InFlight {
    pub(super) packet_id: u16,
    pub(super) waiting: Waiting,
    /// With what PUBREC took it, once it has come.
    pub(super) released: Option<ReasonCode>,
    /// Whether its PUBLISH was sent on this connection.
    pub(super) sent_here: bool,
}

impl Model {
    pub(crate) fn publish(&mut self, now: Instant, ticket: Ticket, message: &Message) {
        self.now = now;
        let is_offline = !self.is_connected() && message.qos == Qos::AtMostOnce;
        if is_offline && self.options.at_most_once_offline == AtMostOnceOffline::Drop {
            return self.finished(ticket, Err(Failure::Offline));
        }
        while self.waiting.len() >= self.options.queued {
            match self.options.overflow {
                Overflow::DropNewest => return self.finished(ticket, Err(Failure::Dropped)),
                Overflow::DropOldest => {
                    let oldest = self.waiting.remove(0).ticket;
                    self.finished(oldest, Err(Failure::Dropped));
                }
                Overflow::Wait | Overflow::Refuse => {
                    let waiting = self.waiting.len();
                    return self.finished(ticket, Err(Misuse::QueueFull(waiting).into()));
                }
            }
        }
        let interval = message.properties.message_expiry_interval();
        self.waiting.push(Waiting {
            ticket,
            message: message.clone(),
            since: now,
            expires_at: interval.map(|seconds| now + std::time::Duration::from_secs(seconds.into())),
        });
    }

    /// A message has come to its end, which the application is told once.
    pub(super) fn finished(&mut self, ticket: Ticket, result: Result<ReasonCode, Failure>) {
        self.events.push(Event::Published { ticket, result });
    }

    /// Messages that waited too long are never sent.
    pub(super) fn expire(&mut self) {
        let now = self.now;
        let is_expired = |waiting: &mut Waiting| waiting.expires_at.is_some_and(|at| at <= now);
        let expired: Vec<Ticket> = self
            .waiting
            .extract_if(.., is_expired)
            .map(|it| it.ticket)
            .collect();
        for ticket in expired {
            self.finished(ticket, Err(Failure::Expired));
        }
    }

    /// The session goes on: PUBREL at once, in the order of the PUBRECs; PUBLISH as the quota allows.
    /// [MQTT-4.4.0-1] [MQTT-4.3.3-6] [v3 MQTT-4.4.0-1]
    pub(super) fn resume(&mut self) {
        for in_flight in &mut self.in_flight {
            in_flight.sent_here = false;
            if in_flight.released.is_some() {
                let packet_id = PacketId::new(in_flight.packet_id).unwrap();
                self.answers.push(Packet::Pubrel(Ack::success(packet_id)));
            }
        }
    }

    /// PUBACK, PUBREC or PUBCOMP.
    pub(super) fn answered(&mut self, packet: &Packet, ack: &Ack) {
        let v3 = self.version() == Version::V3_1_1;
        let Some(index) = self
            .in_flight
            .iter()
            .position(|it| it.packet_id == ack.packet_id.value())
        else {
            // PUBREC asks for an answer; the others end what was forgotten.
            if matches!(packet, Packet::Pubrec(_)) && !ack.reason_code.is_error() {
                let code = if v3 {
                    ReasonCode::Success
                } else {
                    ReasonCode::PacketIdentifierNotFound
                };
                self.answers.push(Packet::Pubrel(Ack::of(ack.packet_id, code)));
            }
            return;
        };
        let in_flight = &mut self.in_flight[index];
        let error = ack.reason_code.is_error();
        match (in_flight.waiting.message.qos, in_flight.released, packet) {
            // [MQTT-4.3.2-3] [v3 MQTT-4.3.2-1]
            (Qos::AtLeastOnce, None, Packet::Puback(_)) => self.acknowledged(index, ack.reason_code),
            (Qos::ExactlyOnce, None, Packet::Pubrec(_)) if error => self.acknowledged(index, ack.reason_code),
            // [MQTT-4.3.3-4] [v3 MQTT-4.3.3-1]
            (Qos::ExactlyOnce, released, Packet::Pubrec(_)) if !error => {
                in_flight.released = Some(released.unwrap_or(ack.reason_code));
                self.answers.push(Packet::Pubrel(Ack::success(ack.packet_id)));
                if released.is_none() {
                    // [MQTT-4.6.0-4] [v3 MQTT-4.6.0-4] Its PUBREL comes again after those of earlier PUBRECs.
                    let in_flight = self.in_flight.remove(index);
                    let after = self.in_flight.iter().rposition(|it| it.released.is_some());
                    self.in_flight.insert(after.map_or(0, |at| at + 1), in_flight);
                }
            }
            (Qos::ExactlyOnce, Some(released), Packet::Pubcomp(_)) => self.acknowledged(index, released),
            (_, _, _) => self.violated(&[ReasonCode::ProtocolError]),
        }
    }

    fn acknowledged(&mut self, index: usize, reason_code: ReasonCode) {
        let in_flight = self.in_flight.remove(index);
        if let Phase::Connected(connection) = &mut self.phase {
            connection.quota = connection
                .quota
                .saturating_add(1)
                .min(connection.limits.receive_maximum);
        }
        self.finished(in_flight.waiting.ticket, Ok(reason_code));
    }

    pub(super) fn sent_publish(&mut self, publish: &Publish) -> Result<(), String> {
        let now = self.now;
        let publish = &self.resolved(publish)?;
        let asked = publish
            .delivery
            .packet_id()
            .is_some_and(|packet_id| self.is_asked(packet_id.value()));
        let Phase::Connected(connection) = &mut self.phase else {
            return Err("not connected".into());
        };
        let Some(packet_id) = publish.delivery.packet_id().map(PacketId::value) else {
            return self.sent_at_most_once(publish);
        };
        let is_in_use = self.in_flight.iter().any(|it| it.packet_id == packet_id) || asked;
        // [MQTT-3.3.4-7] [MQTT-4.9.0-2]
        connection.quota = connection.quota.checked_sub(1).ok_or("the send quota is zero")?;
        if publish.dup {
            return self.sent_again(packet_id, publish);
        }
        let is_first =
            |waiting: &Waiting| waiting.message.qos > Qos::AtMostOnce && takes(connection, waiting);
        let first = self.waiting.iter().position(is_first).ok_or("no message waits")?;
        // [MQTT-4.6.0-1] Squall keeps the order of all QoS 1 and 2 messages.
        if !is(&self.waiting[first], publish, now) {
            return Err(format!(
                "message {:?} comes first",
                self.waiting[first].message.payload
            ));
        }
        // [MQTT-2.2.1-3] [MQTT-4.3.2-1] [v3 MQTT-2.3.1-2]
        if is_in_use {
            return Err("the packet identifier is in use".into());
        }
        if self
            .in_flight
            .iter()
            .any(|it| it.is_to_be_sent_again() && takes(connection, &it.waiting))
        {
            return Err("an older message is still to be sent again".into());
        }
        let waiting = self.waiting.remove(first);
        self.in_flight.push(InFlight {
            packet_id,
            waiting,
            released: None,
            sent_here: true,
        });
        Ok(())
    }

    /// The PUBLISH with the Topic Name that its Topic Alias stands for. [MQTT-3.2.2-17] [MQTT-3.2.2-18] [MQTT-3.3.2-9]
    fn resolved(&mut self, publish: &Publish) -> Result<Publish, String> {
        let Phase::Connected(connection) = &mut self.phase else {
            return Err("not connected".into());
        };
        let mut whole = publish.clone();
        let Some(alias) = publish.properties.topic_alias().map(|alias| alias.value()) else {
            return Ok(whole);
        };
        if alias > connection.limits.topic_alias_maximum() {
            return Err("the topic alias exceeds the server's maximum".into());
        }
        if let Some(topic) = &publish.topic {
            connection.aliases_of_client.insert(alias, topic.clone());
        }
        whole.topic = connection.aliases_of_client.get(&alias).cloned();
        whole
            .properties
            .retain(|property| !matches!(property, Property::TopicAlias(_)));
        Ok(whole)
    }

    fn sent_at_most_once(&mut self, publish: &Publish) -> Result<(), String> {
        let Phase::Connected(connection) = &self.phase else {
            return Err("not connected".into());
        };
        let now = self.now;
        let is_first =
            |waiting: &Waiting| waiting.message.qos == Qos::AtMostOnce && takes(connection, waiting);
        let first = self.waiting.iter().position(is_first).ok_or("no message waits")?;
        if !is(&self.waiting[first], publish, now) {
            return Err(format!(
                "message {:?} comes first",
                self.waiting[first].message.payload
            ));
        }
        let ticket = self.waiting.remove(first).ticket;
        self.finished(ticket, Ok(ReasonCode::Success));
        Ok(())
    }

    /// [MQTT-3.3.1-1] [MQTT-4.4.0-1] [MQTT-4.6.0-1] [v3 MQTT-3.3.1-1] [v3 MQTT-4.6.0-1]
    fn sent_again(&mut self, packet_id: u16, publish: &Publish) -> Result<(), String> {
        let Phase::Connected(connection) = &self.phase else {
            return Err("not connected".into());
        };
        let now = self.now;
        let is_next = |it: &&mut InFlight| it.is_to_be_sent_again() && takes(connection, &it.waiting);
        let next = self
            .in_flight
            .iter_mut()
            .find(is_next)
            .ok_or("nothing is to be sent again")?;
        if next.packet_id != packet_id || !is(&next.waiting, publish, now) {
            return Err(format!("id {} comes first", next.packet_id));
        }
        next.sent_here = true;
        Ok(())
    }

    /// The application is told that a message cannot be sent on this connection: [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15].
    pub(super) fn told_misuse(&mut self, ticket: Ticket) -> Result<(), String> {
        let Phase::Connected(connection) = &self.phase else {
            return Err("not connected".into());
        };

        let is_it = |waiting: &Waiting| waiting.ticket == ticket && !takes(connection, waiting);
        if let Some(index) = self.waiting.iter().position(is_it) {
            self.waiting.remove(index);
            return Ok(());
        }
        let again = self
            .in_flight
            .iter()
            .position(|it| it.is_to_be_sent_again() && is_it(&it.waiting));
        self.in_flight.remove(again.ok_or("this message can be sent")?);
        Ok(())
    }

    /// After an input: whatever could be sent has been.
    pub(super) fn settle_publishes(&self) -> Result<(), String> {
        let Phase::Connected(connection) = &self.phase else {
            return Ok(());
        };
        if let Some(waiting) = self
            .waiting
            .iter()
            .find(|waiting| waiting.message.qos == Qos::AtMostOnce)
        {
            return Err(format!("{:?} waits without reason", waiting.ticket));
        }
        // Squall counts a PUBREL of an earlier connection until its PUBCOMP.
        let under_way = self
            .in_flight
            .iter()
            .filter(|it| !it.is_to_be_sent_again())
            .count();
        if under_way >= usize::from(connection.limits.receive_maximum) {
            return Ok(());
        }
        if let Some(in_flight) = self.in_flight.iter().find(|it| it.is_to_be_sent_again()) {
            return Err(format!("id {} was not sent again", in_flight.packet_id));
        }
        self.waiting.first().map_or(Ok(()), |waiting| {
            Err(format!("{:?} waits without reason", waiting.ticket))
        })
    }
}

impl InFlight {
    fn is_to_be_sent_again(&self) -> bool {
        !self.sent_here && self.released.is_none()
    }
}

/// Whether the server takes the message. [MQTT-3.2.2-11] [MQTT-3.2.2-14] [MQTT-3.2.2-15]
fn takes(connection: &Connection, waiting: &Waiting) -> bool {
    let message = &waiting.message;
    let publish = Packet::Publish(Publish {
        dup: false,
        retain: message.retain,
        delivery: delivery(message.qos, 1),
        topic: Some(message.topic.clone()),
        payload: message.payload.clone(),
        properties: message.properties.clone(),
    });

    connection.takes_qos(message.qos)
        && (connection.limits.retain() || !message.retain)
        && encoded_len(Version::V5, (&publish).into()) <= connection.limits.packet_size_max
}

/// Whether a PUBLISH is this message.
fn is(waiting: &Waiting, publish: &Publish, now: Instant) -> bool {
    let message = &waiting.message;
    let without_expiry = |properties: &Properties| -> Properties {
        let rest = properties
            .iter()
            .filter(|it| !matches!(it, Property::MessageExpiryInterval(_)));
        rest.cloned().collect()
    };
    let waited = u32::try_from((now - waiting.since).as_secs()).unwrap();
    let left = message
        .properties
        .message_expiry_interval()
        .map(|seconds| seconds.saturating_sub(waited).max(1));
    publish.topic.as_ref() == Some(&message.topic)
        && publish.payload == message.payload
        && publish.delivery.qos() == message.qos
        && publish.retain == message.retain
        && publish.properties.message_expiry_interval() == left
        && without_expiry(&publish.properties) == without_expiry(&message.properties)
}
