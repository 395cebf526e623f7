//! Properties of a message as JSON.

use serde_json::{Map, Value, json as value};
use squall_proto::Properties;

/// By the names that mosquitto_sub gives them. Correlation Data is shown as text, whatever it is.
pub(crate) fn properties(properties: &Properties) -> Map<String, Value> {
    let ids: Vec<_> = properties
        .subscription_identifiers()
        .map(|id| id.value())
        .collect();
    let users: Vec<_> = properties
        .user_properties()
        .map(|(name, text)| value!({ &**name: &**text }))
        .collect();
    let one = |name: &str, value: Option<Value>| value.map(|value| (name.to_owned(), value));
    [
        one(
            "payload-format-indicator",
            properties
                .payload_format_indicator()
                .map(|text| u8::from(text).into()),
        ),
        one(
            "message-expiry-interval",
            properties.message_expiry_interval().map(Value::from),
        ),
        one(
            "content-type",
            properties.content_type().map(|text| (*text).into()),
        ),
        one(
            "response-topic",
            properties.response_topic().map(|topic| (*topic).into()),
        ),
        one(
            "correlation-data",
            properties
                .correlation_data()
                .map(|bytes| (*String::from_utf8_lossy(&bytes)).into()),
        ),
        one("subscription-identifier", (!ids.is_empty()).then(|| ids.into())),
        one("user-properties", (!users.is_empty()).then(|| users.into())),
    ]
    .into_iter()
    .flatten()
    .collect()
}
