use jiff::Zoned;
use serde::Serialize;
use serde_json::{Map, Value, json as value};
use squall_node::client::Message;
use squall_proto::Properties;

use super::lossy;

#[derive(Serialize)]
struct Json<'a> {
    tst: String,
    topic: &'a str,
    qos: u8,
    retain: u8,
    payloadlen: usize,
    #[serde(skip_serializing_if = "Map::is_empty")]
    properties: Map<String, Value>,
    payload: Value,
}

/// As mosquitto_sub has it.
pub(super) fn json(message: &Message, now: &Zoned, payload: Value, pretty: bool) -> String {
    let json = Json {
        tst: now.strftime("%Y-%m-%dT%H:%M:%S%.6f%z").to_string(),
        topic: &message.topic,
        qos: message.qos.value(),
        retain: message.retain.into(),
        payloadlen: message.payload.len(),
        properties: properties(&message.properties),
        payload,
    };
    let text = if pretty {
        serde_json::to_string_pretty(&json)
    } else {
        serde_json::to_string(&json)
    };
    text.unwrap_or_default()
}

fn properties(properties: &Properties) -> Map<String, Value> {
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
            properties.correlation_data().map(|bytes| lossy(&bytes).into()),
        ),
        one("subscription-identifier", (!ids.is_empty()).then(|| ids.into())),
        one("user-properties", (!users.is_empty()).then(|| users.into())),
    ]
    .into_iter()
    .flatten()
    .collect()
}
