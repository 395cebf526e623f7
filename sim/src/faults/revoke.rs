use std::fmt;

use rand_pcg::Pcg64Mcg;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Stage, Started};
use crate::span::SpanRange;

/// An administrator of the broker ends a client's session, and its connection as by `kick`; with `for`, its CONNECT is refused meanwhile
/// with 0x87 (Not authorized; 3.1.1: 0x05), by whichever process of the broker runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// A client, or a group of clients.
    pub client: String,
    /// How long it is not let in. It may connect again at once, unless given.
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SpanRange>,
}

impl Revoke {
    pub(super) fn names(&self) -> Vec<&str> {
        vec![&self.client]
    }

    pub(super) fn lasts(&self) -> Option<SpanRange> {
        Some(self.lasts.unwrap_or_default())
    }

    pub(super) fn drawn(&self, chance: &mut Pcg64Mcg) -> Self {
        Self {
            lasts: self.lasts.map(|lasts| lasts.drawn(chance)),
            ..self.clone()
        }
    }

    pub(super) fn start(&self, _: usize, stage: &Stage) -> Started {
        if self.lasts.is_some() {
            stage.bar(&self.client);
        }
        let touched = stage.kick(&self.client, true);
        let barred = self.lasts.map(|_| self.client.clone());
        Started::Heals(Box::new(move |stage| {
            if let Some(client) = barred {
                stage.admit(&client);
            }
            touched
        }))
    }
}

impl fmt::Display for Revoke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.client)
    }
}
