mod application;

pub use application::{Disconnections, Ended, EndedAs, Handed, PacketName, Packets, ToldOf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::{TopicFilter, TopicName};

use super::words;
use crate::{
    span::{Span, SpanRange},
    trace::Side,
};

/// Something that must hold at the end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// A connection was closed.
    Closed(Closed),
    /// A client connected so many times.
    Connected(Connected),
    /// What one client published reached another.
    Delivered(Delivered),
    /// What became of the messages that an application published.
    Ended(Ended),
    /// What a client handed to its application.
    Handed(Handed),
    /// The packets that a client or peer sends, or that reach it.
    Packets(Packets),
    /// A client received so many messages of a topic.
    Received(Received),
    /// What CONNACK said of an earlier session.
    SessionPresent(SessionPresent),
    /// What one client published reached those who share a subscription, as a group.
    Shared(Shared),
    /// A client could not keep its session, or not have it back, and told its application.
    StoreFailed(StoreFailed),
    /// What a client told its application of its connections.
    Told(ToldOf),
    /// A Will reached a client.
    WillPublished(WillPublished),
}

/// How often each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// Not at all.
    Never,
    /// One time.
    Once,
}

/// What one client published reached another. One of `exactly`, `at_least` and `at_most` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// The receiver; of a group, each.
    pub to: String,
    /// The publisher.
    pub of: String,
    /// Of the messages to these topics alone.
    #[serde(default, with = "words::some_topic_filter")]
    #[schemars(with = "Option<String>")]
    pub topic: Option<TopicFilter>,
    /// Of the messages of the step with this `id` alone.
    #[serde(default)]
    pub step: Option<String>,
    /// As often as this.
    #[serde(default)]
    pub exactly: Option<Times>,
    /// As often as this or more often.
    #[serde(default)]
    pub at_least: Option<Times>,
    /// As often as this or less often.
    #[serde(default)]
    pub at_most: Option<Times>,
    /// Whether first deliveries come in the order they were published in, by topic and QoS.
    #[serde(default)]
    pub in_order: bool,
    /// From the moment it is first sent to the moment it first arrives.
    #[serde(default)]
    pub within: Option<Span>,
}

/// What one client published reached those who share a subscription: one of them, whichever. One of `exactly`, `at_least` and
/// `at_most` is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// The members. Of a group, all.
    pub among: Vec<String>,
    /// The publisher.
    pub of: String,
    /// As often as this, all members together.
    #[serde(default)]
    pub exactly: Option<Times>,
    /// As often as this or more often, all members together.
    #[serde(default)]
    pub at_least: Option<Times>,
    /// As often as this or less often, all members together.
    #[serde(default)]
    pub at_most: Option<Times>,
    /// So many messages that each member gets at least.
    #[serde(default)]
    pub each: u32,
}

/// A client received so many messages of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// Who; of a group, each.
    pub client: String,
    /// The topic.
    #[serde(with = "words::topic_name")]
    #[schemars(with = "String")]
    pub topic: TopicName,
    /// So many, redeliveries not counted.
    pub messages: u32,
    /// Only those with this RETAIN.
    #[serde(default)]
    pub retain: Option<bool>,
}

/// What CONNACK said of an earlier session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionPresent {
    /// Who connected; of a group, each.
    pub client: String,
    /// Its how-manieth CONNACK, from 1.
    #[schemars(range(min = 1))]
    pub at_connect: u32,
    /// Session Present.
    pub is: bool,
}

/// A client connected: CONNACK said Success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connected {
    /// Who; of a group, each.
    pub client: String,
    /// So many times in the run.
    pub times: u32,
}

/// A client could not keep its session, or not have it back, told its application why, and ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreFailed {
    /// Who; of a group, each.
    pub client: String,
    /// So many times in the run. At least once, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// A connection was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Whose.
    pub client: String,
    /// Which of its connections, from 1. The first, unless given.
    #[serde(default = "first")]
    #[schemars(range(min = 1))]
    pub connection: u32,
    /// Who closed it; `nobody` if it must still be open at the end.
    pub by: Closer,
    /// From the last packet of the client that arrived to the close, both bounds included.
    #[serde(default)]
    pub after: Option<SpanRange>,
}

/// Who closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closer {
    /// The client or peer.
    Client,
    /// The broker.
    Broker,
    /// It is open at the end of the run.
    Nobody,
}

/// The Will of a client reached another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WillPublished {
    /// Whose Will.
    pub of: String,
    /// Who receives it.
    pub to: String,
    /// How often in the run.
    pub times: u32,
    /// From the last packet of the client that arrived before, to the arrival of its Will.
    #[serde(default)]
    pub after: Option<SpanRange>,
}

impl Closer {
    /// The side that closed; `None`: neither did.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::Client => Some(Side::Client),
            Self::Broker => Some(Side::Broker),
            Self::Nobody => None,
        }
    }
}

const fn first() -> u32 {
    1
}
