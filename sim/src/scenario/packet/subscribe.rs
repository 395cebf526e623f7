use std::{borrow::Cow, fmt};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use squall_proto::{Packet, Version};

use super::{RawProperties, Speaker, text::RawText, write::Writer};

/// SUBSCRIBE, with everything in it free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSubscribe {
    /// Packet Identifier; 0 is wrong. 1, unless given.
    pub packet_id: u16,
    /// Topic Filters with their Subscription Options. None, unless given, which is wrong.
    pub filters: RawFilters,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// Topic Filters, each with its QoS, the byte of its Subscription Options (`0x2e`), or these by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawFilters(pub Vec<(String, u8)>);

/// SUBACK, with everything in it free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSuback {
    /// Packet Identifier. That of the SUBSCRIBE, unless given.
    pub packet_id: Option<u16>,
    /// Reason Codes. What was asked for, unless given.
    pub reasons: Option<Vec<u8>>,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// UNSUBSCRIBE, with everything in it free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawUnsubscribe {
    /// Packet Identifier; 0 is wrong. 1, unless given.
    pub packet_id: u16,
    /// Topic Filters. None, unless given, which is wrong.
    pub filters: Vec<RawText>,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

/// UNSUBACK, with everything in it free.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawUnsuback {
    /// Packet Identifier. That of the UNSUBSCRIBE, unless given.
    pub packet_id: Option<u16>,
    /// Reason Codes, 5.0 alone. Success for each, unless given.
    pub reasons: Option<Vec<u8>>,
    /// Properties, 5.0 alone.
    pub properties: RawProperties,
}

impl Default for RawSubscribe {
    fn default() -> Self {
        Self {
            packet_id: 1,
            filters: RawFilters::default(),
            properties: RawProperties::default(),
        }
    }
}

impl Default for RawUnsubscribe {
    fn default() -> Self {
        Self {
            packet_id: 1,
            filters: Vec::new(),
            properties: RawProperties::default(),
        }
    }
}

impl RawSubscribe {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let mut writer = begin(self.packet_id, &self.properties, speaker);
        for (filter, options) in &self.filters.0 {
            let filter = RawText::from(filter.as_str()).said_by(speaker);
            writer.binary(filter.as_bytes());
            writer.u8(*options);
        }
        writer.done()
    }
}

impl RawSuback {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let packet_id = self.packet_id.unwrap_or_else(|| speaker.answered_id());
        let mut writer = begin(packet_id, &self.properties, speaker);
        let asked = match speaker.answers {
            Some(Packet::Subscribe(subscribe)) => {
                let filters = subscribe.filters.iter();
                filters.map(|(_, options)| options.qos.value()).collect()
            }
            Some(_) | None => Vec::new(),
        };
        writer.bytes(self.reasons.as_ref().unwrap_or(&asked));
        writer.done()
    }
}

impl RawUnsubscribe {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let mut writer = begin(self.packet_id, &self.properties, speaker);
        for filter in &self.filters {
            writer.binary(filter.said_by(speaker).as_bytes());
        }
        writer.done()
    }
}

impl RawUnsuback {
    pub(super) fn fields(&self, speaker: &Speaker<'_>) -> Vec<u8> {
        let packet_id = self.packet_id.unwrap_or_else(|| speaker.answered_id());
        let mut writer = begin(packet_id, &self.properties, speaker);
        if speaker.version == Version::V5 {
            let asked = match speaker.answers {
                Some(Packet::Unsubscribe(unsubscribe)) => vec![0; unsubscribe.filters.len()],
                Some(_) | None => Vec::new(),
            };
            writer.bytes(self.reasons.as_ref().unwrap_or(&asked));
        }
        writer.done()
    }
}

fn begin(packet_id: u16, properties: &RawProperties, speaker: &Speaker<'_>) -> Writer {
    let mut writer = Writer::default();
    writer.u16(packet_id);
    if speaker.version == Version::V5 {
        properties.write(None, speaker, &mut writer);
    }
    writer
}

/// Subscription Options by their names.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// Maximum QoS; 3 is wrong.
    #[schemars(range(min = 0, max = 3))]
    qos: u8,
    /// No Local.
    no_local: bool,
    /// Retain As Published.
    retain_as_published: bool,
    /// Retain Handling; 3 is wrong.
    #[schemars(range(min = 0, max = 3))]
    retain_handling: u8,
}

/// The byte of Subscription Options.
struct OptionsByte(u8);

impl<'de> Deserialize<'de> for OptionsByte {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OptionsVisitor)
    }
}

struct OptionsVisitor;

impl<'de> de::Visitor<'de> for OptionsVisitor {
    type Value = OptionsByte;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a QoS, a byte of Subscription Options, or these by name: `{ qos: 1, no_local: true }`")
    }

    fn visit_u64<E: de::Error>(self, byte: u64) -> Result<OptionsByte, E> {
        let byte = u8::try_from(byte)
            .map_err(|_| E::custom(format!("{byte} is more than a byte; write at most 0xff")))?;
        Ok(OptionsByte(byte))
    }

    fn visit_i64<E: de::Error>(self, byte: i64) -> Result<OptionsByte, E> {
        self.visit_u64(u64::try_from(byte).unwrap_or(u64::MAX))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<OptionsByte, A::Error> {
        let options = Options::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(OptionsByte(
            options.qos & 0b11
                | u8::from(options.no_local) << 2
                | u8::from(options.retain_as_published) << 3
                | (options.retain_handling & 0b11) << 4,
        ))
    }
}

impl JsonSchema for OptionsByte {
    fn schema_name() -> Cow<'static, str> {
        "RawOptions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let options = generator.subschema_for::<Options>();
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 255 }, options] })
    }
}

impl<'de> Deserialize<'de> for RawFilters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let filters = IndexMap::<String, OptionsByte>::deserialize(deserializer)?;
        Ok(Self(
            filters
                .into_iter()
                .map(|(filter, options)| (filter, options.0))
                .collect(),
        ))
    }
}

impl Serialize for RawFilters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(filter, options)| (filter, options)))
    }
}

impl JsonSchema for RawFilters {
    fn schema_name() -> Cow<'static, str> {
        "RawFilters".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        IndexMap::<String, OptionsByte>::json_schema(generator)
    }
}
