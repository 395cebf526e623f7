//! A trace as JSON lines, and back. In reading order: this file (what a line holds), `told`, `write`, `read`, `version` (what both need to
//! know to say a packet in bytes).

mod read;
mod told;
mod version;
mod write;

pub use read::{TraceError, read_json_lines};
pub use write::write_json_lines;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use squall_proto::Version;

use self::told::ToldLine;
use super::{Held, Trace};

/// A run that was written down: which one it was, and its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The scenario, by the name of its file without its ending.
    pub scenario: String,
    /// Of the run. A peer may speak another.
    pub mqtt: Version,
    /// Of the run.
    pub seed: u64,
    /// Its history.
    pub trace: Trace,
}

/// One event of a run. Which of the optional keys it has depends on the kind of event; `from`, `to` and `text` are as a person
/// reads them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    scenario: Cow<'a, str>,
    mqtt: Cow<'a, str>,
    seed: u64,
    at_micros: u64,
    event: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wire: Option<u32>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    from: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    to: Cow<'a, str>,
    /// Of a connection's end: `FIN` or `RST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    how: Option<How>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host: Option<Cow<'a, str>>,
    /// How a host's process ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    down: Option<DownLine>,
    /// Whether what a host's process knew is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<bool>,
    /// Whom an administrator kicks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_session: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    touched: Option<u64>,
    /// The packet's type: `PUBLISH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    packet: Option<Cow<'a, str>>,
    /// The packet, or what is none, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    /// What a step or a fault is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    what: Option<Cow<'a, str>>,
    /// Of what a step missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    got: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<ToldLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    /// The event in words.
    text: Cow<'a, str>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Opened,
    Sent,
    Arrived,
    Unread,
    Bytes,
    Malformed,
    Closed,
    LetGo,
    Ended,
    HostDown,
    HostUp,
    HostPaused,
    HostResumed,
    Kicked,
    FaultBegan,
    FaultEnded,
    Application,
    Step,
    Missed,
    Held,
    Healed,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum How {
    #[serde(rename = "FIN")]
    Fin,
    #[serde(rename = "RST")]
    Reset,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DownLine {
    Stopped,
    Crashed,
    PowerLost,
}

/// How the end of a connection that is not a client's is called.
const BROKER: &str = "broker";
