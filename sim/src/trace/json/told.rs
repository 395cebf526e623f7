use bytes::Bytes;
use serde::{Deserialize, Serialize};
use squall_proto::{Qos, ReasonCode, TopicFilter, TopicName};

use crate::trace::{Outcome, Told};

/// What a client told its application, with payloads in hex.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ToldLine {
    Connected {
        session_present: bool,
    },
    Disconnected {
        why: String,
    },
    Message {
        topic: String,
        qos: u8,
        retain: bool,
        payload: String,
    },
    StoreFailed {
        why: String,
    },
    SubscriptionLost {
        filter: String,
    },
    Published {
        step: usize,
        payload: String,
        outcome: OutcomeLine,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OutcomeLine {
    /// The Reason Code.
    Answered(u8),
    /// Why.
    Failed(String),
}

impl From<&Told> for ToldLine {
    fn from(told: &Told) -> Self {
        match told {
            Told::Connected { session_present } => Self::Connected {
                session_present: *session_present,
            },
            Told::Disconnected { why } => Self::Disconnected { why: why.clone() },
            Told::Message {
                topic,
                qos,
                retain,
                payload,
            } => Self::Message {
                topic: topic.to_string(),
                qos: qos.value(),
                retain: *retain,
                payload: hex::encode(payload),
            },
            Told::StoreFailed { why } => Self::StoreFailed { why: why.clone() },
            Told::SubscriptionLost { filter } => Self::SubscriptionLost {
                filter: filter.to_string(),
            },
            Told::Published {
                step,
                payload,
                outcome,
            } => Self::Published {
                step: *step,
                payload: hex::encode(payload),
                outcome: match outcome {
                    Outcome::Answered(code) => OutcomeLine::Answered(code.value()),
                    Outcome::Failed(why) => OutcomeLine::Failed(why.clone()),
                },
            },
        }
    }
}

impl ToldLine {
    pub(super) fn read(self) -> Result<Told, String> {
        Ok(match self {
            Self::Connected { session_present } => Told::Connected { session_present },
            Self::Disconnected { why } => Told::Disconnected { why },
            Self::Message {
                topic,
                qos,
                retain,
                payload,
            } => Told::Message {
                topic: TopicName::new(&topic).map_err(|error| format!("`topic`: {error}"))?,
                qos: Qos::from_value(qos).ok_or_else(|| format!("there is no qos {qos}"))?,
                retain,
                payload: bytes(&payload)?,
            },
            Self::StoreFailed { why } => Told::StoreFailed { why },
            Self::SubscriptionLost { filter } => Told::SubscriptionLost {
                filter: TopicFilter::new(&filter).map_err(|error| format!("`filter`: {error}"))?,
            },
            Self::Published {
                step,
                payload,
                outcome,
            } => Told::Published {
                step,
                payload: bytes(&payload)?,
                outcome: outcome.read()?,
            },
        })
    }
}

impl OutcomeLine {
    fn read(self) -> Result<Outcome, String> {
        match self {
            Self::Answered(code) => match ReasonCode::from_value(code) {
                Some(code) => Ok(Outcome::Answered(code)),
                None => Err(format!("there is no reason code {code}")),
            },
            Self::Failed(why) => Ok(Outcome::Failed(why)),
        }
    }
}

fn bytes(payload: &str) -> Result<Bytes, String> {
    let bytes = hex::decode(payload).map_err(|error| format!("`payload` is no hex: {error}"))?;
    Ok(bytes.into())
}
