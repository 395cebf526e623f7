use std::num::{NonZeroU16, NonZeroU32};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::{Binary, Property, Qos, TopicName, Version};

use super::{
    Filters, MessageProperties, SubscriptionIdentifier,
    words::{self, QosWord},
};
use crate::{
    span::{Span, SpanRange},
    world::Transport,
};

/// A client of ours: it keeps the rules, answers by itself, and connects again when it must.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// What carries its MQTT to the broker. `tcp`, unless given.
    pub transport: Transport,
    /// Its Client Identifier; its name, unless given. Two clients with the same one take over from each other.
    pub client_id: Option<String>,
    /// So many of them, each on a host of its own: `swarm-1`, `swarm-2` ... A step that names `swarm` is for all of them.
    #[schemars(range(min = 1))]
    pub count: Option<u32>,
    /// When it connects first: `{ at: 0s..1s }`, or `never`. At once, unless given.
    pub connect: Connecting,
    /// Keep Alive, whole seconds; `0s` switches it off. 60s, unless given.
    pub keep_alive: Span,
    /// Whether the session outlives the connection. `clean`, unless given.
    pub session: Session,
    /// Session Expiry Interval of a persistent session, 5.0 alone; it never expires, unless given.
    pub session_expiry: Option<Span>,
    /// What it does when it loses its connection. `{ after: 1s..3s }`, unless given.
    pub reconnect: Reconnect,
    /// What the broker publishes when it is gone.
    pub will: Option<Will>,
    /// It subscribes to these whenever it connects and has no session: `{ "t/#": 2 }`.
    pub subscribe: Filters,
    /// Subscription Identifier of what it subscribes to by itself, 5.0 alone.
    pub subscription_identifier: Option<SubscriptionIdentifier>,
    /// Unfinished QoS 1 and 2 messages it takes at a time, 5.0 alone.
    #[schemars(with = "Option<u16>", range(min = 1))]
    pub receive_maximum: Option<NonZeroU16>,
    /// Bytes of the largest packet it takes, 5.0 alone.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The highest Topic Alias it takes from the broker, 5.0 alone. 0, unless given.
    pub topic_alias_maximum: u16,
    /// How many of its topics it gives Topic Aliases at a time, 5.0 alone. 0, unless given.
    pub topic_aliases: u16,
    /// Unfinished QoS 1 and 2 messages it sends at a time, if the broker takes as many.
    #[schemars(with = "Option<u16>", range(min = 1))]
    pub inflight: Option<NonZeroU16>,
    /// How fast it reads. As fast as it can, unless given.
    pub reads: Option<Reads>,
    /// Where it keeps its session, if that is persistent. In `memory`, unless given.
    pub store: Store,
    /// What its application does with messages.
    pub application: Application,
}

/// Whether the state of a session outlives its Network Connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Session {
    /// It begins anew at each CONNECT and ends with the connection.
    #[default]
    Clean,
    /// It goes on.
    Persistent,
}

/// Where a client keeps its session: the messages that are not finished, with the Packet Identifiers by which the server knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// In memory: it outlives a `disconnect` and `connect`, not the process.
    #[default]
    Memory,
    /// On the disk of its host: what is committed outlives the process, and a power loss.
    Disk,
}

/// When a client connects first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connecting {
    /// So long after the run began.
    At(SpanRange),
    /// Only a `connect` step does it.
    Never,
}

/// What a client does when it loses its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reconnect {
    /// It connects again, so long after the loss, and as long after each attempt that failed.
    After(SpanRange),
    /// It stays away until a `connect` step.
    Never,
}

/// A Will Message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Will {
    /// Where it is published.
    #[serde(with = "words::topic_name")]
    #[schemars(with = "String")]
    pub topic: TopicName,
    /// Will QoS. 0, unless given.
    #[serde(default, with = "words::qos")]
    #[schemars(with = "QosWord")]
    pub qos: Qos,
    /// Will Retain.
    #[serde(default)]
    pub retain: bool,
    /// Will Delay Interval, whole seconds, 5.0 alone.
    #[serde(default)]
    pub delay: Span,
    /// Message Expiry Interval, whole seconds, 5.0 alone. It never expires, unless given.
    #[serde(default)]
    pub expiry: Option<Span>,
    /// What else it says, 5.0 alone.
    #[serde(default)]
    pub properties: MessageProperties,
}

/// A client that reads more slowly than it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// So many bytes at a time.
    #[schemars(range(min = 1))]
    pub bytes: u32,
    /// With this pause in between.
    pub every: Span,
}

/// What the application of a client does with the messages that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Application {
    /// How long it is busy with each message, before it takes the next. 0s, unless given.
    pub takes: Span,
    /// When a message of QoS 1 or 2 is acknowledged. When the application takes it, unless given.
    pub acknowledges: Acknowledges,
}

impl Application {
    /// Whether it is busy with a message for a while.
    pub(crate) fn takes_time(&self) -> bool {
        !self.takes.duration().is_zero()
    }
}

/// When a message of QoS 1 or 2 is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledges {
    /// By the client itself, when the application takes it.
    #[default]
    Taken,
    /// By the application, when it has handled it.
    Handled,
    /// By the application, whenever it has handled so many, the last of them first.
    Reversed(#[schemars(range(min = 1))] u32),
}

impl Client {
    /// Whether it connects by itself, and again when it loses its connection.
    pub(crate) const fn stays(&self) -> bool {
        matches!(
            (self.connect, self.reconnect),
            (Connecting::At(_), Reconnect::After(_))
        )
    }
}

impl Will {
    /// The Will of a client, as its CONNECT says it. The payload is the client's name and `/will`; nothing, if
    /// that is more than a Will can hold.
    pub fn packet(&self, client: &str, version: Version) -> squall_proto::Will {
        let mut properties = self.properties.properties(self.expiry, version);
        if version == Version::V5 && self.delay > Span::ZERO {
            let delay = u32::try_from(self.delay.duration().as_secs()).unwrap_or(u32::MAX);
            properties.push(Property::WillDelayInterval(delay));
        }
        squall_proto::Will {
            topic: self.topic.clone(),
            payload: Binary::new(format!("{client}/will")).unwrap_or_default(),
            qos: self.qos,
            retain: self.retain,
            properties,
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self {
            transport: Transport::Tcp,
            client_id: None,
            count: None,
            connect: Connecting::At(SpanRange::default()),
            keep_alive: Span::from_millis(60_000),
            session: Session::Clean,
            session_expiry: None,
            reconnect: Reconnect::default(),
            will: None,
            subscribe: Filters::default(),
            subscription_identifier: None,
            receive_maximum: None,
            maximum_packet_size: None,
            topic_alias_maximum: 0,
            topic_aliases: 0,
            inflight: None,
            reads: None,
            store: Store::Memory,
            application: Application::default(),
        }
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        let after = SpanRange::new(Span::from_millis(1000), Span::from_millis(3000));
        Self::After(after.unwrap_or_default())
    }
}
