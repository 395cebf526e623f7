use data_encoding::BASE64;
use serde_json::{Value, json};
use squall_proto::{
    Instant, Properties,
    broker::{Content, Owed, Record},
};

/// A record as a line.
pub(super) fn line(record: &Record<'_>) -> String {
    format!("{}\n", value(record))
}

/// What cannot be read, as a line.
pub(super) fn unreadable(why: &str) -> String {
    format!("{}\n", json!({ "type": "unreadable", "why": why }))
}

fn value(record: &Record<'_>) -> Value {
    match *record {
        Record::Session {
            session,
            client_id,
            expiry,
            disconnected_at,
        } => json!({
            "type": "session",
            "session": session,
            "client_id": &**client_id,
            "expires_after_seconds": expiry.map(|expiry| expiry.as_secs()),
            "disconnected_at": disconnected_at.map(Instant::as_micros),
        }),
        Record::Will {
            session,
            will,
            due_at,
        } => {
            let line = json!({
                "type": "will",
                "session": session,
                "topic": &*will.topic,
                "qos": will.qos.value(),
                "retain": will.retain,
                "due_at": due_at.map(Instant::as_micros),
                "will_delay_seconds": will.properties.will_delay_interval().unwrap_or(0),
            });
            with_contents(line, &will.payload, &will.properties)
        }
        Record::Subscribed {
            session,
            filter,
            subscription,
        } => json!({
            "type": "subscription",
            "session": session,
            "filter": &**filter,
            "qos": subscription.qos.value(),
            "no_local": subscription.no_local,
            "retain_as_published": subscription.retain_as_published,
            "subscription_id": subscription.id.map(|id| id.value()),
        }),
        Record::Received { session, packet_id } => json!({
            "type": "received", "session": session, "packet_id": packet_id.value(),
        }),
        Record::Message { message, content } => message_line(message, content),
        Record::Retained { topic, message } => json!({
            "type": "retained", "topic": &**topic, "message": message,
        }),
        Record::Queued { order, delivery } => delivery_line(order, delivery),
        Record::Sent { order, packet_id } => json!({
            "type": "sent", "order": order, "packet_id": packet_id.value(),
        }),
        Record::Released { order } => json!({ "type": "released", "order": order }),
        // No store shows these: what has ended is not in it.
        Record::SessionEnded { .. }
        | Record::WillEnded { .. }
        | Record::Unsubscribed { .. }
        | Record::Completed { .. }
        | Record::Forgotten { .. }
        | Record::RetainedRemoved { .. }
        | Record::Finished { .. } => json!({ "type": "ended" }),
    }
}

fn message_line(message: u64, content: Content<'_>) -> Value {
    let line = json!({
        "type": "message",
        "message": message,
        "topic": &**content.topic,
        "qos": content.qos.value(),
        "expires_at": content.expires_at.map(Instant::as_micros),
    });
    with_contents(line, content.payload, content.properties)
}

fn delivery_line(order: u64, delivery: Owed<'_>) -> Value {
    let ids: Vec<u32> = delivery.subscription_ids.iter().map(|id| id.value()).collect();
    json!({
        "type": "delivery",
        "order": order,
        "session": delivery.session,
        "message": delivery.message,
        "qos": delivery.qos.value(),
        "retain": delivery.retain,
        "subscription_ids": ids,
        "shared_subscription": delivery.share.map(|share| &**share.filter),
    })
}

/// Text as it is, and other bytes as Base64 under a name that says so.
fn with_contents(mut line: Value, payload: &[u8], properties: &Properties) -> Value {
    let (name, text) = match std::str::from_utf8(payload) {
        Ok(text) => ("payload", text.to_owned()),
        Err(_) => ("payload_base64", BASE64.encode(payload)),
    };
    let mut said = crate::properties::properties(properties);
    if let Some(bytes) = properties.correlation_data()
        && std::str::from_utf8(&bytes).is_err()
    {
        said.remove("correlation-data");
        said.insert("correlation-data-base64".into(), BASE64.encode(&bytes).into());
    }
    if let Some(line) = line.as_object_mut() {
        line.insert(name.into(), text.into());
        if !said.is_empty() {
            line.insert("properties".into(), said.into());
        }
    }
    line
}
