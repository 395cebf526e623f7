//! What a broker is set to, drawn.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use squall_proto::broker::{Limits, Rule, Rules, Settings, SharedDistribution, Told};

use crate::packets;

const DISTRIBUTIONS: [SharedDistribution; 5] = [
    SharedDistribution::RoundRobin,
    SharedDistribution::Random,
    SharedDistribution::Sticky,
    SharedDistribution::HashClient,
    SharedDistribution::HashTopic,
];

pub(super) fn settings(u: &mut Unstructured<'_>) -> Result<Settings> {
    let strict = |u: &mut Unstructured<'_>| u.choose(&[Rule::Strict, Rule::Tolerant]).copied();
    let rules = Rules {
        receive_maximum: strict(u)?,
        unknown_packet_id: strict(u)?,
        wrong_acknowledgement: strict(u)?,
        dollar_topics: strict(u)?,
        payload_format: strict(u)?,
        ..Rules::default()
    };
    let told = Told {
        response_information: if u.arbitrary()? {
            Some(packets::text(u)?)
        } else {
            None
        },
        server_reference: if u.arbitrary()? {
            Some(packets::text(u)?)
        } else {
            None
        },
        ..Told::default()
    };
    let limits = limits(u)?;
    Ok(Settings { limits, rules, told })
}

fn limits(u: &mut Unstructured<'_>) -> Result<Limits> {
    Ok(Limits {
        connections: *u.choose(&[2, 5, 100])?,
        packet_size: super::PACKET_SIZE_MAX,
        receive_maximum: *u.choose(&[1, 2, 1000])?,
        inflight: *u.choose(&[1, 2, 1000])?,
        queued_messages: *u.choose(&[0, 1, 5, 1000])?,
        queued_bytes: *u.choose(&[100, 1_000_000])?,
        queue_in_memory: *u.choose(&[0, 30, 1000])?,
        unsent_bytes_soft: 10,
        unsent_bytes: 100,
        subscriptions: *u.choose(&[1, 3, 100])?,
        subscriptions_total: *u.choose(&[2, 1000])?,
        sessions: *u.choose(&[2, 1000])?,
        topic_bytes: *u.choose(&[3, 100])?,
        will_bytes: *u.choose(&[10, 1000])?,
        user_properties: *u.choose(&[0, 1, 10])?,
        retained_bytes: *u.choose(&[30, 10_000])?,
        topic_aliases_sent: *u.choose(&[0, 1, 2, 100])?,
        topic_levels: 8,
        retained_messages: *u.choose(&[0, 1, 100])?,
        topic_alias_maximum: *u.choose(&[0, 2])?,
        session_expiry: *u.choose(&[None, None, Some(Duration::from_secs(5))])?,
        keep_alive: *u.choose(&[None, None, Some(3)])?,
        maximum_qos: packets::qos(u)?.max(packets::qos(u)?),
        retain_available: u.ratio(7, 8)?,
        wildcard_subscription_available: u.ratio(7, 8)?,
        shared_subscription_available: u.ratio(7, 8)?,
        shared_subscriptions_v3: u.arbitrary()?,
        shared_distribution: *u.choose(&DISTRIBUTIONS)?,
        ..Limits::default()
    })
}
