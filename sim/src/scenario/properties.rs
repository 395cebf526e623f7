use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::{Binary, Properties, Property, Text, TopicName, Version};

use crate::span::Span;

/// What an Application Message says of itself beside its topic and payload. 5.0 alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MessageProperties {
    /// Content Type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Response Topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_topic: Option<String>,
    /// Correlation Data, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_data: Option<String>,
    /// Payload Format Indicator: whether the payload is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_is_text: Option<bool>,
    /// User Properties: `{ from: here }`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub user: IndexMap<String, String>,
}

impl MessageProperties {
    /// Each string with its key, and why the protocol cannot say it.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("content_type", &self.content_type),
            ("correlation_data", &self.correlation_data),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(key, text)| Some((key, Text::new(text.as_ref()?).err()?.to_string())));
        let topic = self.response_topic.as_ref();
        let topic =
            topic.and_then(|topic| Some(("response_topic", TopicName::new(topic).err()?.to_string())));
        let user = self.user.iter().flat_map(|(name, value)| [name, value]);
        let user = user.filter_map(|text| Some(("user", Text::new(text).err()?.to_string())));
        texts.chain(topic).chain(user).collect()
    }

    /// As a PUBLISH or a Will of this version says them, with a Message Expiry Interval in whole seconds.
    ///
    /// # Panics
    ///
    /// When the protocol cannot say one of them: the scenario was checked for it.
    pub fn properties(&self, expiry: Option<Span>, version: Version) -> Properties {
        let mut properties = Properties::new();
        if version == Version::V3_1_1 {
            return properties;
        }
        let text = |text: &str| Text::new(text).expect("the scenario was checked for it");
        if let Some(is_text) = self.payload_is_text {
            properties.push(Property::PayloadFormatIndicator(is_text));
        }
        if let Some(expiry) = expiry {
            let seconds = u32::try_from(expiry.duration().as_secs()).unwrap_or(u32::MAX);
            properties.push(Property::MessageExpiryInterval(seconds));
        }
        if let Some(content_type) = &self.content_type {
            properties.push(Property::ContentType(text(content_type)));
        }
        if let Some(topic) = &self.response_topic {
            let topic = TopicName::new(topic).expect("the scenario was checked for it");
            properties.push(Property::ResponseTopic(topic));
        }
        if let Some(correlation) = &self.correlation_data {
            properties.push(Property::CorrelationData(
                Binary::new(correlation.clone()).unwrap_or_default(),
            ));
        }
        for (name, value) in &self.user {
            properties.push(Property::UserProperty(text(name), text(value)));
        }
        properties
    }
}
