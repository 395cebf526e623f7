use std::{borrow::Cow, fmt, num::NonZeroU16};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};
use squall_proto::{Qos, TopicFilter, TopicName};

use super::words::{self, QosWord};
use crate::{
    span::{Span, SpanRange},
    world::Transport,
};

/// A client of ours: it keeps the rules, answers by itself, and connects again when it must.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
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
    /// Unfinished QoS 1 and 2 messages it takes at a time, 5.0 alone.
    #[schemars(with = "Option<u16>", range(min = 1))]
    pub receive_maximum: Option<NonZeroU16>,
    /// How fast it reads. As fast as it can, unless given.
    pub reads: Option<Reads>,
    /// What its application does with messages.
    pub application: Application,
}

/// Whether the state of a session outlives its Network Connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Session {
    /// It begins anew at each CONNECT and ends with the connection.
    #[default]
    Clean,
    /// It goes on.
    Persistent,
}

/// When a client connects first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Connecting {
    /// So long after the run began.
    At(SpanRange),
    /// Only a `connect` step does it.
    Never,
}

/// What a client does when it loses its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reconnect {
    /// It connects again, so long after the loss, and as long after each attempt that failed.
    After(SpanRange),
    /// It stays away until a `connect` step.
    Never,
}

/// A Will Message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Will {
    /// Where it is published.
    #[serde(deserialize_with = "words::topic_name")]
    #[schemars(with = "String")]
    pub topic: TopicName,
    /// Will QoS. 0, unless given.
    #[serde(default, deserialize_with = "words::qos")]
    #[schemars(with = "QosWord")]
    pub qos: Qos,
    /// Will Retain.
    #[serde(default)]
    pub retain: bool,
    /// Will Delay Interval, whole seconds, 5.0 alone.
    #[serde(default)]
    pub delay: Span,
}

/// A client that reads more slowly than it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// So many bytes at a time.
    #[schemars(range(min = 1))]
    pub bytes: u32,
    /// With this pause in between.
    pub every: Span,
}

/// What the application of a client does with the messages that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Application {
    /// How long it is busy with each message, before it takes the next. 0s, unless given.
    pub takes: Span,
    /// When a message of QoS 1 or 2 is acknowledged. When the application takes it, unless given.
    pub acknowledges: Acknowledges,
}

/// When a message of QoS 1 or 2 is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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

/// Topic Filters with the QoS each is subscribed at, in the order they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(pub Vec<(TopicFilter, Qos)>);

impl Client {
    /// Whether it connects by itself, and again when it loses its connection.
    pub(crate) const fn stays(&self) -> bool {
        matches!(
            (self.connect, self.reconnect),
            (Connecting::At(_), Reconnect::After(_))
        )
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
            receive_maximum: None,
            reads: None,
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

impl<'de> Deserialize<'de> for Filters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FiltersVisitor)
    }
}

struct FiltersVisitor;

impl<'de> de::Visitor<'de> for FiltersVisitor {
    type Value = Filters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Topic Filters with their QoS, such as `{ \"t/#\": 2 }`")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Filters, A::Error> {
        let mut filters = Vec::new();
        while let Some(FilterWord(filter)) = map.next_key()? {
            filters.push((filter, map.next_value::<QosWord>()?.qos()));
        }
        Ok(Filters(filters))
    }
}

struct FilterWord(TopicFilter);

impl<'de> Deserialize<'de> for FilterWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        words::topic_filter(&String::deserialize(deserializer)?).map(Self)
    }
}

impl JsonSchema for Filters {
    fn schema_name() -> Cow<'static, str> {
        "Filters".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        IndexMap::<String, QosWord>::json_schema(generator)
    }
}
