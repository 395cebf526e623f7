//! `-F`: how `squall sub` prints a message.

mod json;

use jiff::{Zoned, fmt::strtime};
use squall_node::client::Message;

use self::json::json;

/// A format, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Field(Field, Room),
    /// As strftime has it.
    Time(String),
}

/// What stands between the % and the letter of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Room {
    /// `-`: the padding comes behind.
    left: bool,
    /// `0`: the padding before it is of zeros.
    zeros: bool,
    /// Bytes that it takes at least.
    width: usize,
    /// Bytes that it takes at most.
    precision: Option<usize>,
}

/// The largest width and precision.
const ROOM_MAX: usize = 9999;

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

impl Format {
    /// Reads a format; says what is wrong with one that is none.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        let mut letters = format.chars().peekable();
        while let Some(letter) = letters.next() {
            let piece = match letter {
                '%' if letters.next_if_eq(&'%').is_some() => {
                    bytes.push(b'%');
                    continue;
                }
                '@' if letters.next_if_eq(&'@').is_some() => {
                    bytes.push(b'@');
                    continue;
                }
                '%' => {
                    let room = Room::parse(&mut letters)?;
                    let letter = letters.next().ok_or("a field is missing after the last %")?;
                    Piece::Field(Field::of(letter)?, room)
                }
                '@' => Piece::Time(time(letters.next())?),
                '\\' => {
                    bytes.push(escaped(letters.next())?);
                    continue;
                }
                letter => {
                    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
            };
            pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
            pieces.push(piece);
        }
        pieces.push(Piece::Bytes(bytes));
        Ok(Self(pieces))
    }

    /// Appends the message, and what is JSON in it with a line a member if that is wanted.
    pub(super) fn print(&self, message: &Message, pretty: bool, out: &mut Vec<u8>) {
        let now = Zoned::now();
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Field(Field::Payload, room) => room.print(&message.payload, out),
                Piece::Field(field, room) => {
                    room.print(text(*field, message, &now, pretty).as_bytes(), out);
                }
                Piece::Time(format) => out.extend_from_slice(now.strftime(format).to_string().as_bytes()),
            }
        }
    }
}

impl Room {
    fn parse(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Self, String> {
        let mut room = Self::default();
        while let Some(flag) = letters.next_if(|letter| matches!(letter, '-' | '0')) {
            room.left |= flag == '-';
            room.zeros |= flag == '0';
        }
        room.width = number(letters)?.unwrap_or(0);
        if letters.next_if_eq(&'.').is_some() {
            room.precision = Some(number(letters)?.unwrap_or(0));
        }
        Ok(room)
    }

    fn print(self, text: &[u8], out: &mut Vec<u8>) {
        let text = text.get(..self.precision.unwrap_or(usize::MAX)).unwrap_or(text);
        let padding = self.width.saturating_sub(text.len());
        let pad = if self.zeros && !self.left { b'0' } else { b' ' };
        if !self.left {
            out.extend(std::iter::repeat_n(pad, padding));
        }
        out.extend_from_slice(text);
        if self.left {
            out.extend(std::iter::repeat_n(pad, padding));
        }
    }
}

fn number(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, String> {
    let mut number = None;
    while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
        letters.next();
        let digit = usize::try_from(digit).unwrap_or_default();
        let longer = number.unwrap_or(0) * 10 + digit;
        if longer > ROOM_MAX {
            return Err(format!("a field has {ROOM_MAX} bytes at most"));
        }
        number = Some(longer);
    }
    Ok(number)
}

/// `@Y` is what strftime has for `%Y`; `@N` the nanoseconds of the second.
fn time(letter: Option<char>) -> Result<String, String> {
    let format = match letter {
        Some('N') => "%9f".to_owned(),
        Some(letter) => format!("%{letter}"),
        None => return Err("a letter is missing after the last @".to_owned()),
    };
    match strtime::format(&format, &Zoned::now()) {
        Ok(_) => Ok(format),
        Err(_) => Err(format!(
            "@{} is no part of a time, see strftime",
            letter.unwrap_or_default()
        )),
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

fn text(field: Field, message: &Message, now: &Zoned, pretty: bool) -> String {
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
        Field::Json => json(message, now, lossy(&message.payload).into(), pretty),
        Field::JsonOfJson => {
            let value = serde_json::from_slice(&message.payload);
            let value = value.unwrap_or_else(|_| lossy(&message.payload).into());
            json(message, now, value, pretty)
        }
        Field::Payload => lossy(&message.payload),
        Field::PayloadHex => message.payload.iter().map(|byte| format!("{byte:02x}")).collect(),
        Field::PayloadUpperHex => message.payload.iter().map(|byte| format!("{byte:02X}")).collect(),
        Field::PayloadLength => message.payload.len().to_string(),
        Field::Qos => message.qos.value().to_string(),
        Field::Retain => u8::from(message.retain).to_string(),
        Field::Time => now.strftime("%Y-%m-%dT%H:%M:%S%z").to_string(),
        Field::Topic => message.topic.to_string(),
        Field::UnixTime => {
            let since = now.timestamp();
            format!("{}.{:09}", since.as_second(), since.subsec_nanosecond())
        }
    }
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
        Format::parse(format).unwrap().print(&message, false, &mut out);
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
    fn a_field_takes_the_room_it_is_given() {
        for (format, text) in [
            ("[%10t]", "[       a/b]"),
            ("[%-10t]", "[a/b       ]"),
            ("[%.1t]", "[a]"),
            ("[%4.2p]", "[  pa]"),
            ("[%04l]", "[0007]"),
            ("[%-04l]", "[7   ]"),
            ("[%2p]", "[payload]"),
        ] {
            assert_eq!(printed(format, b"payload"), text, "{format}");
        }
    }

    #[test]
    fn times_are_as_strftime_has_them() {
        let text = printed("@Y-@m-@d @H:@M:@S.@N @s %U %I", b"");
        let [date, time, seconds, unix, iso] = text.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{text}")
        };
        assert_eq!(
            (date.len(), time.len()),
            ("2026-01-02".len(), "03:04:05.678901234".len())
        );
        assert!(unix.starts_with(seconds) && iso.starts_with(date), "{text}");
    }

    #[test]
    fn json_holds_the_payload_as_text_or_as_json() {
        let tail = |text: String| text.split_once(",\"topic\"").unwrap().1.to_owned();
        assert_eq!(
            tail(printed("%j", b"{\"n\":1}")),
            concat!(
                r#":"a/b","qos":1,"retain":1,"payloadlen":7,"properties":{"content-type":"text","#,
                r#""user-properties":[{"k":"v"},{"k":"w"}]},"payload":"{\"n\":1}"}"#
            )
        );
        assert_eq!(
            tail(printed("%J", b"{\"n\":1}")),
            concat!(
                r#":"a/b","qos":1,"retain":1,"payloadlen":7,"properties":{"content-type":"text","#,
                r#""user-properties":[{"k":"v"},{"k":"w"}]},"payload":{"n":1}}"#
            )
        );
    }

    #[test]
    fn a_format_that_is_none_says_why() {
        for format in ["%", "%z", "%10", "%12345t", "\\q", "@", "@!"] {
            assert!(Format::parse(format).is_err(), "{format}");
        }
    }
}
