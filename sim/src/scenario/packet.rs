use std::borrow::Cow;

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use squall_proto::{
    Ack, Binary, Connect, Delivery, Disconnect, Packet, PacketId, Properties, Property, Publish, Qos,
    ReasonCode, Subscribe, Text, TopicFilter, TopicName, Unsubscribe, Version,
};

use super::{Filters, Will, words};
use crate::span::Span;

/// A packet that a peer sends: `PINGREQ`, `PUBREL: 7`, `{ PUBLISH: { topic: t, qos: 1, packet_id: 7 } }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RawPacket {
    /// CONNECT.
    Connect(Box<RawConnect>),
    /// PUBLISH.
    Publish(RawPublish),
    /// PUBACK for this Packet Identifier.
    Puback(RawPacketId),
    /// PUBREC for this Packet Identifier.
    Pubrec(RawPacketId),
    /// PUBREL for this Packet Identifier.
    Pubrel(RawPacketId),
    /// PUBCOMP for this Packet Identifier.
    Pubcomp(RawPacketId),
    /// SUBSCRIBE.
    Subscribe(RawSubscribe),
    /// UNSUBSCRIBE.
    Unsubscribe(RawUnsubscribe),
    /// PINGREQ.
    Pingreq,
    /// DISCONNECT: normal.
    Disconnect,
}

/// A Packet Identifier, 1 to 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPacketId(pub PacketId);

/// CONNECT of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawConnect {
    /// Client Identifier.
    pub client_id: String,
    /// Keep Alive, whole seconds; 0 switches it off.
    #[serde(default)]
    pub keep_alive: Span,
    /// Clean Start; Clean Session in 3.1.1. Set, unless given.
    #[serde(default = "yes")]
    pub clean_start: bool,
    /// Session Expiry Interval, whole seconds; sent in 5.0 alone.
    #[serde(default)]
    pub session_expiry: Option<Span>,
    /// Will Message; its payload is the Client Identifier and `/will`.
    #[serde(default)]
    pub will: Option<Will>,
}

/// PUBLISH of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPublish {
    /// Topic Name.
    #[serde(with = "words::topic_name")]
    #[schemars(with = "String")]
    pub topic: TopicName,
    /// QoS. 0, unless given.
    #[serde(default, with = "words::qos")]
    #[schemars(with = "words::QosWord")]
    pub qos: Qos,
    /// Packet Identifier, at QoS 1 and 2. 1, unless given.
    #[serde(default = "one")]
    pub packet_id: RawPacketId,
    /// DUP.
    #[serde(default)]
    pub dup: bool,
    /// RETAIN.
    #[serde(default)]
    pub retain: bool,
    /// Payload; checks know messages by it, so it should be unlike any other.
    pub payload: String,
}

/// SUBSCRIBE of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSubscribe {
    /// Packet Identifier. 1, unless given.
    #[serde(default = "one")]
    pub packet_id: RawPacketId,
    /// Topic Filters with their QoS.
    pub filters: Filters,
}

/// UNSUBSCRIBE of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawUnsubscribe {
    /// Packet Identifier. 1, unless given.
    #[serde(default = "one")]
    pub packet_id: RawPacketId,
    /// Topic Filters.
    #[serde(with = "words::topic_filters")]
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub filters: Vec<TopicFilter>,
}

impl RawPacket {
    /// As it is sent in this version.
    pub fn packet(&self, version: Version) -> Packet {
        match self {
            Self::Connect(connect) => Packet::Connect(Box::new(connect.packet(version))),
            Self::Publish(publish) => Packet::Publish(publish.packet()),
            Self::Puback(id) => Packet::Puback(Ack::success(id.0)),
            Self::Pubrec(id) => Packet::Pubrec(Ack::success(id.0)),
            Self::Pubrel(id) => Packet::Pubrel(Ack::success(id.0)),
            Self::Pubcomp(id) => Packet::Pubcomp(Ack::success(id.0)),
            Self::Subscribe(subscribe) => Packet::Subscribe(subscribe.packet()),
            Self::Unsubscribe(unsubscribe) => Packet::Unsubscribe(Unsubscribe {
                packet_id: unsubscribe.packet_id.0,
                filters: unsubscribe.filters.clone(),
                properties: Properties::new(),
            }),
            Self::Pingreq => Packet::Pingreq,
            Self::Disconnect => Packet::Disconnect(Disconnect::of(ReasonCode::Success)),
        }
    }
}

impl RawConnect {
    fn packet(&self, version: Version) -> Connect {
        let mut properties = Properties::new();
        if let (Version::V5, Some(expiry)) = (version, self.session_expiry) {
            properties.push(Property::SessionExpiryInterval(seconds(expiry)));
        }
        Connect {
            version,
            clean_start: self.clean_start,
            keep_alive: u16::try_from(seconds(self.keep_alive)).unwrap_or(u16::MAX),
            client_id: text(&self.client_id),
            will: self
                .will
                .as_ref()
                .map(|will| will.packet(&self.client_id, version)),
            user_name: None,
            password: None,
            properties,
        }
    }
}

impl Will {
    /// The Will of a client, as its CONNECT says it. The payload is the client's name and `/will`; nothing, if
    /// that is more than a Will can hold.
    pub fn packet(&self, client: &str, version: Version) -> squall_proto::Will {
        let mut properties = self.properties.properties(self.expiry, version);
        if version == Version::V5 && self.delay > Span::ZERO {
            properties.push(Property::WillDelayInterval(seconds(self.delay)));
        }
        squall_proto::Will {
            topic: self.topic.clone(),
            payload: Binary::new(format!("{client}/will")).unwrap_or_default(),
            qos: self.qos,
            retain: self.retain,
            properties,
        }
    }
}

impl RawPublish {
    fn packet(&self) -> Publish {
        let delivery = match self.qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce(self.packet_id.0),
            Qos::ExactlyOnce => Delivery::ExactlyOnce(self.packet_id.0),
        };
        Publish {
            dup: self.dup,
            retain: self.retain,
            delivery,
            topic: Some(self.topic.clone()),
            payload: Bytes::from(self.payload.clone()),
            properties: Properties::new(),
        }
    }
}

impl RawSubscribe {
    fn packet(&self) -> Subscribe {
        Subscribe {
            packet_id: self.packet_id.0,
            filters: self.filters.0.to_vec(),
            properties: Properties::new(),
        }
    }
}

impl Serialize for RawPacketId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0.value())
    }
}

impl<'de> Deserialize<'de> for RawPacketId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = PacketId::new(u16::deserialize(deserializer)?);
        id.map(Self)
            .ok_or_else(|| de::Error::custom("0 is no Packet Identifier; write 1 to 65535"))
    }
}

impl JsonSchema for RawPacketId {
    fn schema_name() -> Cow<'static, str> {
        "PacketId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 65535 })
    }
}

fn seconds(span: Span) -> u32 {
    u32::try_from(span.duration().as_secs()).unwrap_or(u32::MAX)
}

/// The files' strings are checked for what a string of the protocol must not hold.
fn text(text: &str) -> Text {
    Text::new(text).expect("the scenario was checked")
}

const fn one() -> RawPacketId {
    RawPacketId(PacketId::MIN)
}

const fn yes() -> bool {
    true
}
