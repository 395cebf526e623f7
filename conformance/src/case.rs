//! What a case about a broker is.

use std::{fmt, future::Future, pin::Pin};

use serde::{Deserialize, Serialize};
use squall_proto::Version;

use crate::{AnyCase, Context, Outcome, SECTIONS, Section};

/// One conformance test. It runs with each version for which it names statements.
pub struct Case {
    /// A sentence about a broker that conforms, in snake case; unique, and never changed.
    pub name: &'static str,
    /// The statements of 3.1.1 it decides; with none it does not run with 3.1.1.
    pub v3: &'static [&'static str],
    /// The statements of 5.0 it decides; with none it does not run with 5.0.
    pub v5: &'static [&'static str],
    /// How strongly the statements bind.
    pub level: Level,
    /// What the target must be able to do for the case to make sense.
    pub needs: &'static [Capability],
    /// The test itself.
    pub run: fn(Context) -> Run,
}

/// A case under way.
pub(crate) type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How strongly a statement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A breach is a failure.
    Must,
    /// A breach is a deviation.
    Should,
}

/// What a 5.0 server may say in CONNACK that it does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// QoS 1, for PUBLISH packets in both directions.
    Qos1,
    /// QoS 2, for PUBLISH packets in both directions.
    Qos2,
    /// Retained messages.
    Retain,
    /// `$share/..`.
    SharedSubscriptions,
    /// Subscription Identifiers.
    SubscriptionIdentifiers,
    /// Topic Aliases from clients.
    TopicAliases,
    /// `+` and `#`.
    Wildcards,
}

impl AnyCase for Case {
    const COMMAND_ENDS: &'static str = "";

    fn name(&self) -> &'static str {
        self.name
    }

    fn covers(&self, version: Version) -> &'static [&'static str] {
        match version {
            Version::V3_1_1 => self.v3,
            Version::V5 => self.v5,
        }
    }

    fn sections() -> &'static [Section<Self>] {
        SECTIONS
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
