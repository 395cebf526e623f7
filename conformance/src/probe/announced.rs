//! What the CONNACK of 5.0 announces. What it leaves out has the value that the standard gives it.

use squall_proto::{Properties, Property};

use super::{Found, Probe, V5};
use crate::{Context, Outcome};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        what: "Session Expiry Interval",
        versions: V5,
        run: |t| Box::pin(session_expiry_interval(t)),
    },
    Probe {
        what: "Server Keep Alive",
        versions: V5,
        run: |t| Box::pin(server_keep_alive(t)),
    },
    Probe {
        what: "Receive Maximum",
        versions: V5,
        run: |t| Box::pin(receive_maximum(t)),
    },
    Probe {
        what: "Maximum Packet Size",
        versions: V5,
        run: |t| Box::pin(maximum_packet_size(t)),
    },
    Probe {
        what: "Topic Alias Maximum",
        versions: V5,
        run: |t| Box::pin(topic_alias_maximum(t)),
    },
    Probe {
        what: "Response Information",
        versions: V5,
        run: |t| Box::pin(response_information(t)),
    },
];

/// What it grants of a session that is never to end.
async fn session_expiry_interval(t: Context) -> Outcome<Found> {
    let forever = Property::SessionExpiryInterval(u32::MAX);
    let (_, connack) = t
        .connect_with("client", |connect| connect.properties.push(forever))
        .await?;
    Ok(Found::says(match connack.properties.session_expiry_interval() {
        None | Some(u32::MAX) => "without end, if asked for".to_owned(),
        Some(seconds) => format!("at most {seconds} s"),
    }))
}

/// What it makes of a Keep Alive that is switched off, and of the longest.
async fn server_keep_alive(t: Context) -> Outcome<Found> {
    let mut said = Vec::new();
    for (asked, name) in [(0, "none"), (u16::MAX, "the longest")] {
        let (_, connack) = t
            .connect_with("client", |connect| connect.keep_alive = asked)
            .await?;
        if let Some(seconds) = connack.properties.server_keep_alive() {
            said.push(format!("{seconds} s for {name}"));
        }
    }
    Ok(Found::says(match said.is_empty() {
        true => "as the client wishes".to_owned(),
        false => said.join(", "),
    }))
}

async fn receive_maximum(t: Context) -> Outcome<Found> {
    said(t, "65535", |said| Some(said.receive_maximum()?.to_string())).await
}

async fn maximum_packet_size(t: Context) -> Outcome<Found> {
    said(t, "none", |said| Some(said.maximum_packet_size()?.to_string())).await
}

async fn topic_alias_maximum(t: Context) -> Outcome<Found> {
    said(t, "0", |said| Some(said.topic_alias_maximum()?.to_string())).await
}

async fn response_information(t: Context) -> Outcome<Found> {
    said(t, "none", |said| {
        Some(format!("{:?}", said.response_information()?.as_str()))
    })
    .await
}

/// What a CONNACK says; `unless`, what it means if it says nothing.
async fn said(t: Context, unless: &str, what: fn(&Properties) -> Option<String>) -> Outcome<Found> {
    let wanted = Property::RequestResponseInformation(true);
    let (_, connack) = t
        .connect_with("client", |connect| connect.properties.push(wanted))
        .await?;
    let said = what(&connack.properties);
    Ok(Found::says(
        said.unwrap_or_else(|| format!("{unless}, for it says nothing")),
    ))
}
