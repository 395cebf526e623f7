//! What a case about a client is.

use std::{fmt, future::Future, pin::Pin};

use squall_proto::Version;

use super::{SECTIONS, Stage};
use crate::{AnyCase, Level, Outcome, Section};

/// One conformance test of a client. It runs with each version for which it names statements. What it needs of the driver is what
/// it tells it.
pub struct Case {
    /// A sentence about a client that conforms, in snake case; unique, and never changed.
    pub name: &'static str,
    /// The statements of 3.1.1 it decides; with none it does not run with 3.1.1.
    pub v3: &'static [&'static str],
    /// The statements of 5.0 it decides; with none it does not run with 5.0.
    pub v5: &'static [&'static str],
    /// How strongly the statements bind.
    pub levels: Levels,
    /// The test itself.
    pub run: fn(Stage) -> Run,
}

/// A case under way.
pub(crate) type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How strongly the statements of a case bind, by version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// In 3.1.1.
    pub v3: Level,
    /// In 5.0.
    pub v5: Level,
}

/// Both versions say that it must be so.
pub(crate) const MUST: Levels = Levels {
    v3: Level::Must,
    v5: Level::Must,
};

/// Both versions recommend it.
pub(crate) const SHOULD: Levels = Levels {
    v3: Level::Should,
    v5: Level::Should,
};

/// What a client does about a server that breaks the standard: it must close the connection in 3.1.1 ([v3 MQTT-4.8.0-1]) and should in
/// 5.0 (section 4.13.1; the MUST of that section binds servers).
pub(crate) const CLOSES: Levels = Levels {
    v3: Level::Must,
    v5: Level::Should,
};

impl AnyCase for Case {
    const COMMAND_ENDS: &'static str = " -- COMMAND";

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

impl Case {
    /// How strongly they bind.
    #[must_use]
    pub const fn level(&self, version: Version) -> Level {
        match version {
            Version::V3_1_1 => self.levels.v3,
            Version::V5 => self.levels.v5,
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
