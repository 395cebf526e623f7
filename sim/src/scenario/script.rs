use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::{Packet, PacketType};

use super::RawPacket;
use crate::{
    faults::PacketTypeName,
    span::{Span, SpanRange},
};

/// What a peer or a scripted broker does at a packet that reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The type of the packet: `PUBREL`.
    #[serde(with = "PacketTypeName")]
    pub to: PacketType,
    /// Only at this QoS of a PUBLISH.
    #[serde(default)]
    #[schemars(range(min = 0, max = 2))]
    pub qos: Option<u8>,
    /// Only on the connection of this number, from 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub connection: Option<u32>,
    /// Only at the nth of the packets that the rule would be for, from 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub nth: Option<u32>,
    /// What it answers, in one write; nothing, where the list is empty. What is usual, unless given. An acknowledgement has the
    /// Packet Identifier of what it answers, if it says no other.
    #[serde(default)]
    pub with: Option<Vec<RawPacket>>,
    /// So much later. At once, unless given.
    #[serde(default)]
    pub after: SpanRange,
    /// It answers only when so many of these packets have come on a connection, and then the last of them first.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub reversed: Option<u32>,
    /// A few bytes at a time.
    #[serde(default)]
    pub pieces: Option<Pieces>,
    /// What becomes of the connection then.
    #[serde(default)]
    pub then: Option<Then>,
}

/// How bytes are written that do not go all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pieces {
    /// So many bytes at a time, each time in a segment of their own.
    #[schemars(range(min = 1))]
    pub bytes: u32,
    /// With this pause in between. 1ms, unless given: less would be one segment again.
    #[serde(default = "a_moment")]
    pub every: Span,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It is closed in order.
    Fin,
    /// It is reset.
    Rst,
    /// It stays open, whatever comes is taken, and nothing is answered any more.
    Silence,
}

impl Rule {
    /// Whether it is for this packet on the connection of this number, whichever of them it is.
    pub(crate) fn is_about(&self, packet: &Packet, connection: u32) -> bool {
        let is_at_qos =
            |qos| matches!(packet, Packet::Publish(publish) if publish.delivery.qos().value() == qos);
        self.to == packet.packet_type()
            && self.connection.is_none_or(|wanted| wanted == connection)
            && self.qos.is_none_or(is_at_qos)
    }
}

const fn a_moment() -> Span {
    Span::from_millis(1)
}
