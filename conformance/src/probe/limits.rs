//! The largest that fits, found by trying.

use bytes::Bytes;
use squall_proto::{Packet, Qos, ReasonCode};

use super::{BOTH, Found, Probe, deeds::arrives, search::Search};
use crate::{
    Context, Outcome,
    packets::{publish, text},
};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        what: "Bytes of a Client Identifier",
        versions: BOTH,
        run: |t| Box::pin(client_identifier(t)),
    },
    Probe {
        what: "Bytes of a Topic Name",
        versions: BOTH,
        run: |t| Box::pin(topic_name(t)),
    },
    Probe {
        what: "Levels of a Topic Name",
        versions: BOTH,
        run: |t| Box::pin(topic_levels(t)),
    },
    Probe {
        what: "Bytes of a payload",
        versions: BOTH,
        run: |t| Box::pin(payload(t)),
    },
];

/// A string's length is two bytes.
const STRING_MAX: u32 = 65_535;
/// Nobody looks for payloads beyond this.
const PAYLOAD_MAX: u32 = 4 << 20;

/// Every server takes 23 bytes ([v3 MQTT-3.1.3-5], [MQTT-3.1.3-5]).
async fn client_identifier(t: Context) -> Outcome<Found> {
    let mut search = Search::within(23, STRING_MAX);
    while let Some(bytes) = search.next() {
        let mut client = t.open("client").await?;
        let mut connect = t.connect_packet("client", |_| ());
        connect.client_id = text(&padded(connect.client_id.as_str(), "x", bytes));
        client.send(Packet::Connect(Box::new(connect))).await;
        let connack = client.expect_connack().await;
        search.note(
            bytes,
            connack.is_ok_and(|connack| connack.reason_code == ReasonCode::Success),
        );
    }
    Ok(Found::says(search.found()))
}

async fn topic_name(t: Context) -> Outcome<Found> {
    let mut search = Search::within(64, STRING_MAX);
    while let Some(bytes) = search.next() {
        let fits = passes(&t, bytes, &padded(&t.topic(""), "x", bytes), 1).await?;
        search.note(bytes, fits);
    }
    Ok(Found::says(search.found()))
}

async fn topic_levels(t: Context) -> Outcome<Found> {
    // The prefix of the case's topics has two.
    let most = (STRING_MAX - u32::try_from(t.topic("").len()).unwrap_or(STRING_MAX)) / 2;
    let mut search = Search::within(8, most);
    while let Some(levels) = search.next() {
        let below = vec!["x"; usize::try_from(levels).unwrap_or(usize::MAX).saturating_sub(2)].join("/");
        search.note(levels, passes(&t, levels, &t.topic(&below), 1).await?);
    }
    Ok(Found::says(search.found()))
}

async fn payload(t: Context) -> Outcome<Found> {
    let mut search = Search::between(64, PAYLOAD_MAX);
    while let Some(bytes) = search.next() {
        let bytes_len = usize::try_from(bytes).unwrap_or(usize::MAX);
        search.note(bytes, passes(&t, bytes, &t.topic("large"), bytes_len).await?);
    }
    Ok(Found::says(search.found()))
}

/// Whether a message to this topic with a payload of so many bytes is passed on to who published it. Who tries something else has
/// another name: a broker may be slow to believe that somebody is gone whom it closed the connection to.
async fn passes(t: &Context, tried: u32, topic: &str, payload: usize) -> Outcome<bool> {
    let mut client = t.connect(&format!("c{tried}")).await?;
    client.take_at_most(2 * PAYLOAD_MAX);
    if client.subscribe(topic, Qos::AtMostOnce).await.is_err() {
        return Ok(false);
    }
    let mut publish = publish(topic, "");
    publish.payload = Bytes::from(vec![b'x'; payload]);
    client.publish(publish).await?;
    let passed = arrives(&mut client, topic).await.is_some();
    Ok(passed)
}

fn padded(text: &str, with: &str, bytes: u32) -> String {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    text.to_owned() + &with.repeat(bytes.saturating_sub(text.len()))
}
