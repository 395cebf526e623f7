use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In what the paths of one scenario must be the same: every client gets the same messages equally often, each with the same
/// topic, QoS and RETAIN; redeliveries that a receiver must recognise are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Same {
    /// For these clients and peers alone. All, unless given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// All that `to` names together, as if they were one: who of a group gets a message is the broker's to choose.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// What may differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignoring: Vec<Ignored>,
}

/// What may differ from path to path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// How often a message comes: once or more is the same.
    Copies,
    /// At which QoS it comes.
    Qos,
    /// Whether RETAIN is set.
    Retain,
}
