use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The two hosts of a link: `broker`, or the name of a client, a group of clients or a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Between(pub [String; 2]);

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
