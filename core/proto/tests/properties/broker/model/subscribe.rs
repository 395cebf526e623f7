//! SUBSCRIBE and UNSUBSCRIBE.

use std::rc::Rc;

use squall_proto::{
    ConnId, Packet, Properties, Qos, ReasonCode, RetainHandling, Suback, Subscribe, SubscriptionId,
    TopicFilter, Unsuback, Unsubscribe, Version,
};

use super::{
    Model, Subscription,
    message::Owed,
    publish::{has_more_levels, matches},
    share::key,
};

impl Model {
    // [MQTT-3.8.4-1] [MQTT-3.8.4-5] [v3 MQTT-3.8.4-1] [v3 MQTT-3.8.4-4]
    pub(super) fn subscribe(&mut self, conn: ConnId, subscribe: &Subscribe) {
        let version = self.connections[&conn].version;
        let unavailable = subscribe
            .filters
            .iter()
            .find_map(|(filter, _)| self.unavailable(filter));
        if let (Some(code), Version::V5) = (unavailable, version) {
            return self.end(conn, &[code], true);
        }
        let id = subscribe
            .properties
            .subscription_identifiers()
            .next()
            .map(SubscriptionId::value);
        let mut reason_codes = Vec::new();
        for (filter, options) in &subscribe.filters {
            let mut options = *options;
            options.qos = options.qos.min(self.limits.maximum_qos);
            let code = self.subscribe_to(conn, filter, Subscription { options, id });
            // [v3 MQTT-3.9.3-2]
            let v3_error = version == Version::V3_1_1 && code.is_error();
            reason_codes.push(if v3_error {
                ReasonCode::UnspecifiedError
            } else {
                code
            });
        }
        // [MQTT-3.8.4-2] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [v3 MQTT-3.8.4-2] [v3 MQTT-3.8.4-5] [v3 MQTT-3.9.3-1]
        let suback = Packet::Suback(Suback {
            packet_id: subscribe.packet_id,
            reason_codes,
            properties: Properties::new(),
        });
        self.owe(conn, vec![suback]);
    }

    fn subscribe_to(&mut self, conn: ConnId, filter: &TopicFilter, subscription: Subscription) -> ReasonCode {
        if let Some(code) = self.unavailable(filter) {
            return code;
        }
        let key = key(self.connections[&conn].version, filter);
        let limits = &self.limits;
        if has_more_levels(filter.levels(), limits.topic_levels) {
            return ReasonCode::TopicFilterInvalid;
        }
        let subscriptions_max = limits.subscriptions;
        let subscriptions = &mut self.session(conn).subscriptions;
        let is_new = !subscriptions.contains_key(&key);
        if is_new && subscriptions.len() >= subscriptions_max {
            return ReasonCode::QuotaExceeded;
        }
        // [MQTT-3.8.4-3] [v3 MQTT-3.8.4-3]
        subscriptions.insert(key, subscription);
        // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [v3 MQTT-3.3.1-6]
        let wants_retained = match subscription.options.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        // Section 4.8.2: a shared one is sent none.
        if wants_retained && filter.share_name().is_none() {
            self.owe_retained(conn, filter, subscription);
        }
        match subscription.options.qos {
            Qos::AtMostOnce => ReasonCode::Success,
            Qos::AtLeastOnce => ReasonCode::GrantedQos1,
            Qos::ExactlyOnce => ReasonCode::GrantedQos2,
        }
    }

    /// What CONNACK said that there is none of.
    fn unavailable(&self, filter: &TopicFilter) -> Option<ReasonCode> {
        let limits = &self.limits;
        if !limits.shared_subscription_available && filter.share_name().is_some() {
            Some(ReasonCode::SharedSubscriptionsNotSupported)
        } else if !limits.wildcard_subscription_available && filter.has_wildcard() {
            Some(ReasonCode::WildcardSubscriptionsNotSupported)
        } else {
            None
        }
    }

    /// Squall sends one copy a filter.
    fn owe_retained(&mut self, conn: ConnId, filter: &str, subscription: Subscription) {
        let (now, client_id) = (self.now, self.connections[&conn].client_id.clone());
        let retained = self
            .retained
            .values()
            .filter(|retained| matches(filter, &retained.message.topic) && !retained.message.is_expired(now));
        let owed: Vec<Owed> = retained
            .map(|retained| Owed {
                message: Rc::clone(&retained.message),
                qos: subscription.options.qos.min(retained.message.qos),
                // [MQTT-3.3.1-8] [v3 MQTT-3.3.1-8]
                retain: Some(true),
                ids: subscription.id.into_iter().collect(),
                unordered: true,
                // Whether No Local keeps back what the client itself left there is open.
                optional: retained.optional
                    || subscription.options.no_local && retained.message.publisher == client_id,
                share: None,
            })
            .collect();
        let unsent = self.connections[&conn].unsent;
        let queued_messages = self.limits.queued_messages;
        for owed in owed {
            self.session(conn).push(owed, Some(unsent), queued_messages);
        }
    }

    // [MQTT-3.10.4-1] [MQTT-3.10.4-4] [MQTT-3.10.4-6] [MQTT-3.11.3-2] [v3 MQTT-3.10.4-1] [v3 MQTT-3.10.4-4]
    pub(super) fn unsubscribe(&mut self, conn: ConnId, unsubscribe: &Unsubscribe) {
        let version = self.connections[&conn].version;
        let subscriptions = &mut self.session(conn).subscriptions;
        let codes =
            unsubscribe
                .filters
                .iter()
                .map(|filter| match subscriptions.remove(&key(version, filter)) {
                    Some(_) => ReasonCode::Success,
                    None => ReasonCode::NoSubscriptionExisted,
                });
        let codes: Vec<ReasonCode> = codes.collect();
        self.without_members();
        let unsuback = Packet::Unsuback(Unsuback {
            packet_id: unsubscribe.packet_id,
            reason_codes: if version == Version::V5 { codes } else { Vec::new() },
            properties: Properties::new(),
        });
        self.owe(conn, vec![unsuback]);
    }
}
