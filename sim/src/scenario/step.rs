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
    /// When the steps with these `id`s are over: what they published is acknowledged, what they asked for is answered, their faults
    /// are healed.
    After(Vec<String>),
    /// When this packet leaves its sender's host.
    When {
        /// Which.
        packet: PacketMatch,
        /// Counted from when the steps with these `id`s are over; from the beginning of the run, if there are none.
        after: Vec<String>,
    },
}

/// The keys of a step that say when.
const TIMES: [&str; 5] = ["after", "at", "id", "wait", "when"];

impl Step {
    /// The ids of the steps that it waits for.
    pub fn after(&self) -> &[String] {
        match &self.start {
            Start::At(_) => &[],
            Start::After(ids) | Start::When { after: ids, .. } => ids,
        }
    }

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
            Start::After(steps) => map.serialize_entry("after", &Ids(steps.clone()))?,
            Start::When { packet, after } => {
                if !after.is_empty() {
                    map.serialize_entry("after", &Ids(after.clone()))?;
                }
                map.serialize_entry("when", packet)?;
            }
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
    at: Option<SpanRange>,
    after: Option<Ids>,
    when: Option<PacketMatch>,
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
                "at" => draft.at = Some(map.next_value()?),
                "after" => draft.after = Some(map.next_value()?),
                "when" => draft.when = Some(map.next_value()?),
                action => draft.action = Some((key, map.next_value_seed(ActionSeed(action))?)),
            }
        }
        let (_, action) = draft.action.ok_or_else(|| {
            de::Error::custom(
                "a step that does nothing; give it one action or fault, such as `publish` or `cut`",
            )
        })?;
        let after = draft.after.map(|Ids(ids)| ids);
        let start = match (draft.when, after) {
            (Some(packet), after) => Start::When {
                packet,
                after: after.unwrap_or_default(),
            },
            (None, Some(after)) => Start::After(after),
            (None, None) => Start::At(draft.at.unwrap_or_default()),
        };
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
            "at" => self
                .0
                .after
                .as_ref()
                .map(|_| "after")
                .or_else(|| self.0.when.as_ref().map(|_| "when")),
            "after" | "when" => self.0.at.map(|_| "at"),
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

/// One id, or several.
struct Ids(Vec<String>);

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [single] => single.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdsVisitor)
    }
}

struct IdsVisitor;

impl<'de> de::Visitor<'de> for IdsVisitor {
    type Value = Ids;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the `id` of a step, or a list of them")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<Ids, E> {
        Ok(Ids(vec![id.to_owned()]))
    }

    fn visit_u64<E: de::Error>(self, id: u64) -> Result<Ids, E> {
        self.visit_str(&id.to_string())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Ids, A::Error> {
        let mut ids = Vec::new();
        while let Some(id) = sequence.next_element()? {
            ids.push(id);
        }
        match ids.is_empty() {
            true => Err(de::Error::custom(
                "no step to come after; write its `id`, or leave `after` out",
            )),
            false => Ok(Ids(ids)),
        }
    }
}

impl JsonSchema for Ids {
    fn schema_name() -> Cow<'static, str> {
        "Ids".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "items": { "type": "string" } },
        ] })
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
            described(&generator.subschema_for::<Ids>(), "When the step with this `id` is over, or the steps with these; a `when` beside it counts from then."),
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
