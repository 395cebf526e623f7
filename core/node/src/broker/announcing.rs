//! What the broker says of itself, under the topics that mosquitto has for it.

use std::{future::pending, time::Duration};

use bytes::Bytes;
use squall_proto::{
    TopicName,
    broker::{Input, Note, Record, Sizes},
};
use tokio::time::sleep;

use super::shared::Shared;

/// What a broker says of itself to those who subscribe to `$SYS/#`.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// `$SYS/broker/version`.
    pub version: String,
    /// `$SYS/broker/durability`.
    pub durability: String,
    /// From one time to the next.
    pub interval: Duration,
}

/// What has gone in and out so far, and what is there now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    /// Packets from clients.
    pub(super) received: u64,
    /// Packets to clients.
    pub(super) sent: u64,
    /// Clients that are connected.
    connected: u64,
    /// Messages that are kept: for sessions, or retained.
    pub(super) kept: u64,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self {
            received: 0,
            sent: 0,
            connected: 0,
            kept: 0,
        }
    }

    pub(super) const fn note(&mut self, note: &Note) {
        if let Note::Connected { .. } = note {
            self.connected += 1;
        } else if let Note::Disconnected { .. } = note {
            self.connected = self.connected.saturating_sub(1);
        }
    }

    pub(super) const fn record(&mut self, record: &Record<'_>) {
        if let Record::Message { .. } = record {
            self.kept += 1;
        } else if let Record::Forgotten { .. } = record {
            self.kept = self.kept.saturating_sub(1);
        }
    }
}

impl Shared {
    /// Says what there is to say, now and at each interval, for ever. Of several who are to, one does.
    pub(super) async fn announce(&self, announcement: Option<&Announcement>) {
        let (Some(announcement), Ok(_only)) = (announcement, self.announcing.try_lock()) else {
            return pending().await;
        };
        let began = tokio::time::Instant::now();
        loop {
            let uptime = began.elapsed();
            self.step(|core, now| {
                let (tally, sizes) = (core.links.tally, core.sizes());
                for (topic, value) in said(announcement, uptime, tally, sizes) {
                    core.handle(now, Input::Announce(topic, value));
                }
            });
            sleep(announcement.interval).await;
        }
    }
}

fn said(
    announcement: &Announcement,
    uptime: Duration,
    tally: Tally,
    sizes: Sizes,
) -> impl Iterator<Item = (TopicName, Bytes)> {
    [
        ("version", announcement.version.clone()),
        ("durability", announcement.durability.clone()),
        ("uptime", format!("{} seconds", uptime.as_secs())),
        ("clients/connected", tally.connected.to_string()),
        ("clients/total", sizes.sessions.to_string()),
        ("messages/received", tally.received.to_string()),
        ("messages/sent", tally.sent.to_string()),
        ("store/messages/count", tally.kept.to_string()),
        ("subscriptions/count", sizes.subscriptions.to_string()),
        ("retained messages/count", sizes.retained_messages.to_string()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((TopicName::new(&format!("$SYS/broker/{name}")).ok()?, value.into())))
}
