use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap as _};

use super::Action;
use crate::{
    faults::{Fault, PacketMatch},
    span::SpanRange,
};

/// One thing that happens, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What other steps call it.
    pub id: Option<String>,
    /// When.
    pub start: Start,
    /// So long later than `start` says; drawn anew in each run.
    pub wait: SpanRange,
    /// What.
    pub action: Action,
}

/// When a step happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// So long after the run began; the default, with 0s.
    At(SpanRange),
    /// When the step with this `id` is over: what it published is acknowledged, what it asked for is answered, its fault healed.
    After(String),
    /// When this packet leaves its sender's host.
    When(PacketMatch),
}

/// The keys of a step that say when.
const TIMES: [&str; 5] = ["after", "at", "id", "wait", "when"];

impl Step {
    /// Every key of a step.
    pub(super) fn keys() -> impl Iterator<Item = &'static str> {
        let actions = Action::NAMES.iter().chain(Fault::NAMES);
        TIMES.into_iter().chain(actions.copied())
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.start {
            Start::At(at) => map.serialize_entry("at", at)?,
            Start::After(step) => map.serialize_entry("after", step)?,
            Start::When(packet) => map.serialize_entry("when", packet)?,
        }
        map.serialize_entry("wait", &self.wait)?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        self.action.serialize_named(&mut map)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StepVisitor)
    }
}

struct StepVisitor;

/// What was read of a step so far.
#[derive(Default)]
struct Draft {
    id: Option<String>,
    start: Option<(&'static str, Start)>,
    wait: SpanRange,
    action: Option<(&'static str, Action)>,
}

impl<'de> de::Visitor<'de> for StepVisitor {
    type Value = Step;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step: one action or fault, with `at`, `after` or `when`")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
        let mut draft = Draft::default();
        while let Some(key) = map.next_key_seed(KeySeed(&draft))? {
            match key {
                "id" => draft.id = Some(map.next_value()?),
                "wait" => draft.wait = map.next_value()?,
                "at" => draft.start = Some((key, Start::At(map.next_value()?))),
                "after" => draft.start = Some((key, Start::After(map.next_value()?))),
                "when" => draft.start = Some((key, Start::When(map.next_value()?))),
                action => draft.action = Some((key, map.next_value_seed(ActionSeed(action))?)),
            }
        }
        let (_, action) = draft.action.ok_or_else(|| {
            de::Error::custom(
                "a step that does nothing; give it one action or fault, such as `publish` or `cut`",
            )
        })?;
        let start = draft
            .start
            .map_or_else(|| Start::At(SpanRange::default()), |(_, start)| start);
        Ok(Step {
            id: draft.id,
            start,
            wait: draft.wait,
            action,
        })
    }
}

/// Reads a key, so that one too many is refused where it stands.
struct KeySeed<'a>(&'a Draft);

impl<'de> de::DeserializeSeed<'de> for KeySeed<'_> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        let key = String::deserialize(deserializer)?;
        let known = Step::keys().find(|known| *known == key);
        let known = known.ok_or_else(|| de::Error::unknown_field(&key, &[]))?;
        let other = match known {
            "id" | "wait" => None,
            "at" | "after" | "when" => self.0.start.as_ref().map(|(name, _)| *name),
            _ => self.0.action.as_ref().map(|(name, _)| *name),
        };
        match other {
            Some(other) => Err(de::Error::custom(format!(
                "`{other}` and `{known}` in one step; make two steps of it, or leave one out"
            ))),
            None => Ok(known),
        }
    }
}

struct ActionSeed(&'static str);

impl<'de> de::DeserializeSeed<'de> for ActionSeed {
    type Value = Action;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Action, D::Error> {
        if Fault::NAMES.contains(&self.0) {
            Fault::deserialize_named(self.0, deserializer).map(Action::Fault)
        } else {
            Action::deserialize_named(self.0, deserializer)
        }
    }
}

impl JsonSchema for Step {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let range = generator.subschema_for::<SpanRange>();
        let when = generator.subschema_for::<PacketMatch>();
        let mut properties = serde_json::Map::new();
        let mut one_of = Vec::new();
        for (name, schema) in Action::schemas(generator)
            .into_iter()
            .chain(Fault::schemas(generator))
        {
            properties.insert(name.to_owned(), schema.into());
            one_of.push(serde_json::json!({ "required": [name] }));
        }
        properties.insert(
            "id".to_owned(),
            serde_json::json!({ "type": "string", "description": "What other steps call it." }),
        );
        properties.insert("at".to_owned(), described(&range, "So long after the run began."));
        properties.insert(
            "wait".to_owned(),
            described(&range, "So long later than `at`, `after` or `when` says."),
        );
        properties.insert(
            "after".to_owned(),
            serde_json::json!({ "type": "string", "description": "When the step with this `id` is over." }),
        );
        properties.insert(
            "when".to_owned(),
            described(&when, "When this packet leaves its sender's host."),
        );
        json_schema!({
            "type": "object",
            "description": "One thing that happens, and when.",
            "properties": properties,
            "additionalProperties": false,
            "oneOf": one_of,
        })
    }
}

fn described(schema: &Schema, description: &str) -> serde_json::Value {
    serde_json::json!({ "description": description, "allOf": [schema] })
}
