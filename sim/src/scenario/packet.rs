//! The packets of peers and scripted brokers: any packet with any field wrong, written by a writer of their own, because a codec
//! cannot test its own blind spots.
//!
//! In reading order: this file (a packet, and what is wrong around it), `body` (one of fifteen), `connect`, `exchange`, `subscribe`
//! (their fields), `property`, `text`, `write` (what goes on the wire).

mod body;
mod connect;
mod exchange;
mod property;
mod subscribe;
mod text;
mod write;

pub use body::{RawBody, RawHex, RawNothing};
pub use connect::{RawAuth, RawConnack, RawConnect, RawDisconnect, RawWill};
pub use exchange::{RawAck, RawPublish};
pub use property::{RawProperties, RawProperty, RawValue};
pub use subscribe::{RawFilters, RawSuback, RawSubscribe, RawUnsuback, RawUnsubscribe};
pub use text::RawText;

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use squall_proto::{Packet, PacketId, Version};

use self::write::Writer;
use super::words::{HexWord, VersionWord};

/// A packet that a peer or a scripted broker sends: `PINGREQ`, `PUBREL: 7`, `{ PUBLISH: { topic: t, qos: 1, packet_id: 7 } }`,
/// and beside it what is wrong with it: `{ PINGREQ: {}, flags: 0x1 }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPacket {
    /// The packet.
    pub body: RawBody,
    /// What is wrong around it.
    pub wrong: Wrong,
}

/// What is wrong with the frame of a packet; nothing, unless given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// The version it is written in, if not that of the run.
    pub version: Option<Version>,
    /// The flags of the fixed header, its low four bits.
    pub flags: Option<u8>,
    /// What the Remaining Length says.
    pub remaining_length: Option<u32>,
    /// Bytes behind the last field, which the Remaining Length counts.
    pub append: Vec<u8>,
    /// Only so many bytes of it are sent.
    pub truncate: Option<u32>,
}

/// Who sends a packet, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    /// What `{client}` stands for.
    pub name: &'a str,
    /// The version of the run, or of the connection.
    pub version: Version,
    /// What `{n}` stands for.
    pub n: u32,
    /// The packet it answers: an acknowledgement without a Packet Identifier has that one's.
    pub answers: Option<&'a Packet>,
    /// What a CONNACK says of an earlier session, where it says nothing else.
    pub session_present: bool,
}

impl RawPacket {
    /// The packet without anything wrong around it.
    pub fn new(body: RawBody) -> Self {
        Self {
            body,
            wrong: Wrong::default(),
        }
    }

    /// As it goes on the wire.
    pub fn bytes(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let speaker = Speaker {
            version: self.wrong.version.unwrap_or(speaker.version),
            ..*speaker
        };
        let mut bytes = match self.body.packet_type() {
            None => self.body.fields(&speaker),
            Some(packet_type) => {
                let mut fields = self.body.fields(&speaker);
                fields.extend(&self.wrong.append);
                let length = u32::try_from(fields.len()).unwrap_or(u32::MAX);
                let flags = self.wrong.flags.unwrap_or_else(|| self.body.flags());
                let mut writer = Writer::default();
                writer.u8(packet_type.value() << 4 | flags & 0x0f);
                writer.variable(self.wrong.remaining_length.unwrap_or(length));
                writer.bytes(&fields);
                writer.done()
            }
        };
        if let Some(truncate) = self.wrong.truncate {
            bytes.truncate(truncate as usize);
        }
        bytes
    }
}

impl Speaker<'_> {
    /// The Packet Identifier of what it answers; 1, where there is none.
    fn answered_id(&self) -> u16 {
        let id = match self.answers {
            Some(Packet::Publish(publish)) => publish.delivery.packet_id(),
            Some(Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack)) => {
                Some(ack.packet_id)
            }
            Some(Packet::Subscribe(subscribe)) => Some(subscribe.packet_id),
            Some(Packet::Suback(suback)) => Some(suback.packet_id),
            Some(Packet::Unsubscribe(unsubscribe)) => Some(unsubscribe.packet_id),
            Some(Packet::Unsuback(unsuback)) => Some(unsuback.packet_id),
            Some(
                Packet::Connect(_)
                | Packet::Connack(_)
                | Packet::Pingreq
                | Packet::Pingresp
                | Packet::Disconnect(_)
                | Packet::Auth(_),
            )
            | None => None,
        };
        id.map_or(1, PacketId::value)
    }
}

/// What may stand beside the packet.
const WRONGS: [&str; 5] = ["append", "flags", "remaining_length", "truncate", "version"];

impl<'de> Deserialize<'de> for RawPacket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PacketVisitor)
    }
}

/// Reads a key, so that one that nobody knows is refused where it stands.
struct KeySeed(&'static [&'static str]);

impl<'de> de::DeserializeSeed<'de> for KeySeed {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        let key = String::deserialize(deserializer)?;
        let known = self.0.iter().find(|known| **known == key).copied();
        known.ok_or_else(|| de::Error::unknown_field(&key, self.0))
    }
}

struct PacketVisitor;

impl<'de> de::Visitor<'de> for PacketVisitor {
    type Value = RawPacket;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packet, such as `PINGREQ` or `{ PUBLISH: { topic: t, payload: x } }`")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<RawPacket, E> {
        let body = RawBody::named(name).ok_or_else(|| de::Error::unknown_variant(name, RawBody::NAMES))?;
        Ok(RawPacket::new(body))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RawPacket, A::Error> {
        let mut body = None;
        let mut wrong = Wrong::default();
        while let Some(key) = map.next_key_seed(KeySeed(RawBody::KEYS))? {
            match key {
                "version" => wrong.version = Some(map.next_value::<VersionWord>()?.0),
                "flags" => wrong.flags = Some(map.next_value()?),
                "remaining_length" => wrong.remaining_length = Some(map.next_value()?),
                "append" => wrong.append = map.next_value::<HexWord>()?.0,
                "truncate" => wrong.truncate = Some(map.next_value()?),
                _ if body.is_some() => {
                    let message = "two packets in one; begin each with a dash of its own";
                    return Err(de::Error::custom(message));
                }
                name => body = Some(RawBody::read(name, &mut map)?),
            }
        }
        let body = body.ok_or_else(|| de::Error::custom("no packet; write `PINGREQ: {}`"))?;
        Ok(RawPacket { body, wrong })
    }
}

impl Serialize for RawPacket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Wrong {
            version,
            flags,
            remaining_length,
            append,
            truncate,
        } = &self.wrong;
        if self.wrong == Wrong::default() && self.body.is_plain() {
            return serializer.serialize_str(self.body.name());
        }
        let mut map = serializer.serialize_map(None)?;
        self.body.write_entry(&mut map)?;
        if let Some(version) = version {
            map.serialize_entry("version", &VersionWord(*version))?;
        }
        if let Some(flags) = flags {
            map.serialize_entry("flags", flags)?;
        }
        if let Some(length) = remaining_length {
            map.serialize_entry("remaining_length", length)?;
        }
        if !append.is_empty() {
            map.serialize_entry("append", &HexWord(append.clone()))?;
        }
        if let Some(bytes) = truncate {
            map.serialize_entry("truncate", bytes)?;
        }
        map.end()
    }
}

impl JsonSchema for RawPacket {
    fn schema_name() -> Cow<'static, str> {
        "RawPacket".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let version = generator.subschema_for::<VersionWord>();
        let mut properties = serde_json::Map::new();
        let mut one_of = Vec::new();
        for (name, schema) in RawBody::schemas(generator) {
            properties.insert(name.to_owned(), schema.into());
            one_of.push(serde_json::json!({ "required": [name] }));
        }
        let described = [
            (
                "append",
                serde_json::json!({ "type": "string", "description": "Hex behind the last field, which the Remaining Length counts." }),
            ),
            (
                "flags",
                serde_json::json!({ "type": "integer", "minimum": 0, "maximum": 15, "description": "The flags of the fixed header, its low four bits." }),
            ),
            (
                "remaining_length",
                serde_json::json!({ "type": "integer", "minimum": 0, "description": "What the Remaining Length says." }),
            ),
            (
                "truncate",
                serde_json::json!({ "type": "integer", "minimum": 0, "description": "Only so many bytes of it are sent." }),
            ),
            (
                "version",
                serde_json::json!({ "description": "The version it is written in, if not that of the run.", "allOf": [version] }),
            ),
        ];
        debug_assert!(described.iter().map(|(name, _)| *name).eq(WRONGS));
        properties.extend(described.map(|(name, schema)| (name.to_owned(), schema)));
        json_schema!({
            "description": "A packet: its name alone, or its name with its fields and what is wrong around it.",
            "anyOf": [
                { "enum": RawBody::NAMES },
                {
                    "type": "object",
                    "properties": properties,
                    "additionalProperties": false,
                    "oneOf": one_of,
                },
            ],
        })
    }
}
