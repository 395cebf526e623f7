use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use squall_proto::{RetainHandling, SubscriptionId, SubscriptionOptions, TopicFilter};

use super::words::{self, QosWord};

/// Topic Filters with the options each is subscribed with, in the order they are written: `{ "t/#": 2 }`, or
/// `{ "t/#": { qos: 2, no_local: true } }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(pub Vec<(TopicFilter, SubscriptionOptions)>);

/// A Subscription Identifier, 1 to 268,435,455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionIdentifier(pub SubscriptionId);

/// The options of a subscription. All but the QoS are 5.0's alone.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "SubscriptionOptions")]
struct OptionWords {
    /// The highest QoS that it is sent at. 0, unless given.
    qos: QosWord,
    /// Whether the client's own messages are left out.
    #[serde(skip_serializing_if = "is_default")]
    no_local: bool,
    /// Whether RETAIN is forwarded as it came.
    #[serde(skip_serializing_if = "is_default")]
    retain_as_published: bool,
    /// Which retained messages subscribing sends: 0 all, 1 those of a new subscription, 2 none.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(range(max = 2))]
    retain_handling: RetainHandlingWord,
}

/// Retain Handling: 0, 1 or 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
struct RetainHandlingWord(u8);

/// What is written for a filter: its QoS, or all its options.
struct Written(SubscriptionOptions);

impl From<SubscriptionOptions> for OptionWords {
    fn from(options: SubscriptionOptions) -> Self {
        Self {
            qos: options.qos.into(),
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            retain_handling: RetainHandlingWord(options.retain_handling as u8),
        }
    }
}

impl From<OptionWords> for SubscriptionOptions {
    fn from(words: OptionWords) -> Self {
        Self {
            qos: words.qos.qos(),
            no_local: words.no_local,
            retain_as_published: words.retain_as_published,
            retain_handling: RetainHandling::from_value(words.retain_handling.0).unwrap_or_default(),
        }
    }
}

impl TryFrom<u8> for RetainHandlingWord {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        match RetainHandling::from_value(value) {
            Some(_) => Ok(Self(value)),
            None => Err(format!("{value} is no Retain Handling; write 0, 1 or 2")),
        }
    }
}

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FiltersVisitor)
    }
}

struct FiltersVisitor;

impl<'de> de::Visitor<'de> for FiltersVisitor {
    type Value = Filters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Topic Filters with their QoS, such as `{ \"t/#\": 2 }`")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Filters, A::Error> {
        let mut filters = Vec::new();
        while let Some(FilterWord(filter)) = map.next_key()? {
            filters.push((filter, map.next_value::<Written>()?.0));
        }
        Ok(Filters(filters))
    }
}

struct FilterWord(TopicFilter);

impl<'de> Deserialize<'de> for FilterWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        words::topic_filter(&String::deserialize(deserializer)?).map(Self)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

struct WrittenVisitor;

impl<'de> de::Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a QoS or `{ qos: 2, no_local: true }`")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Written, E> {
        let qos = u8::try_from(value).map_err(|_| format!("{value} is no QoS; write 0, 1 or 2"));
        let qos = qos.and_then(QosWord::try_from).map_err(E::custom)?.qos();
        Ok(Written(SubscriptionOptions {
            qos,
            ..SubscriptionOptions::default()
        }))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Written, E> {
        self.visit_u64(u64::try_from(value).unwrap_or(u64::MAX))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        let words = OptionWords::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Written(words.into()))
    }
}

impl Serialize for Filters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (filter, options) in &self.0 {
            let of_qos = SubscriptionOptions {
                qos: options.qos,
                ..SubscriptionOptions::default()
            };
            if *options == of_qos {
                map.serialize_entry(&**filter, &options.qos.value())?;
            } else {
                map.serialize_entry(&**filter, &OptionWords::from(*options))?;
            }
        }
        map.end()
    }
}

impl JsonSchema for Filters {
    fn schema_name() -> Cow<'static, str> {
        "Filters".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let qos = generator.subschema_for::<QosWord>();
        let options = generator.subschema_for::<OptionWords>();
        json_schema!({
            "type": "object",
            "description": "Topic Filters with the QoS or the options each is subscribed with.",
            "additionalProperties": { "anyOf": [qos, options] },
        })
    }
}

impl<'de> Deserialize<'de> for SubscriptionIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u32::deserialize(deserializer)?;
        SubscriptionId::new(value).map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "{value} is no Subscription Identifier; write 1 to 268435455"
            ))
        })
    }
}

impl Serialize for SubscriptionIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0.value())
    }
}

impl JsonSchema for SubscriptionIdentifier {
    fn schema_name() -> Cow<'static, str> {
        "SubscriptionIdentifier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": SubscriptionId::MAX })
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
