//! The protocol's values as YAML writes them. For a field of such a value: `#[serde(with = "words::qos")]`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use squall_proto::{Qos, TopicFilter, TopicName, Version};

/// A version of the protocol.
pub(super) struct VersionWord(pub(super) Version);

/// Without quotes, YAML takes the second for a number.
const VERSIONS: &[&str] = &["3.1.1", "5.0"];

impl Serialize for VersionWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Version::V3_1_1 => serializer.serialize_str("3.1.1"),
            Version::V5 => serializer.serialize_f64(5.0),
        }
    }
}

impl<'de> Deserialize<'de> for VersionWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

struct VersionVisitor;

impl de::Visitor<'_> for VersionVisitor {
    type Value = VersionWord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version of the protocol: `3.1.1` or `5.0`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<VersionWord, E> {
        match text {
            "3.1.1" => Ok(VersionWord(Version::V3_1_1)),
            "5.0" => Ok(VersionWord(Version::V5)),
            other => Err(E::unknown_variant(other, VERSIONS)),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<VersionWord, E> {
        self.visit_str(&format!("{number:?}"))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<VersionWord, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for VersionWord {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
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

pub(super) mod versions {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        versions: &[Version],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(versions.iter().copied().map(VersionWord))
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Version>, D::Error> {
        let words = Vec::<VersionWord>::deserialize(deserializer)?;
        Ok(words.into_iter().map(|word| word.0).collect())
    }
}

pub(super) mod qos {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(qos: &Qos, serializer: S) -> Result<S::Ok, S::Error> {
        QosWord::from(*qos).serialize(serializer)
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Qos, D::Error> {
        QosWord::deserialize(deserializer).map(QosWord::qos)
    }
}

pub(super) mod some_qos {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        qos: &Option<Qos>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        qos.map(QosWord::from).serialize(serializer)
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Qos>, D::Error> {
        let word = Option::<QosWord>::deserialize(deserializer)?;
        Ok(word.map(QosWord::qos))
    }
}

pub(super) mod topic_name {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        topic: &TopicName,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(topic)
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<TopicName, D::Error> {
        let text = String::deserialize(deserializer)?;
        TopicName::new(&text)
            .map_err(|error| de::Error::custom(format!("`{text}` is no Topic Name: {error}")))
    }
}

pub(super) mod topic_filters {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        filters: &[TopicFilter],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(filters.iter().map(ToString::to_string))
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<TopicFilter>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| topic_filter(text))
            .collect()
    }
}

pub(super) mod some_topic_filter {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        filter: &Option<TopicFilter>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        filter.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<TopicFilter>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| topic_filter(&text)).transpose()
    }
}

pub(super) fn topic_filter<E: de::Error>(text: &str) -> Result<TopicFilter, E> {
    TopicFilter::new(text).map_err(|error| E::custom(format!("`{text}` is no Topic Filter: {error}")))
}

/// Bytes in hex: `c0 00`. What stands behind a `#` is a comment.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct HexWord(#[serde(with = "hex_bytes")] pub(super) Vec<u8>);

pub(super) mod hex_bytes {
    use super::*;

    pub(in crate::scenario) fn serialize<S: Serializer>(
        bytes: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&bytes.join(" "))
    }

    pub(in crate::scenario) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let without_comments = text.lines().filter_map(|line| line.split('#').next());
        let digits: String = without_comments.flat_map(str::split_whitespace).collect();
        hex::decode(digits)
            .map_err(|error| de::Error::custom(format!("`{text}` is not hex: {error}; write `c0 00`")))
    }
}
