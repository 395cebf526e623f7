//! PUBLISH and PUBREL from clients, and the way of a message to the sessions it is for.

use std::rc::Rc;

use squall_proto::{Ack, ConnId, Delivery, Packet, PacketId, Publish, ReasonCode, TopicName, Version};

use super::{
    Model, Unsent,
    message::{Message, Owed, Retained},
};

impl Model {
    pub(super) fn publish(&mut self, conn: ConnId, publish: &Publish) {
        let topic = self.resolve(conn, publish);
        let faults = self.faults(conn, publish, topic.as_ref());
        let Some(topic) = topic.filter(|_| faults.is_empty()) else {
            return self.end(conn, &faults, true);
        };
        let client_id = self.connections[&conn].client_id.clone();
        let message = Message::new(&client_id, self.now, topic, publish);
        match publish.delivery {
            Delivery::AtMostOnce => {
                self.accept(message);
            }
            // [MQTT-4.3.2-4] [MQTT-4.3.2-5] [v3 MQTT-4.3.2-2]
            Delivery::AtLeastOnce(packet_id) => {
                let codes = self.accept(message);
                self.owe_ack(conn, Packet::Puback, packet_id, &codes);
            }
            Delivery::ExactlyOnce(packet_id) => {
                // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] A Packet Identifier that is not released is the same message.
                if self.session(conn).unreleased.contains(&packet_id.value()) {
                    let codes = [ReasonCode::Success, ReasonCode::NoMatchingSubscribers];
                    return self.owe_ack(conn, Packet::Pubrec, packet_id, &codes);
                }
                let codes = self.accept(message);
                self.session(conn).unreleased.insert(packet_id.value());
                self.connection(conn).unreleased += 1;
                self.owe_ack(conn, Packet::Pubrec, packet_id, &codes);
            }
        }
    }

    pub(super) fn released(&mut self, conn: ConnId, ack: &Ack) {
        // [MQTT-4.3.3-11] [MQTT-4.3.3-12]
        let code = if self.release(conn, ack.packet_id) {
            ReasonCode::Success
        } else {
            ReasonCode::PacketIdentifierNotFound
        };
        self.owe_ack(conn, Packet::Pubcomp, ack.packet_id, &[code]);
    }

    /// The Packet Identifier is free again; whether it was in use.
    pub(super) fn release(&mut self, conn: ConnId, packet_id: PacketId) -> bool {
        let was_in_use = self.session(conn).unreleased.remove(&packet_id.value());
        let unreleased = &mut self.connection(conn).unreleased;
        *unreleased = unreleased.saturating_sub(u16::from(was_in_use));
        was_in_use
    }

    /// The topic of a PUBLISH; `None` where its Topic Alias means nothing. [MQTT-3.3.2-12]
    fn resolve(&mut self, conn: ConnId, publish: &Publish) -> Option<TopicName> {
        let connection = self.connection(conn);
        let Some(alias) = publish.properties.topic_alias() else {
            return publish.topic.clone();
        };
        if let Some(topic) = &publish.topic {
            connection.aliases_of_client.insert(alias.value(), topic.clone());
        }
        connection.aliases_of_client.get(&alias.value()).cloned()
    }

    /// What is not allowed about a PUBLISH.
    fn faults(&self, conn: ConnId, publish: &Publish, topic: Option<&TopicName>) -> Vec<ReasonCode> {
        let (limits, connection) = (&self.limits, &self.connections[&conn]);
        let alias = publish.properties.topic_alias().map_or(0, |alias| alias.value());
        let is_new = match publish.delivery {
            Delivery::ExactlyOnce(packet_id) => !self.sessions[&connection.client_id]
                .unreleased
                .contains(&packet_id.value()),
            Delivery::AtMostOnce | Delivery::AtLeastOnce(_) => false,
        };
        // Squall lets a repeat pass: it takes no room. [MQTT-3.3.4-7]
        let too_many =
            connection.version == Version::V5 && is_new && connection.unreleased >= limits.receive_maximum;
        [
            (
                publish.delivery.qos() > limits.maximum_qos,
                ReasonCode::QosNotSupported,
            ),
            (
                publish.retain && !limits.retain_available,
                ReasonCode::RetainNotSupported,
            ),
            (alias > limits.topic_alias_maximum, ReasonCode::TopicAliasInvalid),
            (topic.is_none(), ReasonCode::ProtocolError),
            (
                topic.is_some_and(|topic| has_more_levels(topic, limits.topic_levels)),
                ReasonCode::TopicNameInvalid,
            ),
            (too_many, ReasonCode::ReceiveMaximumExceeded),
        ]
        .into_iter()
        .filter_map(|(is_wrong, code)| is_wrong.then_some(code))
        .collect()
    }

    /// Takes a message on. The answer is what PUBACK and PUBREC may say.
    pub(super) fn accept(&mut self, message: Message) -> Vec<ReasonCode> {
        let message = Rc::new(message);
        let mut codes = Vec::new();
        let mut optional = false;
        if message.retain {
            match self.room_for_retained(&message) {
                Room::None => return vec![ReasonCode::QuotaExceeded],
                Room::Unknown => {
                    optional = true;
                    codes.push(ReasonCode::QuotaExceeded);
                }
                Room::Some => {}
            }
            self.retain(&message, optional);
        }
        let routed = self.route(&message, optional);
        let matched = self.share(&message, optional) || routed;
        // Squall says when nobody gets it.
        codes.push(if matched {
            ReasonCode::Success
        } else {
            ReasonCode::NoMatchingSubscribers
        });
        codes
    }

    fn room_for_retained(&self, message: &Message) -> Room {
        let is_there = self.retained.get(&*message.topic);
        if message.payload.is_empty() || is_there.is_some_and(|retained| !retained.optional) {
            return Room::Some;
        }
        let sure = |retained: &&Retained| !retained.optional && !retained.message.is_expired(self.now);
        if self.retained.len() < self.limits.retained_messages {
            Room::Some
        } else if self.retained.values().filter(sure).count() >= self.limits.retained_messages {
            Room::None
        } else {
            Room::Unknown
        }
    }

    // [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-10] [v3 MQTT-3.3.1-11]
    fn retain(&mut self, message: &Rc<Message>, optional: bool) {
        if message.payload.is_empty() {
            self.retained.remove(&*message.topic);
        } else {
            let retained = Retained {
                message: Rc::clone(message),
                optional,
            };
            self.retained.insert(message.topic.to_string(), retained);
        }
    }

    /// Owes a message to every session that subscribes to it; whether there is one.
    fn route(&mut self, message: &Rc<Message>, optional: bool) -> bool {
        let mut matched = false;
        for (client_id, session) in &mut self.sessions {
            let matching = session.subscriptions.iter().filter(|(filter, subscription)| {
                // [MQTT-3.8.3-3]
                let is_own = subscription.options.no_local && *client_id == message.publisher;
                matches(filter, &message.topic) && !is_own
            });
            let matching: Vec<_> = matching.map(|(_, subscription)| *subscription).collect();
            let Some(qos) = matching.iter().map(|subscription| subscription.options.qos).max() else {
                continue;
            };
            matched = true;
            // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [v3 MQTT-3.3.1-9] Where subscriptions differ, either may win.
            let mut published = matching
                .iter()
                .map(|subscription| subscription.options.retain_as_published);
            let first = published.next().unwrap_or(false);
            let agreed = published.all(|other| other == first).then_some(first);
            // [MQTT-3.3.4-3] [MQTT-3.3.4-4] Squall sends one copy, with all identifiers. [v3 MQTT-3.3.5-1]
            let mut ids: Vec<u32> = matching
                .iter()
                .filter_map(|subscription| subscription.id)
                .collect();
            ids.sort_unstable();
            let owed = Owed {
                message: Rc::clone(message),
                // [MQTT-3.3.4-2] [MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
                qos: qos.min(message.qos),
                retain: if message.retain { agreed } else { Some(false) },
                ids,
                unordered: false,
                optional,
                share: None,
            };
            let unsent = session.connection.map(|conn| self.connections[&conn].unsent);
            session.push(owed, unsent, self.limits.queued_messages);
        }
        matched
    }
}

enum Room {
    None,
    /// A retained message that may or may not be there takes the last place.
    Unknown,
    Some,
}

impl super::Session {
    pub(super) fn push(&mut self, mut owed: Owed, unsent: Option<Unsent>, queued_messages: usize) {
        owed.optional |= self.owed.len() >= queued_messages;
        // Squall keeps no QoS 0 message for a session without a connection.
        let is_kept = unsent.is_some() || owed.is_acknowledged();
        owed.optional |= !owed.is_acknowledged() && unsent != Some(Unsent::Nothing);
        if let Some(share) = owed.share.as_ref().filter(|_| owed.optional) {
            share.may_be_lost.set(true);
        }
        if is_kept {
            self.owed.push(owed);
        }
    }
}

pub(super) fn has_more_levels(topic: &str, max: usize) -> bool {
    topic.split('/').count() > max
}

/// Section 4.7. [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1]
pub(super) fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let (filter, topic): (Vec<_>, Vec<_>) = (filter.split('/').collect(), topic.split('/').collect());
    levels_match(&filter, &topic)
}

fn levels_match(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        ([wanted, filter @ ..], [level, topic @ ..]) => {
            (*wanted == "+" || wanted == level) && levels_match(filter, topic)
        }
        (_, _) => false,
    }
}
