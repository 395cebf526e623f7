use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Times;
use crate::faults::PacketTypeName;
use squall_proto::PacketType;

/// What a client handed to its application. `payloads`, or `of` with one of `exactly`, `at_least` and `at_most`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    /// The client; of a group, each.
    pub to: String,
    /// The payloads of all its messages, in order.
    #[serde(default)]
    pub payloads: Option<Vec<String>>,
    /// Every message of this publisher.
    #[serde(default)]
    pub of: Option<String>,
    /// As often as this.
    #[serde(default)]
    pub exactly: Option<Times>,
    /// As often as this or more often.
    #[serde(default)]
    pub at_least: Option<Times>,
    /// As often as this or less often.
    #[serde(default)]
    pub at_most: Option<Times>,
}

/// What became of the messages that an application published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The client; of a group, each.
    pub of: String,
    /// Of the messages of the step with this `id` alone.
    #[serde(default)]
    pub step: Option<String>,
    /// What became of each.
    #[serde(rename = "as")]
    pub how: EndedAs,
    /// So many of them, and the others ended otherwise or not at all. All that ended, and one at least, unless given.
    #[serde(default)]
    pub messages: Option<u32>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedAs {
    /// The server has acknowledged it; at QoS 0 it was sent.
    Acknowledged,
    /// The server has refused it with this Reason Code.
    Refused(u8),
    /// The client has given it up, and said so.
    Failed,
}

/// What a client told its application of its connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldOf {
    /// The client; of a group, each.
    pub to: String,
    /// How often it said that it is connected.
    #[serde(default)]
    pub connected: Option<u32>,
    /// How often it said that it is not, for a reason with these words in it.
    #[serde(default)]
    pub disconnected: Option<Disconnections>,
}

/// How often a connection ended, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disconnections {
    /// So often.
    pub times: u32,
    /// Only those for whose reason the client has these words.
    #[serde(default)]
    pub because: String,
}

/// The packets that a client or peer sends, or that reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packets {
    /// Those that it sends. One of `from` and `to` is given.
    #[serde(default)]
    pub from: Option<String>,
    /// Those that reach it.
    #[serde(default)]
    pub to: Option<String>,
    /// On its connection of this number alone, from 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub connection: Option<u32>,
    /// Of these types alone.
    #[serde(default)]
    pub only: Vec<PacketName>,
    /// What they are, in order: each is a part of the line that a trace shows, such as `PUBLISH q2 id 1 dup`.
    pub are: Vec<String>,
}

/// The type of a packet, as the standard writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PacketName(#[serde(with = "PacketTypeName")] pub PacketType);

impl Packets {
    /// Whose packets, and whether it is who sends them. `None` unless exactly one of `from` and `to` is given.
    pub(crate) fn end(&self) -> Option<(&str, bool)> {
        match (&self.from, &self.to) {
            (Some(from), None) => Some((from, true)),
            (None, Some(to)) => Some((to, false)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}
