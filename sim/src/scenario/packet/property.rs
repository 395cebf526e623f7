use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de,
    ser::{SerializeMap, SerializeSeq},
};

use super::{KeySeed, Speaker, text::RawText, write::Writer};

/// Properties in the order they are written, whatever packet they stand in: `{ receive_maximum: 1, user_property: [a, b] }`, or a
/// list of such, for one that stands twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawProperties(pub Vec<RawProperty>);

/// One property, with any value that its kind can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawProperty {
    /// As the standard calls it, in small letters: `receive_maximum`.
    pub name: &'static str,
    /// Its value.
    pub value: RawValue,
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawValue {
    /// One byte.
    Byte(u8),
    /// A Two Byte Integer.
    Two(u16),
    /// A Four Byte Integer.
    Four(u32),
    /// A Variable Byte Integer.
    Variable(u32),
    /// A UTF-8 Encoded String or Binary Data.
    Text(RawText),
    /// A UTF-8 String Pair.
    Pair(RawText, RawText),
}

#[derive(Clone, Copy)]
enum Kind {
    Byte,
    Two,
    Four,
    Variable,
    Text,
    Pair,
}

/// Name, identifier, kind: section 2.2.2.2 of the standard.
const TABLE: [(&str, u8, Kind); 27] = [
    ("payload_format_indicator", 0x01, Kind::Byte),
    ("message_expiry_interval", 0x02, Kind::Four),
    ("content_type", 0x03, Kind::Text),
    ("response_topic", 0x08, Kind::Text),
    ("correlation_data", 0x09, Kind::Text),
    ("subscription_identifier", 0x0b, Kind::Variable),
    ("session_expiry_interval", 0x11, Kind::Four),
    ("assigned_client_identifier", 0x12, Kind::Text),
    ("server_keep_alive", 0x13, Kind::Two),
    ("authentication_method", 0x15, Kind::Text),
    ("authentication_data", 0x16, Kind::Text),
    ("request_problem_information", 0x17, Kind::Byte),
    ("will_delay_interval", 0x18, Kind::Four),
    ("request_response_information", 0x19, Kind::Byte),
    ("response_information", 0x1a, Kind::Text),
    ("server_reference", 0x1c, Kind::Text),
    ("reason_string", 0x1f, Kind::Text),
    ("receive_maximum", 0x21, Kind::Two),
    ("topic_alias_maximum", 0x22, Kind::Two),
    ("topic_alias", 0x23, Kind::Two),
    ("maximum_qos", 0x24, Kind::Byte),
    ("retain_available", 0x25, Kind::Byte),
    ("user_property", 0x26, Kind::Pair),
    ("maximum_packet_size", 0x27, Kind::Four),
    ("wildcard_subscription_available", 0x28, Kind::Byte),
    ("subscription_identifier_available", 0x29, Kind::Byte),
    ("shared_subscription_available", 0x2a, Kind::Byte),
];

const NAMES: [&str; 27] = {
    let mut names = [""; 27];
    let mut place = 0;
    #[expect(clippy::indexing_slicing, reason = "checked by the compiler")]
    while place < names.len() {
        names[place] = TABLE[place].0;
        place += 1;
    }
    names
};

impl RawProperties {
    /// Writes `first`, if there is one, and then these, behind the length of them all.
    pub(super) fn write(
        &self,
        first: Option<(&'static str, RawValue)>,
        speaker: &Speaker<'_>,
        writer: &mut Writer,
    ) {
        let first = first.map(|(name, value)| RawProperty { name, value });
        let mut all = Writer::default();
        for property in first.iter().chain(&self.0) {
            property.write(speaker, &mut all);
        }
        let all = all.done();
        writer.variable(u32::try_from(all.len()).unwrap_or(u32::MAX));
        writer.bytes(&all);
    }
}

impl RawProperty {
    fn write(&self, speaker: &Speaker<'_>, writer: &mut Writer) {
        let row = TABLE.iter().find(|(name, ..)| *name == self.name);
        writer.u8(row.map_or(0, |(_, id, _)| *id));
        match &self.value {
            RawValue::Byte(value) => writer.u8(*value),
            RawValue::Two(value) => writer.u16(*value),
            RawValue::Four(value) => writer.u32(*value),
            RawValue::Variable(value) => writer.variable(*value),
            RawValue::Text(text) => writer.binary(text.said_by(speaker).as_bytes()),
            RawValue::Pair(name, value) => {
                writer.binary(name.said_by(speaker).as_bytes());
                writer.binary(value.said_by(speaker).as_bytes());
            }
        }
    }

    fn read<'de, A: de::MapAccess<'de>>(name: &str, map: &mut A) -> Result<Self, A::Error> {
        let row = TABLE.iter().find(|(known, ..)| *known == name);
        let (name, _, kind) = *row.ok_or_else(|| de::Error::unknown_field(name, &NAMES))?;
        let value = match kind {
            Kind::Byte => RawValue::Byte(map.next_value()?),
            Kind::Two => RawValue::Two(map.next_value()?),
            Kind::Four => RawValue::Four(map.next_value()?),
            Kind::Variable => RawValue::Variable(map.next_value()?),
            Kind::Text => RawValue::Text(map.next_value()?),
            Kind::Pair => {
                let [name, value] = map.next_value()?;
                RawValue::Pair(name, value)
            }
        };
        Ok(Self { name, value })
    }
}

impl<'de> Deserialize<'de> for RawProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PropertiesVisitor)
    }
}

struct PropertiesVisitor;

impl<'de> de::Visitor<'de> for PropertiesVisitor {
    type Value = RawProperties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties, such as `{ receive_maximum: 1 }`")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RawProperties, A::Error> {
        let mut properties = Vec::new();
        while let Some(name) = map.next_key_seed(KeySeed(&NAMES))? {
            properties.push(RawProperty::read(name, &mut map)?);
        }
        Ok(RawProperties(properties))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<RawProperties, A::Error> {
        let mut properties = Vec::new();
        while let Some(RawProperties(some)) = sequence.next_element()? {
            properties.extend(some);
        }
        Ok(RawProperties(properties))
    }
}

impl Serialize for RawProperties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_twice = |(place, property): (usize, &RawProperty)| {
            let mut before = self.0.iter().take(place);
            before.any(|other| other.name == property.name)
        };
        if self.0.iter().enumerate().any(is_twice) {
            let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
            for property in &self.0 {
                sequence.serialize_element(&Self(vec![property.clone()]))?;
            }
            return sequence.end();
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for RawProperty { name, value } in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for RawValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Byte(value) => value.serialize(serializer),
            Self::Two(value) => value.serialize(serializer),
            Self::Four(value) | Self::Variable(value) => value.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Pair(name, value) => [name, value].serialize(serializer),
        }
    }
}

impl JsonSchema for RawProperties {
    fn schema_name() -> Cow<'static, str> {
        "RawProperties".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = |max: u64| serde_json::json!({ "type": "integer", "minimum": 0, "maximum": max });
        let text = || serde_json::json!({ "type": "string" });
        let entry = |(name, _, kind): (&str, u8, Kind)| {
            let schema = match kind {
                Kind::Byte => number(0xff),
                Kind::Two => number(0xffff),
                Kind::Four | Kind::Variable => number(0xffff_ffff),
                Kind::Text => text(),
                Kind::Pair => {
                    serde_json::json!({ "type": "array", "items": text(), "minItems": 2, "maxItems": 2 })
                }
            };
            (name.to_owned(), schema)
        };
        let entries: serde_json::Map<_, _> = TABLE.into_iter().map(entry).collect();
        let map =
            serde_json::json!({ "type": "object", "properties": entries, "additionalProperties": false });
        json_schema!({
            "description": "Properties in the order they are written; a list of such, for one that stands twice.",
            "anyOf": [map, { "type": "array", "items": map }],
        })
    }
}
