use std::{fmt, str::FromStr};

use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value},
};

/// What a broker waits for before it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Nothing: all is lost with the process.
    Memory,
    /// The operating system has it: it outlives the process, not a loss of power.
    Os,
    /// The disk has it.
    Disk,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Os => "os",
            Self::Disk => "disk",
        })
    }
}

impl FromStr for Durability {
    type Err = value::Error;

    fn from_str(durability: &str) -> Result<Self, value::Error> {
        Self::deserialize(durability.into_deserializer())
    }
}
