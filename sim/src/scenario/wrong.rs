//! What is wrong with a scenario file, and where.

use std::{error, fmt, sync::Arc};

use miette::NamedSource;
use serde::de;
use serde_saphyr::{Error, Location};

use super::{ScenarioError, Step, expand, nearest::nearest};

/// What is wrong, before it is known how the file is called.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: Option<Location>,
    pub(super) message: String,
    pub(super) mend: Option<String>,
}

impl Wrong {
    /// Something wrong with the whole file.
    pub(super) fn new(message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            at: None,
            message: message.into(),
            mend: Some(mend.into()),
        }
    }

    /// Something wrong at a place.
    pub(super) fn at(at: Location, message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            at: Some(at),
            ..Self::new(message, mend)
        }
    }

    /// A word that nobody knows, and the nearest that somebody does.
    pub(super) fn word<'a>(
        at: Location,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let mend = match nearest(word, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => "there is none".to_owned(),
            None => format!("known are {}", known.join(", ")),
        };
        Self::at(at, format!("{what} `{word}`"), mend)
    }

    pub(super) fn empty() -> Self {
        Self {
            at: None,
            message: "the file is empty".to_owned(),
            mend: Some("a scenario has at least `name`, `why`, `clients`, `steps` and `expect`".to_owned()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the reader knows many errors, and says most of them well"
    )]
    pub(super) fn of_yaml(error: &Error, text: &str) -> Self {
        let at = error.location();
        match error {
            Error::DuplicateMappingKey { key, .. } => Self {
                at,
                ..Self::twice(key.as_deref().unwrap_or("a key"))
            },
            Error::Eof { .. } if text.trim().is_empty() => Self::empty(),
            other => Self {
                at,
                message: without_place(&other.to_string()),
                mend: None,
            },
        }
    }

    fn twice(key: &str) -> Self {
        Self::new(format!("`{key}` comes twice"), "keep one of the two")
    }

    /// The same at a place, if it has none yet.
    pub(super) fn or_at(self, at: Location) -> Self {
        Self {
            at: self.at.or(Some(at)),
            ..self
        }
    }

    pub(super) fn located(self, file: &str, text: &str) -> ScenarioError {
        let (line, column) = self.at.map_or((1, 1), |at| (at.line(), at.column()));
        let span = self.at.map(|at| at.span());
        let length = span.and_then(|span| span.byte_len()).unwrap_or(0);
        let begin = byte_of(text, line, column);
        let (line, column) = place(text, begin);
        ScenarioError::Wrong {
            message: self.message,
            line,
            column,
            mend: self.mend,
            text: Arc::new(NamedSource::new(file, text.to_owned()).with_language("yaml")),
            at: (
                begin,
                first_line(text, begin, usize::try_from(length).unwrap_or(0)),
            )
                .into(),
        }
    }
}

/// What the types of a scenario say is wrong. Whoever gave them what they refused knows the place.
impl de::Error for Wrong {
    /// Our own messages say the mend after a semicolon.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        let (message, mend) = match message.split_once("; ") {
            Some((message, mend)) => (message.to_owned(), Some(mend.to_owned())),
            None => (message, None),
        };
        Self {
            at: None,
            message,
            mend,
        }
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self {
            at: None,
            message: format!("{unexpected} where {expected} should stand"),
            mend: None,
        }
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        unknown("word", variant, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        unknown("key", field, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` is missing"), format!("add `{field}: ..`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::twice(field)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Wrong {}

/// Where a line and column of YAML, both from 1 and in characters, begin in the bytes of the text. YAML breaks lines at a lone
/// carriage return too.
fn byte_of(text: &str, line: u64, column: u64) -> usize {
    let mut begin = 0;
    for _ in 1..line {
        let rest = text.get(begin..).unwrap_or_default();
        let Some(at) = rest.find(['\r', '\n']) else {
            return text.len();
        };
        let both = rest.get(at..).is_some_and(|rest| rest.starts_with("\r\n"));
        begin += at + 1 + usize::from(both);
    }
    let characters = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let in_line = text.get(begin..).unwrap_or_default().chars().take(characters);
    begin + in_line.map(char::len_utf8).sum::<usize>()
}

/// The line and column of a byte as editors count them, both from 1 and in characters.
fn place(text: &str, begin: usize) -> (u64, u64) {
    let before = text.get(..begin).unwrap_or(text);
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    (line, column)
}

/// As many of `length` bytes as stand on one line.
fn first_line(text: &str, begin: usize, length: usize) -> usize {
    let rest = text.get(begin..).unwrap_or_default();
    let line = rest.find('\n').unwrap_or(rest.len());
    rest.ceil_char_boundary(length.min(line))
}

fn unknown(what: &str, word: &str, expected: &[&'static str]) -> Wrong {
    // A step reads its keys itself: they are too many for one static list.
    let known: Vec<&str> = if expected.is_empty() {
        Step::keys().chain(expand::step_keys()).collect()
    } else if expected.contains(&"steps") {
        expected.iter().chain(expand::FILE_KEYS).copied().collect()
    } else {
        expected.to_vec()
    };
    let mend = match nearest(word, known.iter().copied()) {
        Some(meant) if known.len() > 4 => format!("did you mean `{meant}`?"),
        Some(_) | None => format!("known here: {}", known.join(", ")),
    };
    Wrong::new(format!("unknown {what} `{word}`"), mend)
}

/// The place is said once, in front.
fn without_place(message: &str) -> String {
    match message.split_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => message.to_owned(),
    }
}
