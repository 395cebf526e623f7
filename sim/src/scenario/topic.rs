use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::TopicName;

/// A Topic Name in which `{n}` stands for the number of the message, counted from 1, and `{client}` for who publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TopicTemplate(String);

impl TopicTemplate {
    /// The topic of the `n`th message of a client.
    ///
    /// # Panics
    ///
    /// When the client's name is no part of a Topic Name; a scenario's names are.
    pub fn topic(&self, client: &str, n: u32) -> TopicName {
        let topic = self.0.replace("{n}", &n.to_string()).replace("{client}", client);
        TopicName::new(&topic).expect("a template that is a topic stays one")
    }
}

impl From<TopicTemplate> for String {
    fn from(template: TopicTemplate) -> Self {
        template.0
    }
}

impl TryFrom<String> for TopicTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match TopicName::new(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(format!("`{text}` is no Topic Name: {error}")),
        }
    }
}
