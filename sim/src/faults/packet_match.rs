use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::PacketType;

use crate::number::Count;

/// One exact packet of a run: the nth of its type that leaves a client, or that leaves the broker for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketMatch {
    /// Its type, as the standard writes it: `PUBREL`.
    #[serde(with = "PacketTypeName")]
    pub packet: PacketType,
    /// The client or peer that sends it. Exactly one of `from` and `to` is given.
    #[serde(default)]
    pub from: Option<String>,
    /// The client or peer that it is sent to.
    #[serde(default)]
    pub to: Option<String>,
    /// Which of them, over all its connections since the step began, counted from 1.
    #[serde(default = "first")]
    pub nth: Count,
}

const fn first() -> Count {
    Count::LEAST
}

impl PacketMatch {
    /// The client or peer it names, and whether it is the sender. `None` unless exactly one of `from` and `to` is given: what a
    /// scenario must not say.
    pub fn end(&self) -> Option<(&str, bool)> {
        match (&self.from, &self.to) {
            (Some(client), None) => Some((client, true)),
            (None, Some(client)) => Some((client, false)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// The same with one `nth` of its range.
    pub(crate) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            nth: self.nth.drawn(chance),
            ..self.clone()
        }
    }
}

impl fmt::Display for PacketMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.packet, self.nth)?;
        match self.end() {
            Some((client, true)) => write!(f, " from {client}"),
            Some((client, false)) => write!(f, " to {client}"),
            None => Ok(()),
        }
    }
}

/// [`PacketType`] as scenarios write it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(remote = "PacketType", rename_all = "UPPERCASE")]
#[schemars(rename = "PacketType")]
pub(crate) enum PacketTypeName {
    Connect,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    Auth,
}
