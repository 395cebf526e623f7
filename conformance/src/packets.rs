//! The well-formed packets that cases send.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use squall_proto::{
    Binary, Connect, Delivery, PacketId, Properties, Property, Publish, Qos, RetainHandling, Subscribe,
    SubscriptionId, SubscriptionOptions, Text, TopicAlias, TopicFilter, TopicName, Unsubscribe, Version,
    Will,
};

/// A string that a case wrote itself.
pub(crate) fn text(text: &str) -> Text {
    Text::new(text).expect("a case's text is a legal string")
}

/// A Topic Name that a case wrote itself.
pub(crate) fn topic_name(topic: &str) -> TopicName {
    TopicName::new(topic).expect("a case's topic is legal")
}

/// Binary Data that a case wrote itself.
pub(crate) fn binary(bytes: &[u8]) -> Binary {
    Binary::new(Bytes::copy_from_slice(bytes)).expect("a case's data is not too long")
}

/// A Packet Identifier that a case wrote itself.
pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("a case's Packet Identifier is not zero")
}

/// A CONNECT with Clean Start, a Keep Alive of a minute and nothing more.
pub(crate) fn connect(version: Version, client_id: &str) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client_id: text(client_id),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }
}

/// A Will at QoS 0, not retained.
pub(crate) fn will(topic: &str, payload: &str) -> Will {
    Will {
        topic: topic_name(topic),
        payload: binary(payload.as_bytes()),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: Properties::new(),
    }
}

/// A PUBLISH at QoS 0, not retained.
pub(crate) fn publish(topic: &str, payload: &str) -> Publish {
    Publish {
        dup: false,
        retain: false,
        delivery: Delivery::AtMostOnce,
        topic: Some(topic_name(topic)),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        properties: Properties::new(),
    }
}

/// Words that change a PUBLISH.
pub(crate) trait Also: Sized {
    /// At QoS 1.
    fn qos1(self, packet_id: u16) -> Self;
    /// At QoS 2.
    fn qos2(self, packet_id: u16) -> Self;
    /// With RETAIN.
    fn retained(self) -> Self;
    /// With DUP.
    fn again(self) -> Self;
    /// With one more property.
    fn with(self, property: Property) -> Self;
}

impl Also for Publish {
    fn qos1(mut self, packet_id: u16) -> Self {
        self.delivery = Delivery::AtLeastOnce(id(packet_id));
        self
    }

    fn qos2(mut self, packet_id: u16) -> Self {
        self.delivery = Delivery::ExactlyOnce(id(packet_id));
        self
    }

    fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    fn again(mut self) -> Self {
        self.dup = true;
        self
    }

    fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }
}

/// A SUBSCRIBE for one or more filters.
pub(crate) fn subscribe(packet_id: u16, filters: &[(&str, SubscriptionOptions)]) -> Subscribe {
    Subscribe {
        packet_id: id(packet_id),
        filters: filters
            .iter()
            .map(|(filter, options)| (topic_filter(filter), *options))
            .collect(),
        properties: Properties::new(),
    }
}

/// An UNSUBSCRIBE for one or more filters.
pub(crate) fn unsubscribe(packet_id: u16, filters: &[&str]) -> Unsubscribe {
    Unsubscribe {
        packet_id: id(packet_id),
        filters: filters.iter().map(|filter| topic_filter(filter)).collect(),
        properties: Properties::new(),
    }
}

/// Subscription Options that ask for a QoS and nothing more.
pub(crate) fn at(qos: Qos) -> SubscriptionOptions {
    SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    }
}

/// Subscription Options with a Retain Handling.
pub(crate) fn handling(retain_handling: RetainHandling) -> SubscriptionOptions {
    SubscriptionOptions {
        retain_handling,
        ..SubscriptionOptions::default()
    }
}

/// A User Property.
pub(crate) fn user_property(name: &str, value: &str) -> Property {
    Property::UserProperty(text(name), text(value))
}

/// A Topic Alias.
pub(crate) fn topic_alias(value: u16) -> Property {
    Property::TopicAlias(TopicAlias::new(value).expect("a case's Topic Alias is not zero"))
}

/// A Subscription Identifier.
pub(crate) fn subscription_identifier(value: u32) -> Property {
    Property::SubscriptionIdentifier(subscription_id(value))
}

/// A Subscription Identifier's value.
pub(crate) fn subscription_id(value: u32) -> SubscriptionId {
    SubscriptionId::new(value).expect("a case's Subscription Identifier is in range")
}

/// A Receive Maximum.
pub(crate) fn receive_maximum(value: u16) -> Property {
    Property::ReceiveMaximum(NonZeroU16::new(value).expect("a case's Receive Maximum is not zero"))
}

/// A Maximum Packet Size, in bytes.
pub(crate) fn maximum_packet_size(value: u32) -> Property {
    Property::MaximumPacketSize(NonZeroU32::new(value).expect("a case's Maximum Packet Size is not zero"))
}

fn topic_filter(filter: &str) -> TopicFilter {
    TopicFilter::new(filter).expect("a case's filter is legal")
}
