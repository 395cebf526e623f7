use std::fmt;

use bytes::Bytes;
use squall_proto::{Qos, ReasonCode, TopicFilter, TopicName};

/// What a client tells its application: what the application sees of MQTT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The server accepted a connection.
    Connected {
        /// Whether it still has the session.
        session_present: bool,
    },
    /// A connection ended, or was refused.
    Disconnected {
        /// Why, in the client's words.
        why: String,
    },
    /// An Application Message: the application has handled it.
    Message {
        /// Where it was published.
        topic: TopicName,
        /// The QoS it came at.
        qos: Qos,
        /// RETAIN.
        retain: bool,
        /// What was published.
        payload: Bytes,
    },
    /// The server had lost the session, and refused to renew this subscription.
    SubscriptionLost {
        /// Which.
        filter: TopicFilter,
    },
    /// The session cannot be kept, or not be had back: the client has ended.
    StoreFailed {
        /// Why, in the client's words.
        why: String,
    },
    /// What became of a message that the application published.
    Published {
        /// The place of the publish among the scenario's steps, from 0.
        step: usize,
        /// What was published.
        payload: Bytes,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What became of a message that an application published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server has answered it, with an error from 0x80; at QoS 0 it was sent.
    Answered(ReasonCode),
    /// It failed, and why in the client's words.
    Failed(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { session_present } => {
                write!(f, "is connected, session present {}", u8::from(*session_present))
            }
            Self::Disconnected { why } => write!(f, "is disconnected: {why}"),
            Self::Message {
                topic, qos, payload, ..
            } => {
                let (topic, payload) = (topic.text().as_str(), crate::checks::shown(payload));
                write!(f, "hands over q{} {topic:?} {payload}", qos.value())
            }
            Self::StoreFailed { why } => write!(f, "cannot go on: {why}"),
            Self::SubscriptionLost { filter } => {
                write!(f, "has lost its subscription to {:?}", filter.text().as_str())
            }
            Self::Published { payload, outcome, .. } => {
                write!(f, "has published {}: {outcome}", crate::checks::shown(payload))
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(code) => write!(f, "{code}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}
