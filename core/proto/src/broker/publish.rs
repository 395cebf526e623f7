//! A PUBLISH from a client, and the way of a message to those it is for.

use alloc::{sync::Arc, vec::Vec};
use core::mem;

use super::{
    Broker, Cause, Note, Output, Refusal,
    message::{Message, Outgoing, SubscriptionIds, ids_of},
    retained::Retaining,
    session::{LastMatch, SessionKey},
    shared::{Chosen, GroupKey, Share},
};
use crate::{
    Ack, Delivery, Instant, Packet, PacketId, Properties, Publish, Qos, ReasonCode, SubscriptionId,
    TopicAlias, TopicName, Version, Violation,
};

/// What a subscription was granted, beside its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The maximum QoS of what is sent for it.
    pub qos: Qos,
    /// Whether the client's own messages are left out.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as it came.
    pub retain_as_published: bool,
    /// What is sent for it says so with this.
    pub id: Option<SubscriptionId>,
}

/// The subscriptions of one session that a message matches, as one delivery.
// [MQTT-3.3.4-2] [v3 MQTT-3.3.5-1] At the highest QoS of them.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) session: SessionKey,
    pub(super) qos: Qos,
    retain_as_published: bool,
    // [MQTT-3.3.4-3] [MQTT-3.3.4-4] One copy with all their identifiers.
    ids: SubscriptionIds,
    /// The group that chose this session, if that is why it gets the message.
    group: Option<GroupKey>,
}

impl From<Chosen> for Match {
    fn from(chosen: Chosen) -> Self {
        Self {
            session: chosen.member,
            qos: chosen.subscription.qos,
            retain_as_published: chosen.subscription.retain_as_published,
            ids: ids_of(chosen.subscription.id),
            group: Some(chosen.group),
        }
    }
}

impl Broker {
    pub(super) fn publish(
        &mut self,
        now: Instant,
        key: SessionKey,
        mut publish: Publish,
        out: &mut impl Output,
    ) {
        let topic = match self.check_publish(key, &mut publish) {
            Ok(topic) => topic,
            Err(violation) => return self.violated(now, key, violation, out),
        };
        let Publish {
            retain,
            delivery,
            payload,
            properties,
            ..
        } = publish;
        let message = Message::new(now, topic, payload, delivery.qos(), properties);
        // [MQTT-3.3.4-1] [v3 MQTT-3.3.4-1]
        match delivery {
            Delivery::AtMostOnce => {
                // It has no answer.
                let _ = self.take(now, key, message, retain, out);
            }
            // [MQTT-4.3.2-4] [MQTT-4.3.2-5] [v3 MQTT-4.3.2-2] Whatever DUP says, it is a new message.
            Delivery::AtLeastOnce(packet_id) => {
                let accepted = self.take(now, key, message, retain, out);
                self.acknowledge(now, key, packet_id, accepted, Packet::Puback, out);
            }
            Delivery::ExactlyOnce(packet_id) => self.exactly_once(now, key, packet_id, message, retain, out),
        }
    }

    // [MQTT-4.3.3-8] [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] The identifier is kept with the session until PUBREL.
    fn exactly_once(
        &mut self,
        now: Instant,
        key: SessionKey,
        packet_id: PacketId,
        message: Message,
        retain: bool,
        out: &mut impl Output,
    ) {
        let receive_maximum = self
            .rules
            .receive_maximum
            .is_strict()
            .then_some(self.limits.receive_maximum);
        let is_new = !self.session(key).unreleased.contains(&packet_id);
        let mut accepted = Ok(ReasonCode::Success);
        if is_new && let Err(refusal) = self.check_receivable(key) {
            accepted = Err(refusal);
        } else if is_new {
            let session = self.session_mut(key);
            // [MQTT-3.3.4-7] [X5-3.3.4-3]
            if let Some(online) = session.online_mut() {
                let full = receive_maximum.is_some_and(|max| online.receiving >= max);
                if online.version == Version::V5 && full {
                    return self.violated(now, key, Violation::ReceiveMaximumExceeded, out);
                }
                online.receiving = online.receiving.saturating_add(1);
            }
            session.unreleased.insert(packet_id);
            session.record_received(packet_id, out);
            accepted = self.take(now, key, message, retain, out);
            // [MQTT-4.3.3-9] A client of 3.1.1 is not told, and goes on to PUBREL.
            if accepted.is_err() && self.version(key) == Version::V5 {
                self.release(key, packet_id, out);
            }
        }
        self.acknowledge(now, key, packet_id, accepted, Packet::Pubrec, out);
    }

    /// Takes a client's message on, if the rules let it through.
    fn take(
        &mut self,
        now: Instant,
        key: SessionKey,
        message: Message,
        retain: bool,
        out: &mut impl Output,
    ) -> Result<ReasonCode, Refusal> {
        if let Err(refusal) = self.check_message(&message.topic, &message.payload, &message.properties) {
            out.note(Note::PublishRefused {
                client_id: self.session(key).client_id.clone(),
                topic: message.topic,
                refusal,
            });
            return Err(refusal);
        }
        self.accept(now, Some(key), message, retain, out)
    }

    /// Whether clients may publish this.
    pub(super) fn check_message(
        &self,
        topic: &TopicName,
        payload: &[u8],
        properties: &Properties,
    ) -> Result<(), Refusal> {
        if self.rules.dollar_topics.is_strict() && topic.starts_with('$') {
            return Err(Refusal::DollarTopic);
        }
        // [X5-3.1.3.2.3-1]
        if self.rules.payload_format.is_strict()
            && properties.payload_format_indicator() == Some(true)
            && core::str::from_utf8(payload).is_err()
        {
            return Err(Refusal::PayloadFormat);
        }
        Ok(())
    }

    /// Ends the exchange of a QoS 2 message from the client; whether there was one.
    // [MQTT-4.3.3-12] Afterwards the identifier is free.
    pub(super) fn release(&mut self, key: SessionKey, packet_id: PacketId, out: &mut impl Output) -> bool {
        let session = self.session_mut(key);
        let released = session.unreleased.remove(&packet_id);
        if released {
            session.record_completed(packet_id, out);
        }
        if released && let Some(online) = session.online_mut() {
            online.receiving = online.receiving.saturating_sub(1);
        }
        released
    }

    fn check_publish(&mut self, key: SessionKey, publish: &mut Publish) -> Result<TopicName, Violation> {
        // [X5-3.2.2.3.4-2]
        if publish.delivery.qos() > self.limits.maximum_qos {
            return Err(Violation::QosNotSupported);
        }
        // [X5-3.2.2.3.5-2]
        if publish.retain && !self.limits.retain_available {
            return Err(Violation::RetainNotSupported);
        }
        if publish.properties.subscription_identifiers().next().is_some() {
            return Err(Violation::SubscriptionIdentifierFromClient);
        }
        let topic = self.resolve(key, publish.topic.take(), publish.properties.topic_alias())?;
        if topic.len() > self.limits.topic_bytes {
            return Err(Violation::TopicTooLong);
        }
        if super::has_more_levels(&topic, self.limits.topic_levels) {
            return Err(Violation::TooManyTopicLevels);
        }
        Ok(topic)
    }

    // [MQTT-3.3.2-12] [X5-3.3.2.3.4-1] [X5-3.3.4-1]
    fn resolve(
        &mut self,
        key: SessionKey,
        topic: Option<TopicName>,
        alias: Option<TopicAlias>,
    ) -> Result<TopicName, Violation> {
        let alias_max = self.limits.topic_alias_maximum;
        let Some(alias) = alias else {
            return topic.ok_or(Violation::UnknownTopicAlias);
        };
        if alias.value() > alias_max {
            return Err(Violation::TopicAliasTooLarge);
        }
        let aliases = self
            .session_mut(key)
            .online_mut()
            .map(|online| &mut online.topic_aliases);
        let aliases = aliases.ok_or(Violation::UnknownTopicAlias)?;
        let index = usize::from(alias.value());
        match topic {
            Some(topic) => {
                if aliases.len() <= index {
                    aliases.resize(index + 1, None);
                }
                if let Some(named) = aliases.get_mut(index) {
                    *named = Some(topic.detached());
                }
                Ok(topic)
            }
            None => aliases
                .get(index)
                .cloned()
                .flatten()
                .ok_or(Violation::UnknownTopicAlias),
        }
    }

    /// Takes a message on: keeps it as the retained one where it is that, and sends it to every subscriber. What it says is for
    /// PUBACK and PUBREC.
    // [MQTT-4.5.0-1] [v3 MQTT-4.5.0-1]
    pub(super) fn accept(
        &mut self,
        now: Instant,
        publisher: Option<SessionKey>,
        mut message: Message,
        retain: bool,
        out: &mut impl Output,
    ) -> Result<ReasonCode, Refusal> {
        let retaining = self.retaining(now, publisher, &message, retain, out)?;
        let mut matches = mem::take(&mut self.matches);
        self.find_matches(publisher, &message.topic, &mut matches);
        self.find_chosen(publisher, &message, &mut matches, out);
        if self.is_frozen_for(publisher)
            && let Err(refusal) = self.check_deliverable(&message, &matches)
        {
            matches.clear();
            self.matches = matches;
            return Err(refusal);
        }
        let keep = retaining == Retaining::Replaced;
        if retaining == Retaining::Removed {
            // [MQTT-3.3.1-6] [MQTT-3.3.1-7] [v3 MQTT-3.3.1-10] [v3 MQTT-3.3.1-11]
            self.forget_retained(&message.topic, out);
        }
        let matched = !matches.is_empty();
        let acknowledged = |found: &Match| found.qos.min(message.qos) > Qos::AtMostOnce;
        // Only a message that is kept is allocated.
        if keep || matches.iter().any(acknowledged) {
            let is_kept = |found: &Match| acknowledged(found) && self.session(found.session).is_on_record();
            if keep || matches.iter().any(is_kept) {
                message.mark = Some(self.mark(&message));
            }
            let message = message.into_kept();
            if keep {
                // [MQTT-3.3.1-5] [MQTT-3.3.1-8] [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-7] [v3 MQTT-3.3.1-12]
                let replaced = self.retained.insert(Arc::clone(&message));
                message.retained(replaced.as_deref(), out);
            }
            self.route(now, &message, Some(&message), retain, &mut matches, out);
        } else {
            self.route(now, &message, None, retain, &mut matches, out);
        }
        self.matches = matches;
        // [MQTT-3.4.2-1] [MQTT-3.5.2-1]
        Ok(if matched {
            ReasonCode::Success
        } else {
            ReasonCode::NoMatchingSubscribers
        })
    }

    pub(super) fn find_matches(
        &mut self,
        publisher: Option<SessionKey>,
        topic: &TopicName,
        matches: &mut Vec<Match>,
    ) {
        self.routings += 1;
        let routing = self.routings;
        let sessions = &mut self.sessions;
        self.subscriptions
            .for_each_match(topic, |subscriber, subscription| {
                let key = SessionKey(subscriber);
                // [MQTT-3.8.3-3]
                if subscription.no_local && publisher == Some(key) {
                    return;
                }
                let Some(session) = sessions.get_mut(subscriber as usize) else {
                    return;
                };
                let joined = (session.last_match.routing == routing)
                    .then(|| matches.get_mut(session.last_match.index))
                    .flatten();
                if let Some(found) = joined {
                    found.qos = found.qos.max(subscription.qos);
                    found.retain_as_published |= subscription.retain_as_published;
                    // [X5-3.3.4-2]
                    found.ids.extend(subscription.id);
                } else {
                    session.last_match = LastMatch {
                        routing,
                        index: matches.len(),
                    };
                    matches.push(Match {
                        session: key,
                        qos: subscription.qos,
                        retain_as_published: subscription.retain_as_published,
                        ids: ids_of(subscription.id),
                        group: None,
                    });
                }
            });
    }

    pub(super) fn route(
        &mut self,
        now: Instant,
        message: &Message,
        kept: Option<&Arc<Message>>,
        retain: bool,
        matches: &mut Vec<Match>,
        out: &mut impl Output,
    ) {
        for found in matches.drain(..) {
            // [MQTT-3.8.4-8] [MQTT-4.8.2-3] [v3 MQTT-3.8.4-6]
            let qos = found.qos.min(message.qos);
            let share = found.group.map(|group| Share { group, retain });
            // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [v3 MQTT-3.3.1-9]
            let retain = retain && found.retain_as_published;
            match kept {
                Some(kept) if qos > Qos::AtMostOnce => {
                    let message = Arc::clone(kept).into();
                    let outgoing = Outgoing {
                        message,
                        qos,
                        retain,
                        subscription_ids: found.ids,
                        share,
                        order: None,
                    };
                    self.deliver(now, found.session, outgoing, out);
                }
                Some(_) | None => {
                    self.deliver_at_most_once(now, found.session, message, retain, &found.ids, out)
                }
            }
        }
    }

    /// PUBACK or PUBREC, as the client's version has it.
    fn acknowledge(
        &mut self,
        now: Instant,
        key: SessionKey,
        packet_id: PacketId,
        accepted: Result<ReasonCode, Refusal>,
        answer: fn(Ack) -> Packet,
        out: &mut impl Output,
    ) {
        let version = self.session(key).online().map(|online| online.version);
        let ack = match (accepted, version) {
            // [v3 MQTT-3.3.5-2] Not acknowledged, so that the client sends it again.
            (Err(refusal @ Refusal::CannotKeep), Some(Version::V3_1_1)) => {
                return self.refuse(now, key, Cause::Refused(refusal), out);
            }
            (Err(refusal), _) => return self.refuse_with(now, key, packet_id, refusal, answer, out),
            (Ok(reason_code), Some(Version::V5)) => Ack::of(packet_id, reason_code),
            (Ok(_), Some(Version::V3_1_1) | None) => Ack::success(packet_id),
        };
        self.send(now, key, &answer(ack), out);
    }
}
