use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Speaker;

/// A string of a packet, in which `{client}` stands for who sends it and `{n}` for how often it was sent before, and once more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RawText(String);

impl RawText {
    pub(super) fn said_by(&self, speaker: &Speaker<'_>) -> String {
        if !self.0.contains('{') {
            return self.0.clone();
        }
        let text = self.0.replace("{n}", &speaker.n.to_string());
        text.replace("{client}", speaker.name)
    }
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
