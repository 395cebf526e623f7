use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of what a broker acknowledged in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Durability {
    /// Messages that it answered with PUBACK.
    pub acknowledged_qos1: u64,
    /// Messages that it answered with PUBREC.
    pub acknowledged_qos2: u64,
    /// The ends of its process that nobody asked it for, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crashes: Vec<Crash>,
    /// What somebody did not get who had to, in the order in which it was acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
    /// What came to somebody at QoS 2 more often than it was published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<Duplicate>,
}

/// An end of the broker's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crash {
    /// Microseconds since the run began.
    pub at_micros: u64,
    /// The packet before it: who sent it, and what it was.
    pub after: String,
}

/// A message that was acknowledged and did not reach a subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// Its topic.
    pub topic: String,
    /// Its payload, or the beginning of it: `pub-2/0/17` is the seventeenth that `pub-2` published in step 0.
    pub message: String,
    /// The Client Identifier of who published it first.
    pub publisher: String,
    /// The Client Identifier of whom it did not reach.
    pub to: String,
    /// When the broker acknowledged it: microseconds since the run began.
    pub acknowledged_micros: u64,
    /// The crash that took it, counted from 1: the first after that, or the one that took its receiver's session, whichever
    /// came first. None if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<usize>,
}

/// A message that reached a subscriber at QoS 2 more often than it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// Its topic.
    pub topic: String,
    /// Its payload, or the beginning of it.
    pub message: String,
    /// The Client Identifier of whom it reached.
    pub to: String,
    /// How often it came beyond that.
    pub times: usize,
}
