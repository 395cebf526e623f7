//! SUBSCRIBE and UNSUBSCRIBE.

use alloc::{sync::Arc, vec::Vec};

use super::{
    Broker, Output, Refusal,
    deliver::Sent,
    message::{Outgoing, ids_of},
    publish::Subscription,
    session::SessionKey,
};
use crate::{
    Instant, Packet, Properties, Qos, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionId,
    SubscriptionOptions, TopicFilter, Unsuback, Unsubscribe, Version, Violation,
};

impl Broker {
    // [MQTT-3.8.4-1] [MQTT-3.8.4-5] [v3 MQTT-3.8.4-1] [v3 MQTT-3.8.4-4]
    pub(super) fn subscribe(
        &mut self,
        now: Instant,
        key: SessionKey,
        subscribe: Subscribe,
        out: &mut impl Output,
    ) {
        let version = self.version(key);
        let id = subscribe.properties.subscription_identifiers().next();
        let unavailable = |(filter, _): &(TopicFilter, _)| self.check_available(filter).err();
        // [X5-3.2.2.3.12-2]
        let unavailable = (id.is_some() && !self.limits.subscription_identifier_available)
            .then_some(Violation::SubscriptionIdentifiersNotSupported)
            .or_else(|| subscribe.filters.iter().find_map(unavailable));
        if version == Version::V5
            && let Some(violation) = unavailable
        {
            return self.violated(now, key, violation, out);
        }
        let mut reason_codes = Vec::with_capacity(subscribe.filters.len());
        let (mut wants_retained, mut why) = (Vec::new(), None);
        for (filter, options) in subscribe.filters {
            let filter = self.understood(version, filter);
            let subscribed = filter.and_then(|filter| self.subscribe_to(key, filter, options, id, out));
            match subscribed {
                Ok(subscribed) => {
                    reason_codes.push(granted(subscribed.subscription.qos));
                    if subscribed.wants_retained(options.retain_handling) {
                        wants_retained.push((subscribed.filter, subscribed.subscription));
                    }
                }
                Err(refusal) => {
                    reason_codes.push(refusal.reason_code());
                    why.get_or_insert(refusal);
                }
            }
        }
        // [MQTT-3.8.4-2] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [v3 MQTT-3.8.4-2] [v3 MQTT-3.8.4-5] [v3 MQTT-3.9.3-1]
        let mut suback = Packet::Suback(Suback {
            packet_id: subscribe.packet_id,
            reason_codes,
            properties: Properties::new(),
        });
        if let (Some(online), Some(why)) = (self.session(key).online(), why) {
            online.takes().explain(&mut suback, why);
        }
        if self.send(now, key, &suback, out) == Sent::TooLarge {
            return;
        }
        for (filter, subscription) in wants_retained {
            self.send_retained(now, key, &filter, subscription, out);
        }
        self.pump(now, key, out);
    }

    // [MQTT-3.8.4-3] [v3 MQTT-3.8.4-3]
    fn subscribe_to(
        &mut self,
        key: SessionKey,
        filter: TopicFilter,
        options: SubscriptionOptions,
        id: Option<SubscriptionId>,
        out: &mut impl Output,
    ) -> Result<Subscribed, Refusal> {
        self.check_available(&filter).map_err(Refusal::NotAvailable)?;
        if filter.len() > self.limits.topic_bytes
            || super::has_more_levels(filter.levels(), self.limits.topic_levels)
        {
            return Err(Refusal::TopicFilterTooLong);
        }
        self.check_subscribable(key)?;
        let is_full = self.subscribed >= self.limits.subscriptions_total;
        let subscriptions_max = self.limits.subscriptions;
        let subscriptions = &self.session(key).subscriptions;
        if !subscriptions.contains(&filter) && (is_full || subscriptions.len() >= subscriptions_max) {
            return Err(Refusal::TooManySubscriptions);
        }
        let subscription = Subscription {
            // [MQTT-3.2.2-10]
            qos: options.qos.min(self.limits.maximum_qos),
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            id,
        };
        let is_new = self.put_subscription(key, &filter, subscription);
        self.session(key).record_subscribed(&filter, subscription, out);
        Ok(Subscribed {
            filter,
            subscription,
            is_new,
        })
    }

    /// Whether the session had none of this Topic Filter.
    pub(super) fn put_subscription(
        &mut self,
        key: SessionKey,
        filter: &TopicFilter,
        subscription: Subscription,
    ) -> bool {
        let subscriptions = &mut self.session_mut(key).subscriptions;
        if !subscriptions.contains(filter) {
            subscriptions.insert(filter.detached());
            self.subscribed += 1;
        }
        if filter.share_name().is_some() {
            self.join(key, filter, subscription)
        } else {
            self.subscriptions
                .insert(filter.levels(), key.0, subscription)
                .is_none()
        }
    }

    /// What CONNACK said that there is none of.
    fn check_available(&self, filter: &TopicFilter) -> Result<(), Violation> {
        // [X5-3.2.2.3.13-2]
        if !self.limits.shared_subscription_available && filter.share_name().is_some() {
            return Err(Violation::SharedSubscriptionsNotSupported);
        }
        // [X5-3.2.2.3.11-2] [v3 MQTT-3.8.3-2]
        if !self.limits.wildcard_subscription_available && filter.has_wildcard() {
            return Err(Violation::WildcardSubscriptionsNotSupported);
        }
        Ok(())
    }

    /// A filter as this broker takes it: 3.1.1 has shared subscriptions where the limits say so.
    fn understood(&self, version: Version, filter: TopicFilter) -> Result<TopicFilter, Refusal> {
        let shares = self.limits.shared_subscription_available && self.limits.shared_subscriptions_v3;
        let read = match version {
            Version::V3_1_1 if shares => TopicFilter::from_text(filter.text().clone()),
            Version::V3_1_1 if filter.share_name().is_some() => {
                TopicFilter::not_shared(filter.text().clone())
            }
            Version::V3_1_1 | Version::V5 => return Ok(filter),
        };
        read.map_err(|_| Refusal::TopicFilterNotLegal)
    }

    // [MQTT-3.3.1-9] [v3 MQTT-3.3.1-6] [v3 MQTT-3.3.1-8]
    fn send_retained(
        &mut self,
        now: Instant,
        key: SessionKey,
        filter: &TopicFilter,
        subscription: Subscription,
        out: &mut impl Output,
    ) {
        // [MQTT-3.3.4-5] Each copy has the identifier of its own subscription.
        self.drop_expired_retained(now, out);
        let announced = self.announced.matching(filter.levels());
        for message in self
            .retained
            .matching(filter.levels())
            .into_iter()
            .chain(announced)
        {
            let outgoing = Outgoing {
                qos: message.qos.min(subscription.qos),
                message: Arc::clone(&message).into(),
                retain: true,
                subscription_ids: ids_of(subscription.id),
                share: None,
                order: None,
            };
            self.enqueue(now, key, outgoing, out);
        }
    }

    // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [v3 MQTT-3.10.4-4] [v3 MQTT-3.10.4-5] [v3 MQTT-3.10.4-6]
    pub(super) fn unsubscribe(
        &mut self,
        now: Instant,
        key: SessionKey,
        unsubscribe: &Unsubscribe,
        out: &mut impl Output,
    ) {
        let version = self
            .session(key)
            .online()
            .map_or(Version::V5, |online| online.version);
        // [MQTT-3.11.3-1] [MQTT-3.11.3-2]
        let reason_codes = unsubscribe
            .filters
            .iter()
            .map(|filter| self.unsubscribe_from(key, version, filter, out))
            .collect();
        let unsuback = Unsuback {
            packet_id: unsubscribe.packet_id,
            reason_codes,
            properties: Properties::new(),
        };
        self.send(now, key, &Packet::Unsuback(unsuback), out);
    }

    // [MQTT-3.10.4-2] [MQTT-3.10.4-3] [v3 MQTT-3.10.4-2] [v3 MQTT-3.10.4-3] Deliveries under way are not touched.
    fn unsubscribe_from(
        &mut self,
        key: SessionKey,
        version: Version,
        filter: &TopicFilter,
        out: &mut impl Output,
    ) -> ReasonCode {
        let Ok(filter) = self.understood(version, filter.clone()) else {
            return ReasonCode::NoSubscriptionExisted;
        };
        if self.session_mut(key).subscriptions.swap_remove(&filter) {
            self.forget_subscription(key, &filter);
            self.session(key).record_unsubscribed(&filter, out);
            ReasonCode::Success
        } else {
            ReasonCode::NoSubscriptionExisted
        }
    }

    /// Takes a subscription out of those that messages are matched with.
    pub(super) fn forget_subscription(&mut self, key: SessionKey, filter: &TopicFilter) {
        self.subscribed -= 1;
        if filter.share_name().is_some() {
            self.shared.leave(key, filter);
        } else {
            self.subscriptions.remove(filter.levels(), key.0);
        }
    }
}

/// What became of a filter.
struct Subscribed {
    filter: TopicFilter,
    subscription: Subscription,
    is_new: bool,
}

impl Subscribed {
    // [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] A shared subscription is sent none (section 4.8.2).
    fn wants_retained(&self, retain_handling: RetainHandling) -> bool {
        let wanted = match retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => self.is_new,
            RetainHandling::DoNotSend => false,
        };
        wanted && self.filter.share_name().is_none()
    }
}

// [MQTT-3.8.4-7] [MQTT-3.9.3-2] [v3 MQTT-3.9.3-2]
const fn granted(qos: Qos) -> ReasonCode {
    match qos {
        Qos::AtMostOnce => ReasonCode::Success,
        Qos::AtLeastOnce => ReasonCode::GrantedQos1,
        Qos::ExactlyOnce => ReasonCode::GrantedQos2,
    }
}
