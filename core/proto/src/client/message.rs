use alloc::vec::Vec;

use bytes::Bytes;

use super::{Misuse, properties};
use crate::{
    Packet, PacketId, Properties, Property, Qos, Subscribe, SubscriptionOptions, TopicFilter, TopicName,
    Unsubscribe, Version,
};

/// An Application Message, on its way out or in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its Topic Name.
    pub topic: TopicName,
    /// What it says.
    pub payload: Bytes,
    /// On its way in, the QoS of this delivery.
    pub qos: Qos,
    /// Whether the server is to keep it; on its way in, whether it did.
    pub retain: bool,
    /// Message Expiry Interval, Content Type and the like. Empty in 3.1.1; Topic Alias is never among them.
    pub properties: Properties,
}

/// What is subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// At least one.
    pub filters: Vec<(TopicFilter, SubscriptionOptions)>,
    /// Subscription Identifier and User Properties. Empty in 3.1.1.
    pub properties: Properties,
}

/// What is unsubscribed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscription {
    /// At least one.
    pub filters: Vec<TopicFilter>,
    /// User Properties. Empty in 3.1.1.
    pub properties: Properties,
}

impl Message {
    /// A message without RETAIN and properties.
    pub const fn new(topic: TopicName, payload: Bytes, qos: Qos) -> Self {
        Self {
            topic,
            payload,
            qos,
            retain: false,
            properties: Properties::new(),
        }
    }

    // [MQTT-3.3.4-6] No Subscription Identifier; the Topic Alias is the client's own business.
    pub(super) fn check(&self, version: Version) -> Result<(), Misuse> {
        properties::check(version, &self.properties, |property| {
            matches!(
                property,
                Property::PayloadFormatIndicator(_)
                    | Property::MessageExpiryInterval(_)
                    | Property::ContentType(_)
                    | Property::ResponseTopic(_)
                    | Property::CorrelationData(_)
                    | Property::UserProperty(..)
            )
        })
    }
}

impl Subscription {
    /// One Topic Filter at a QoS, with every other option at its default.
    pub fn new(filter: TopicFilter, qos: Qos) -> Self {
        let options = SubscriptionOptions {
            qos,
            ..SubscriptionOptions::default()
        };
        Self {
            filters: [(filter, options)].into(),
            properties: Properties::new(),
        }
    }

    pub(super) fn packet(&self, packet_id: PacketId) -> Packet {
        Packet::Subscribe(Subscribe {
            packet_id,
            filters: self.filters.clone(),
            properties: self.properties.clone(),
        })
    }

    // [MQTT-3.8.3-2] [MQTT-3.8.3-4] [v3 MQTT-3.8.3-3]
    pub(super) fn check(&self, version: Version) -> Result<(), Misuse> {
        if self.filters.is_empty() {
            return Err(Misuse::NoTopicFilter);
        }
        for (filter, options) in &self.filters {
            if options.no_local && filter.share_name().is_some() {
                return Err(Misuse::NoLocalOnShared);
            }
            let qos_alone = SubscriptionOptions {
                qos: options.qos,
                ..SubscriptionOptions::default()
            };
            if version == Version::V3_1_1 && *options != qos_alone {
                return Err(Misuse::NeedsVersion5("subscription options"));
            }
        }
        properties::check(version, &self.properties, |property| {
            matches!(
                property,
                Property::SubscriptionIdentifier(_) | Property::UserProperty(..)
            )
        })
    }
}

impl Unsubscription {
    /// One Topic Filter.
    pub fn new(filter: TopicFilter) -> Self {
        Self {
            filters: [filter].into(),
            properties: Properties::new(),
        }
    }

    pub(super) fn packet(&self, packet_id: PacketId) -> Packet {
        Packet::Unsubscribe(Unsubscribe {
            packet_id,
            filters: self.filters.clone(),
            properties: self.properties.clone(),
        })
    }

    // [MQTT-3.10.3-2] [v3 MQTT-3.10.3-2]
    pub(super) fn check(&self, version: Version) -> Result<(), Misuse> {
        if self.filters.is_empty() {
            return Err(Misuse::NoTopicFilter);
        }
        properties::check(version, &self.properties, |property| {
            matches!(property, Property::UserProperty(..))
        })
    }
}
