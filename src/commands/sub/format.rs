//! `-F`: how `squall sub` prints a message.

use std::time::{SystemTime, UNIX_EPOCH};

use squall_node::client::Message;

/// A format, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Field(Field),
}

macro_rules! fields {
    ($($letter:literal: $name:ident,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Field {
            $($name,)+
        }

        impl Field {
            fn of(letter: char) -> Result<Self, String> {
                match letter {
                    $($letter => Ok(Self::$name),)+
                    _ => Err(format!("%{letter} is no field; there are {}", [$(concat!("%", $letter)),+].join(" "))),
                }
            }
        }
    };
}

fields! {
    'C': ContentType,
    'D': CorrelationData,
    'E': MessageExpiryInterval,
    'F': PayloadFormatIndicator,
    'I': Time,
    'J': JsonOfJson,
    'P': UserProperties,
    'R': ResponseTopic,
    'S': SubscriptionIdentifiers,
    'U': UnixTime,
    'X': PayloadUpperHex,
    'j': Json,
    'l': PayloadLength,
    'p': Payload,
    'q': Qos,
    'r': Retain,
    't': Topic,
    'x': PayloadHex,
}

#[derive(serde::Serialize)]
struct Json<'a> {
    tst: String,
    topic: &'a str,
    qos: u8,
    retain: u8,
    payloadlen: usize,
    payload: serde_json::Value,
}

impl Format {
    /// Reads a format; says what is wrong with one that is none.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match letters.next().ok_or("a field is missing after the last %")? {
                    '%' => bytes.push(b'%'),
                    letter => {
                        pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
                        pieces.push(Piece::Field(Field::of(letter)?));
                    }
                },
                '\\' => bytes.push(escaped(letters.next())?),
                '@' => match letters.next() {
                    Some('@') => bytes.push(b'@'),
                    _ => return Err("times are printed by %I and %U; @@ prints an @".to_owned()),
                },
                letter => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        pieces.push(Piece::Bytes(bytes));
        Ok(Self(pieces))
    }

    /// Appends the message.
    pub(super) fn print(&self, message: &Message, out: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Field(Field::Payload) => out.extend_from_slice(&message.payload),
                Piece::Field(field) => out.extend_from_slice(text(*field, message).as_bytes()),
            }
        }
    }
}

fn escaped(letter: Option<char>) -> Result<u8, String> {
    Ok(match letter {
        Some('\\') => b'\\',
        Some('0') => 0,
        Some('a') => 7,
        Some('e') => 27,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('v') => 11,
        _ => return Err(r"after \ comes one of \ 0 a e n r t v".to_owned()),
    })
}

fn text(field: Field, message: &Message) -> String {
    let properties = &message.properties;
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    match field {
        Field::ContentType => properties
            .content_type()
            .as_deref()
            .unwrap_or_default()
            .to_owned(),
        Field::CorrelationData => lossy(&properties.correlation_data().unwrap_or_default()),
        Field::MessageExpiryInterval => number(properties.message_expiry_interval()),
        Field::PayloadFormatIndicator => number(properties.payload_format_indicator().map(u32::from)),
        Field::ResponseTopic => properties
            .response_topic()
            .as_deref()
            .unwrap_or_default()
            .to_owned(),
        Field::SubscriptionIdentifiers => {
            let ids = properties
                .subscription_identifiers()
                .map(|id| id.value().to_string());
            ids.collect::<Vec<_>>().join(" ")
        }
        Field::UserProperties => {
            let users = properties
                .user_properties()
                .map(|(name, value)| format!("{name}:{value}"));
            users.collect::<Vec<_>>().join(" ")
        }
        Field::Json => json(message, lossy(&message.payload).into()),
        Field::JsonOfJson => {
            let value = serde_json::from_slice(&message.payload);
            json(message, value.unwrap_or_else(|_| lossy(&message.payload).into()))
        }
        Field::Payload => lossy(&message.payload),
        Field::PayloadHex => message.payload.iter().map(|byte| format!("{byte:02x}")).collect(),
        Field::PayloadUpperHex => message.payload.iter().map(|byte| format!("{byte:02X}")).collect(),
        Field::PayloadLength => message.payload.len().to_string(),
        Field::Qos => message.qos.value().to_string(),
        Field::Retain => u8::from(message.retain).to_string(),
        Field::Time => now_utc(),
        Field::Topic => message.topic.to_string(),
        Field::UnixTime => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            format!("{}.{:09}", since.as_secs(), since.subsec_nanos())
        }
    }
}

fn json(message: &Message, payload: serde_json::Value) -> String {
    let json = Json {
        tst: now_utc(),
        topic: &message.topic,
        qos: message.qos.value(),
        retain: message.retain.into(),
        payloadlen: message.payload.len(),
        payload,
    };
    serde_json::to_string(&json).unwrap_or_default()
}

fn now_utc() -> String {
    humantime::format_rfc3339_micros(SystemTime::now()).to_string()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use squall_proto::{Properties, Property, Qos, Text, TopicName};

    use super::*;

    fn printed(format: &str, payload: &'static [u8]) -> String {
        let name = |text| Text::new(text).unwrap();
        let message = Message {
            topic: TopicName::new("a/b").unwrap(),
            payload: payload.into(),
            qos: Qos::AtLeastOnce,
            retain: true,
            properties: [
                Property::ContentType(name("text")),
                Property::UserProperty(name("k"), name("v")),
                Property::UserProperty(name("k"), name("w")),
            ]
            .into_iter()
            .collect::<Properties>(),
        };
        let mut out = Vec::new();
        Format::parse(format).unwrap().print(&message, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_stand_for_parts_of_the_message() {
        assert_eq!(printed("%t %p %q %r %l%%\\n", b"hi"), "a/b hi 1 1 2%\n");
        assert_eq!(
            printed("%x|%X|%C|%P|%E|@@", b"\x0a\xff"),
            "0aff|0AFF|text|k:v k:w||@"
        );
    }

    #[test]
    fn json_holds_the_payload_as_text_or_as_json() {
        let tail = |text: String| text.split_once(",\"topic\"").unwrap().1.to_owned();
        assert_eq!(
            tail(printed("%j", b"{\"n\":1}")),
            r#":"a/b","qos":1,"retain":1,"payloadlen":7,"payload":"{\"n\":1}"}"#
        );
        assert_eq!(
            tail(printed("%J", b"{\"n\":1}")),
            r#":"a/b","qos":1,"retain":1,"payloadlen":7,"payload":{"n":1}}"#
        );
    }

    #[test]
    fn a_format_that_is_none_says_why() {
        for format in ["%", "%z", "%10t", "\\q", "@Y"] {
            assert!(Format::parse(format).is_err(), "{format}");
        }
    }
}
