use jiff::Zoned;
use serde::Serialize;
use serde_json::{Map, Value};
use squall_node::client::Message;

use crate::properties::properties;

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
