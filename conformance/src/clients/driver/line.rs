//! A line of the driver protocol: a word, then `key=value` pairs, with everything in a value that is no letter, digit or one of `-._~/`
//! written as `%XX`.

use std::fmt;

/// A line to the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    verb: &'static str,
    values: Vec<(&'static str, String)>,
}

/// A line from the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The client was told.
    Ok,
    /// The client cannot be told so, and why.
    Error(String),
    /// Something happened to the client.
    Happened(Event),
}

/// What happens to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// CONNACK of success came.
    Connected,
    /// A connection ended.
    Disconnected,
    /// The application got a message.
    Message(Message),
}

/// A message as the application got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

impl Command {
    pub(crate) const fn new(verb: &'static str) -> Self {
        Self {
            verb,
            values: Vec::new(),
        }
    }

    /// A message to publish, not retained.
    pub(crate) fn publish(topic: &str, qos: u8, payload: &str) -> Self {
        let values = Self::new("publish").with("topic", topic).with("qos", qos);
        values.with("payload", payload)
    }

    /// A subscription.
    pub(crate) fn subscribe(filter: &str, qos: u8) -> Self {
        Self::new("subscribe").with("filter", filter).with("qos", qos)
    }

    /// The end of a subscription.
    pub(crate) fn unsubscribe(filter: &str) -> Self {
        Self::new("unsubscribe").with("filter", filter)
    }

    /// With this value, instead of any other the key has.
    pub(crate) fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.values.retain(|(known, _)| *known != key);
        self.values.push((key, value.to_string()));
        self
    }

    /// The words a driver must know to carry it out.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        [self.verb]
            .into_iter()
            .chain(self.values.iter().map(|(key, _)| *key))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb)?;
        for (key, value) in &self.values {
            write!(f, " {key}=")?;
            for byte in value.bytes() {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                        write!(f, "{}", char::from(byte))?;
                    }
                    other => write!(f, "%{other:02X}")?,
                }
            }
        }
        Ok(())
    }
}

impl Answer {
    /// `None` for what is no answer. Keys that are not known are for later versions.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim_end();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "ok" => Self::Ok,
            "error" => Self::Error(rest.into()),
            "connected" => Self::Happened(Event::Connected),
            "disconnected" => Self::Happened(Event::Disconnected),
            "message" => Self::Happened(Event::Message(Message {
                topic: String::from_utf8(value(rest, "topic")?).ok()?,
                payload: value(rest, "payload")?,
            })),
            _ => return None,
        })
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = String::from_utf8_lossy(&self.payload);
        write!(f, "a message on {:?}: {payload:?}", self.topic)
    }
}

fn value(pairs: &str, key: &str) -> Option<Vec<u8>> {
    let mut pairs = pairs.split(' ').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == key)?;
    decoded(value)
}

fn decoded(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.extend(hex::decode(digits).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_without_spaces_and_control_characters() {
        let command = Command::publish("a/+ b\0\u{fc}", 1, "").with("qos", 2);
        assert_eq!(
            command.to_string(),
            "publish topic=a/%2B%20b%00%C3%BC payload= qos=2"
        );
        assert!(command.words().eq(["publish", "topic", "payload", "qos"]));
    }

    #[test]
    fn what_the_driver_says_is_read_whatever_else_stands_there() {
        let message = Message {
            topic: "a b".into(),
            payload: vec![0xff],
        };
        let line = "message later=1 topic=a%20b payload=%ff";
        assert_eq!(
            Answer::parse(line),
            Some(Answer::Happened(Event::Message(message)))
        );
        assert_eq!(
            Answer::parse("error no such topic"),
            Some(Answer::Error("no such topic".into()))
        );
        assert_eq!(Answer::parse("ok\r"), Some(Answer::Ok));
        for wrong in ["", "okay", "message topic=%f", "message topic=a"] {
            assert_eq!(Answer::parse(wrong), None, "{wrong}");
        }
    }
}
