use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de, ser::SerializeMap};
use squall_proto::{Qos, TopicFilter};

use super::{
    Await, ExpectNone, Filters, MessageProperties, Pieces, RawPacket, Session, SubscriptionIdentifier,
    TopicTemplate, Traffic, words,
};
use crate::{faults::Fault, span::Span};

/// Makes [`Action`] of the list: its name in YAML, its parameters, its variant.
macro_rules! actions {
    ($($name:ident: $action:ident,)*) => {
        /// What a step does.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Action {
            $(#[doc = concat!("`", stringify!($name), "`.")] $action($action),)*
            /// Something goes wrong.
            Fault(Fault),
        }

        impl Action {
            /// The names of the actions that are no faults, in alphabetical order.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// Its name as scenarios write it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$action(_) => stringify!($name),)*
                    Self::Fault(fault) => fault.name(),
                }
            }

            /// Its parameters, as an entry of its step.
            pub(super) fn serialize_named<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self {
                    $(Self::$action(action) => map.serialize_entry(stringify!($name), action),)*
                    Self::Fault(fault) => fault.serialize_named(map),
                }
            }

            /// The parameters of the action of this name.
            pub(super) fn deserialize_named<'de, D: Deserializer<'de>>(
                name: &str,
                deserializer: D,
            ) -> Result<Self, D::Error> {
                match name {
                    $(stringify!($name) => $action::deserialize(deserializer).map(Self::$action),)*
                    _ => Err(de::Error::unknown_variant(name, Self::NAMES)),
                }
            }

            /// The schema of each action's parameters, by its name.
            pub(super) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$((stringify!($name), generator.subschema_for::<$action>())),*]
            }
        }
    };
}

actions! {
    await: Await,
    connect: Connect,
    disconnect: Disconnect,
    expect_none: ExpectNone,
    note: Note,
    open: Open,
    publish: Publish,
    send: Send,
    shut: Shut,
    subscribe: Subscribe,
    traffic: Traffic,
    unsubscribe: Unsubscribe,
}

/// A client connects that is not connected. It is over with CONNACK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Who.
    pub client: String,
    /// Another session than the client's own, this time.
    #[serde(default)]
    pub session: Option<Session>,
}

/// A client says DISCONNECT and stays away until a `connect` step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    /// Who.
    pub client: String,
    /// Whether its Will is to be published all the same (0x04), 5.0 alone.
    #[serde(default)]
    pub with_will: bool,
}

/// A client publishes. It is over when all of it is acknowledged, and at QoS 0 when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Who.
    pub from: String,
    /// Where, such as `t/{n}`.
    pub topic: TopicTemplate,
    /// At which QoS. 0, unless given.
    #[serde(default, with = "words::qos")]
    #[schemars(with = "words::QosWord")]
    pub qos: Qos,
    /// RETAIN.
    #[serde(default)]
    pub retain: bool,
    /// How many messages. 1, unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub count: u32,
    /// From one message to the next. 0s, unless given.
    #[serde(default)]
    pub every: Span,
    /// What each says instead of the mark by which checks know it from every other: for what is compared with a Will, or replaces
    /// a retained message by one that is equal.
    #[serde(default)]
    pub payload: Option<String>,
    /// Bytes of payload, if more than the mark by which checks know each message. 0 sends none at all, which clears what is
    /// retained.
    #[serde(default)]
    pub size: Option<u32>,
    /// Message Expiry Interval, whole seconds, 5.0 alone. They never expire, unless given.
    #[serde(default)]
    pub expiry: Option<Span>,
    /// What else they say, 5.0 alone.
    #[serde(default)]
    pub properties: MessageProperties,
}

/// A client subscribes. It is over with SUBACK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Who.
    pub client: String,
    /// To what.
    pub filters: Filters,
    /// Subscription Identifier, 5.0 alone.
    #[serde(default)]
    pub subscription_identifier: Option<SubscriptionIdentifier>,
}

/// A client unsubscribes. It is over with UNSUBACK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    /// Who.
    pub client: String,
    /// From what.
    #[serde(with = "words::topic_filters")]
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub filters: Vec<TopicFilter>,
}

/// Does nothing but stand in the trace, and be waited for: when it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note(pub String);

/// A peer opens a Network Connection, and says nothing on it yet. One that it has is closed first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Who.
    pub peer: String,
}

/// A peer, or a scripted broker, sends bytes: `hex`, then `packets`, all at once unless `pieces` says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Who.
    pub from: String,
    /// Whom a scripted broker sends it to. Everybody who is connected, unless given.
    #[serde(default)]
    pub to: Option<String>,
    /// Bytes as they go on the wire: `c0 00`. What stands behind a `#` is a comment.
    #[serde(default, with = "words::hex_bytes")]
    #[schemars(with = "String")]
    pub hex: Vec<u8>,
    /// Packets, in the version of the run.
    #[serde(default)]
    pub packets: Vec<RawPacket>,
    /// So often, one after the other; `{n}` in a packet counts. 1, unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub times: u32,
    /// A few bytes at a time.
    #[serde(default)]
    pub pieces: Option<Pieces>,
}

/// A peer, or a scripted broker, closes its Network Connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shut {
    /// Who.
    pub peer: String,
    /// The connection to whom, of a scripted broker. All, unless given.
    #[serde(default)]
    pub to: Option<String>,
    /// How. `fin`, unless given.
    #[serde(default)]
    pub how: How,
}

/// How a connection is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Orderly.
    #[default]
    Fin,
    /// By a reset.
    Rst,
}

const fn one() -> u32 {
    1
}
