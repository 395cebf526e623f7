use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};
use squall_proto::{
    Qos,
    broker::{Limits, SharedDistribution},
};

use super::units::{Size, at_least_one};

/// [`Limits`] as TOML says them: the compiler sees to it that none is forgotten.
#[derive(Deserialize)]
#[serde(remote = "Limits", default = "Limits::default", deny_unknown_fields)]
pub(super) struct Table {
    connections: usize,
    connections_per_second: u32,
    sessions: usize,
    #[serde(with = "humantime_serde")]
    connect_timeout: Duration,
    #[serde(deserialize_with = "packet_size")]
    packet_size: u32,
    #[serde(deserialize_with = "at_least_one")]
    receive_maximum: u16,
    #[serde(deserialize_with = "at_least_one")]
    inflight: u16,
    queued_messages: usize,
    #[serde(deserialize_with = "size")]
    queued_bytes: usize,
    #[serde(deserialize_with = "size")]
    queue_in_memory: usize,
    #[serde(deserialize_with = "size")]
    unsent_bytes_soft: usize,
    #[serde(deserialize_with = "size")]
    unsent_bytes: usize,
    subscriptions: usize,
    subscriptions_total: usize,
    #[serde(deserialize_with = "at_least_one")]
    topic_bytes: usize,
    #[serde(deserialize_with = "at_least_one")]
    topic_levels: usize,
    retained_messages: usize,
    #[serde(deserialize_with = "size")]
    retained_bytes: usize,
    #[serde(deserialize_with = "size")]
    will_bytes: usize,
    user_properties: usize,
    topic_alias_maximum: u16,
    topic_aliases_sent: u16,
    #[serde(with = "humantime_serde")]
    session_expiry: Option<Duration>,
    #[serde(deserialize_with = "keep_alive")]
    keep_alive: Option<u16>,
    #[serde(deserialize_with = "qos")]
    maximum_qos: Qos,
    retain_available: bool,
    subscription_identifier_available: bool,
    wildcard_subscription_available: bool,
    shared_subscription_available: bool,
    shared_subscriptions_v3: bool,
    #[serde(with = "Distribution")]
    shared_distribution: SharedDistribution,
}

/// [`SharedDistribution`] as TOML says it.
#[derive(Deserialize)]
#[serde(remote = "SharedDistribution", rename_all = "snake_case")]
enum Distribution {
    RoundRobin,
    Random,
    Sticky,
    HashClient,
    HashTopic,
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let Size(bytes) = Size::deserialize(deserializer)?;
    usize::try_from(bytes).map_err(|_| D::Error::custom("more bytes than this machine can address"))
}

fn packet_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let Size(bytes) = Size::deserialize(deserializer)?;
    u32::try_from(bytes)
        .ok()
        .filter(|bytes| (1..=Limits::PACKET_SIZE_MAX).contains(bytes))
        .ok_or_else(|| {
            let max = Limits::PACKET_SIZE_MAX;
            D::Error::custom(format!("expected a packet size of 1 to {max} bytes, not {bytes}"))
        })
}

fn keep_alive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let keep_alive: Duration = humantime_serde::deserialize(deserializer)?;
    if keep_alive.is_zero() || keep_alive.subsec_nanos() > 0 {
        return Err(D::Error::custom("expected whole seconds, at least one"));
    }
    match u16::try_from(keep_alive.as_secs()) {
        Ok(seconds) => Ok(Some(seconds)),
        Err(_) => Err(D::Error::custom("expected 65535 seconds (18h 12m 15s) at most")),
    }
}

fn qos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Qos, D::Error> {
    match u8::deserialize(deserializer)? {
        0 => Ok(Qos::AtMostOnce),
        1 => Ok(Qos::AtLeastOnce),
        2 => Ok(Qos::ExactlyOnce),
        other => Err(D::Error::custom(format!("expected QoS 0, 1 or 2, not {other}"))),
    }
}
