use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use squall_proto::Version;

use super::{RawProperties, Speaker, text::RawText, write::Writer};

/// PUBLISH, with everything in it free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPublish {
    /// Topic Name. Empty, unless given.
    pub topic: RawText,
    /// QoS; 3 is wrong. 0, unless given.
    #[schemars(range(min = 0, max = 3))]
    pub qos: u8,
    /// Packet Identifier, at QoS 1 and above; 0 is wrong. 1, unless given.
    pub packet_id: u16,
    /// DUP.
    pub dup: bool,
    /// RETAIN.
    pub retain: bool,
    /// Payload; checks know messages by it, so it should be unlike any other.
    pub payload: RawText,
    /// The payload is filled up with dots to so many bytes.
    pub size: u32,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, with everything in it free. A number alone is its Packet Identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawAck {
    /// Packet Identifier. That of what it answers, unless given; 1, where it answers nothing.
    pub packet_id: Option<u16>,
    /// Reason Code, 5.0 alone. Success, unless given.
    pub reason: Option<u8>,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

impl Default for RawPublish {
    fn default() -> Self {
        Self {
            topic: RawText::default(),
            qos: 0,
            packet_id: 1,
            dup: false,
            retain: false,
            payload: RawText::default(),
            size: 0,
            properties: RawProperties::default(),
        }
    }
}

impl RawPublish {
    pub(super) fn flags(&self) -> u8 {
        u8::from(self.dup) << 3 | (self.qos & 0b11) << 1 | u8::from(self.retain)
    }

    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.binary(self.topic.said_by(speaker).as_bytes());
        if self.qos > 0 {
            writer.u16(self.packet_id);
        }
        if speaker.version == Version::V5 {
            self.properties.write(None, speaker, &mut writer);
        }
        let mut payload = self.payload.said_by(speaker).into_bytes();
        let size = payload.len().max(self.size as usize);
        if size > payload.len() {
            payload.push(b' ');
        }
        payload.resize(size, b'.');
        writer.bytes(&payload);
        writer.done()
    }
}

impl RawAck {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u16(self.packet_id.unwrap_or_else(|| speaker.answered_id()));
        let says_more = self.reason.is_some() || !self.properties.0.is_empty();
        if speaker.version == Version::V5 && says_more {
            writer.u8(self.reason.unwrap_or(0));
            if !self.properties.0.is_empty() {
                self.properties.write(None, speaker, &mut writer);
            }
        }
        writer.done()
    }
}

/// [`RawAck`] with its fields written out.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AckFields {
    /// Packet Identifier. That of what it answers, unless given; 1, where it answers nothing.
    packet_id: Option<u16>,
    /// Reason Code, 5.0 alone. Success, unless given.
    reason: Option<u8>,
    /// Properties, 5.0 alone.
    properties: RawProperties,
}

impl<'de> Deserialize<'de> for RawAck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AckVisitor)
    }
}

struct AckVisitor;

impl<'de> de::Visitor<'de> for AckVisitor {
    type Value = RawAck;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Packet Identifier, or fields such as `{ packet_id: 7, reason: 0x80 }`")
    }

    fn visit_u64<E: de::Error>(self, id: u64) -> Result<RawAck, E> {
        let id = u16::try_from(id).map_err(|_| {
            E::custom(format!(
                "{id} is more than a Packet Identifier can be; write at most 65535"
            ))
        })?;
        Ok(RawAck {
            packet_id: Some(id),
            ..RawAck::default()
        })
    }

    fn visit_i64<E: de::Error>(self, id: i64) -> Result<RawAck, E> {
        self.visit_u64(u64::try_from(id).unwrap_or(u64::MAX))
    }

    fn visit_unit<E>(self) -> Result<RawAck, E> {
        Ok(RawAck::default())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RawAck, A::Error> {
        let fields = AckFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(RawAck {
            packet_id: fields.packet_id,
            reason: fields.reason,
            properties: fields.properties,
        })
    }
}

impl Serialize for RawAck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.packet_id, self.reason) {
            (Some(packet_id), None) if self.properties.0.is_empty() => serializer.serialize_u16(packet_id),
            (packet_id, reason) => AckFields {
                packet_id,
                reason,
                properties: self.properties.clone(),
            }
            .serialize(serializer),
        }
    }
}

impl JsonSchema for RawAck {
    fn schema_name() -> Cow<'static, str> {
        "RawAck".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let fields = generator.subschema_for::<AckFields>();
        json_schema!({
            "description": "PUBACK, PUBREC, PUBREL or PUBCOMP. A number alone is its Packet Identifier.",
            "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 65535 }, fields],
        })
    }
}
