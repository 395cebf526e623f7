use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::TopicFilter;

use super::words;
use crate::{
    faults::PacketMatch,
    number::Count,
    span::{Span, SpanRange},
};

/// Waits for something, and is over when it has come. That it does not come in time is a finding. One of `packet`, `delivered`,
/// `connected` and `disconnected` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// A packet leaves its sender's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<PacketMatch>,
    /// A client hands messages to its application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<ToApplication>,
    /// This client is connected; of a group, each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<String>,
    /// This client has lost its connection; of a group, each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnected: Option<String>,
    /// Not longer than this. 1 minute, unless given.
    #[serde(default = "minute")]
    pub within: Span,
}

/// Looks out for something that must not come, from now on for a while. One of `packet` and `delivered` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectNone {
    /// A packet leaves its sender's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<PacketMatch>,
    /// A client hands messages to its application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<ToApplication>,
    /// How long.
    #[serde(rename = "for")]
    pub lasts: SpanRange,
}

/// Messages that a client hands to its application, counted from when the step began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToApplication {
    /// The client; of a group, any.
    pub to: String,
    /// Of the messages to these topics alone.
    #[serde(
        default,
        with = "words::some_topic_filter",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub topic: Option<TopicFilter>,
    /// So many. 1, unless given.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: Count,
}

const fn minute() -> Span {
    Span::from_millis(60_000)
}

const fn one() -> Count {
    Count::LEAST
}

fn is_one(count: &Count) -> bool {
    *count == one()
}
