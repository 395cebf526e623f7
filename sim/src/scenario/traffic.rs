use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use squall_proto::{Qos, TopicName};

use crate::{
    number::{Count, NumberRange, Percent},
    span::SpanRange,
};

/// Messages of a random kind: who publishes each, where, at which QoS, how long it is and whether it is retained is drawn. It is
/// over when all of them are acknowledged. One of `count` and `for` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Each message is from one of them. Of a group, each counts.
    #[schemars(length(min = 1))]
    pub publishers: Vec<String>,
    /// Each message is to one of them. `plant/{1..20}/state` stands for 20.
    #[schemars(length(min = 1))]
    pub topics: Vec<TopicPattern>,
    /// 0, 1, 2, or each message its own: `mix`, the default.
    #[serde(default)]
    pub qos: QosMix,
    /// Messages a second. 100, unless given.
    #[serde(default = "hundred")]
    pub rate: Count,
    /// Bytes of payload of each message, if more than the mark by which checks know it.
    #[serde(default)]
    pub size: Option<Count>,
    /// Of a hundred messages, how many have RETAIN.
    #[serde(default = "none")]
    pub retain: Percent,
    /// How many messages.
    #[serde(default)]
    pub count: Option<Count>,
    /// How long, at its rate.
    #[serde(default, rename = "for")]
    pub lasts: Option<SpanRange>,
    /// Who subscribes to filters of a random kind first.
    #[serde(default)]
    pub subscribers: Option<Subscribers>,
}

/// Clients that subscribe to random Topic Filters that match some of the topics: with wildcards, overlapping, shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribers {
    /// Who; of a group, each to its own.
    #[schemars(length(min = 1))]
    pub clients: Vec<String>,
    /// How many filters each. 1..3, unless given.
    #[serde(default = "one_to_three")]
    pub filters: Count,
    /// Of a hundred filters, how many are shared subscriptions, where the broker has them.
    #[serde(default = "none")]
    pub shared: Percent,
}

/// A QoS, or one that is drawn for each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QosMix {
    /// Any.
    #[default]
    Mix,
    /// This.
    Of(Qos),
}

/// Topic Names: one, or one for each number of each `{1..20}` in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TopicPattern {
    text: String,
    topics: Vec<TopicName>,
}

/// More is a mistake.
const TOPICS_MAX: usize = 100_000;

impl TopicPattern {
    /// What it stands for, in order.
    pub fn topics(&self) -> &[TopicName] {
        &self.topics
    }
}

impl From<TopicPattern> for String {
    fn from(pattern: TopicPattern) -> Self {
        pattern.text
    }
}

impl TryFrom<String> for TopicPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut names = vec![String::new()];
        let mut rest = text.as_str();
        while let Some((before, numbers, after)) = range_in(rest) {
            let count = numbers.clone().count().saturating_mul(names.len());
            if count == 0 || count > TOPICS_MAX {
                return Err(format!(
                    "`{text}` stands for {count} topics; write 1 to {TOPICS_MAX} of them"
                ));
            }
            let more = |name: &String| {
                let numbers = numbers.clone();
                let begin = format!("{name}{before}");
                numbers.map(move |n| format!("{begin}{n}")).collect::<Vec<_>>()
            };
            names = names.iter().flat_map(more).collect();
            rest = after;
        }
        let topic = |name: String| {
            let name = name + rest;
            TopicName::new(&name).map_err(|error| format!("`{name}` is no Topic Name: {error}"))
        };
        let topics = names.into_iter().map(topic).collect::<Result<_, _>>()?;
        Ok(Self { text, topics })
    }
}

/// The first `{1..20}` of a text, and what is before and behind it.
fn range_in(text: &str) -> Option<(&str, std::ops::RangeInclusive<u32>, &str)> {
    let (before, behind) = text.split_once('{')?;
    let (numbers, after) = behind.split_once('}')?;
    let (first, last) = numbers.split_once("..")?;
    Some((before, first.parse().ok()?..=last.parse().ok()?, after))
}

impl Serialize for QosMix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Mix => serializer.serialize_str("mix"),
            Self::Of(qos) => serializer.serialize_u8(qos.value()),
        }
    }
}

impl<'de> Deserialize<'de> for QosMix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QosMixVisitor)
    }
}

struct QosMixVisitor;

impl de::Visitor<'_> for QosMixVisitor {
    type Value = QosMix;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0, 1, 2 or `mix`")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<QosMix, E> {
        let qos = u8::try_from(value).ok().and_then(Qos::from_value);
        let wrong = || E::custom(format!("{value} is no QoS; write 0, 1, 2 or `mix`"));
        qos.map(QosMix::Of).ok_or_else(wrong)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<QosMix, E> {
        self.visit_u64(u64::try_from(value).unwrap_or(u64::MAX))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<QosMix, E> {
        match text {
            "mix" => Ok(QosMix::Mix),
            other => Err(E::custom(format!("`{other}` is no QoS; write 0, 1, 2 or `mix`"))),
        }
    }
}

impl JsonSchema for QosMix {
    fn schema_name() -> Cow<'static, str> {
        "QosMix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": [0, 1, 2, "mix"] })
    }
}

fn hundred() -> Count {
    NumberRange::new(100, 100).unwrap_or(Count::LEAST)
}

fn one_to_three() -> Count {
    NumberRange::new(1, 3).unwrap_or(Count::LEAST)
}

const fn none() -> Percent {
    Percent::LEAST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_every_number_of_its_ranges() {
        let pattern = TopicPattern::try_from("a/{1..2}/{7..8}/z".to_owned()).unwrap();
        let names: Vec<String> = pattern
            .topics()
            .iter()
            .map(|topic| topic.text().to_string())
            .collect();
        assert_eq!(names, ["a/1/7/z", "a/1/8/z", "a/2/7/z", "a/2/8/z"]);
        let plain = TopicPattern::try_from("a/{n}".to_owned()).unwrap();
        assert_eq!(plain.topics().len(), 1);
    }

    #[test]
    fn a_pattern_of_no_topics_or_far_too_many_is_refused() {
        for text in ["a/{2..1}", "a/{1..1000}/{1..1000}", "a/#", ""] {
            assert!(TopicPattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
