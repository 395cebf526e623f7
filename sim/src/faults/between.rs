use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// The two hosts of a link: `broker`, or the name of a client, a group of clients or a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Between(#[serde(deserialize_with = "two")] pub [String; 2]);

fn two<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[String; 2], D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    <[String; 2]>::try_from(names).map_err(|names| {
        let count = names.len();
        de::Error::custom(format!(
            "a link is between two, and {count} are named; write `[pub, broker]`"
        ))
    })
}

impl Between {
    /// Both, as they were written.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// The other way round.
    pub(super) fn reversed(&self) -> Self {
        let Self([first, second]) = self;
        Self([second.clone(), first.clone()])
    }

    /// In words: `sub <-> broker`, or `sub -> broker` one way.
    pub(super) fn show(&self, one_way: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = &self.0;
        let arrow = if one_way { "->" } else { "<->" };
        write!(f, "{first} {arrow} {second}")
    }
}
