//! The protocol's values as YAML writes them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use squall_proto::{Qos, TopicFilter, TopicName, Version};

/// A version of the protocol.
#[derive(Deserialize)]
pub(super) enum VersionWord {
    #[serde(rename = "3.1.1")]
    V3_1_1,
    #[serde(rename = "5.0")]
    V5,
}

impl JsonSchema for VersionWord {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Without quotes, YAML takes the second for a number.
        json_schema!({ "enum": ["3.1.1", 5.0, "5.0"] })
    }
}

/// A QoS: 0, 1 or 2.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub(super) struct QosWord(u8);

impl From<Qos> for QosWord {
    fn from(qos: Qos) -> Self {
        Self(qos.value())
    }
}

impl JsonSchema for QosWord {
    fn schema_name() -> Cow<'static, str> {
        "Qos".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [0, 1, 2] })
    }
}

impl TryFrom<u8> for QosWord {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        match Qos::from_value(value) {
            Some(_) => Ok(Self(value)),
            None => Err(format!("{value} is no QoS; write 0, 1 or 2")),
        }
    }
}

impl QosWord {
    pub(super) fn qos(self) -> Qos {
        Qos::from_value(self.0).unwrap_or_default()
    }
}

pub(super) fn versions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Version>, D::Error> {
    let words = Vec::<VersionWord>::deserialize(deserializer)?;
    let versions = words.into_iter().map(|word| match word {
        VersionWord::V3_1_1 => Version::V3_1_1,
        VersionWord::V5 => Version::V5,
    });
    Ok(versions.collect())
}

pub(super) fn qos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Qos, D::Error> {
    QosWord::deserialize(deserializer).map(QosWord::qos)
}

pub(super) fn topic_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TopicName, D::Error> {
    let text = String::deserialize(deserializer)?;
    TopicName::new(&text).map_err(|error| de::Error::custom(format!("`{text}` is no Topic Name: {error}")))
}

pub(super) fn topic_filters<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<TopicFilter>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| topic_filter(text))
        .collect()
}

pub(super) fn some_topic_filter<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<TopicFilter>, D::Error> {
    let text = String::deserialize(deserializer)?;
    topic_filter(&text).map(Some)
}

pub(super) fn topic_filter<E: de::Error>(text: &str) -> Result<TopicFilter, E> {
    TopicFilter::new(text).map_err(|error| E::custom(format!("`{text}` is no Topic Filter: {error}")))
}
