use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rule;
use crate::span::Span;

/// Whoever speaks packet by packet, as its steps say, and keeps no rule by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Peer {
    /// So many of them, each on a host of its own: `raw-1`, `raw-2` ... A step that names `raw` is for all of them.
    #[schemars(range(min = 1))]
    pub count: Option<u32>,
    /// Whether it answers PUBLISH, PUBREC and PUBREL as it should, where its script says nothing else. Not, unless given.
    pub acknowledges: bool,
    /// It sends PINGREQ so often while it has a connection. Never, unless given.
    pub pings: Option<Span>,
    /// What it answers to the packets that reach it. The first rule that is for a packet is the one.
    pub script: Vec<Rule>,
}
