//! The broker's configuration: TOML in which nothing is ignored.

mod authentication;
mod durability;
mod error;
mod limits;
mod listener;
mod rules;
mod told;
mod units;

use std::{path::PathBuf, str::FromStr, time::Duration};

use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value},
};
use squall_proto::broker::{Limits, Rules, Settings, Told};
use tracing::level_filters::LevelFilter;

use crate::broker::Server;
pub use authentication::{Authentication, AuthenticationError};
pub use durability::Durability;
pub use error::ConfigError;
pub use listener::{Listener, Secure, Tcp, Unix, Ws};

/// All that can be configured. `docs/squall.toml` documents every key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where sessions and messages are kept.
    pub data_directory: Option<PathBuf>,
    /// What is waited for; see [`Config::durability`].
    pub durability: Option<Durability>,
    /// How long a stop waits for clients that were told, and for a store that fails.
    #[serde(with = "humantime_serde")]
    pub stop_timeout: Duration,
    /// How often the broker says under `$SYS` how it does; zero is never.
    #[serde(with = "humantime_serde")]
    pub sys_interval: Duration,
    /// Where clients connect.
    pub listeners: Vec<Listener>,
    /// Who may connect.
    pub authentication: Authentication,
    /// What is said on standard error.
    pub log: Log,
    /// What clients are granted.
    #[serde(with = "limits::Table")]
    pub limits: Limits,
    /// How strictly clients are judged.
    #[serde(with = "rules::Table")]
    pub rules: Rules,
    /// What clients are told.
    #[serde(with = "told::Table")]
    pub told: Told,
}

/// What is said on standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How much.
    pub level: LogLevel,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What the broker could not do.
    Error,
    /// What somebody should look at.
    Warn,
    /// Who connects, and why connections end.
    #[default]
    Info,
    /// What becomes of streams and messages.
    Debug,
    /// Everything.
    Trace,
}

/// Where the broker listens unless it is told otherwise: this machine alone, at the port registered for MQTT.
const ADDRESS: &str = "127.0.0.1:1883";

impl Config {
    /// Reads a configuration. `file` names it in errors.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, or a key or value is not one that there is.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::new(file, text, &error))
    }

    /// What the broker waits for before it acknowledges. If it is not said: the disk, if there is a data directory.
    pub fn durability(&self) -> Durability {
        let unsaid = match self.data_directory {
            Some(_) => Durability::Disk,
            None => Durability::Memory,
        };
        self.durability.unwrap_or(unsaid)
    }

    /// What of it the broker itself goes by.
    pub fn settings(&self) -> Settings {
        Settings {
            limits: self.limits.clone(),
            rules: self.rules,
            told: self.told.clone(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_directory: None,
            durability: None,
            stop_timeout: Server::STOP_TIMEOUT,
            sys_interval: Duration::from_secs(10),
            listeners: vec![Listener::tcp(ADDRESS)],
            authentication: Authentication::default(),
            log: Log::default(),
            limits: Limits::default(),
            rules: Rules::default(),
            told: Told::default(),
        }
    }
}

impl FromStr for LogLevel {
    type Err = value::Error;

    fn from_str(level: &str) -> Result<Self, value::Error> {
        Self::deserialize(level.into_deserializer())
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
