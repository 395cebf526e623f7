use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whoever speaks packet by packet, as its steps say, and keeps no rule by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Peer {
    /// Whether it answers PUBLISH, PUBREC and PUBREL as it should. Not, unless given.
    pub acknowledges: bool,
}
