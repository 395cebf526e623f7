//! Lengths of time as scenarios write them: `8s`, `1m 30s`, `5ms..40ms`. A unit is never optional.

use std::{borrow::Cow, fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time. Written with its unit; whole milliseconds, the grain of virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

/// A range of lengths of time that one is drawn from, both ends included. `5ms` alone means exactly that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanRange {
    min: Span,
    max: Span,
}

/// Why something is no [`Span`] or [`SpanRange`], with what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Not a number with a unit.
    #[error(
        "`{text}` is no length of time: {why}; write a number and its unit, such as `8s`, `250ms` or `1m 30s`"
    )]
    NotATime {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Finer than virtual time.
    #[error("`{0}` is finer than a millisecond, the grain of virtual time")]
    TooFine(String),
    /// The end lies before the beginning.
    #[error("`{0}` ends before it begins; write the shorter time first, such as `5ms..40ms`")]
    Backwards(String),
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// As a [`Duration`], whole milliseconds.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl SpanRange {
    /// No time at all.
    pub const ZERO: Self = Self {
        min: Span::ZERO,
        max: Span::ZERO,
    };

    /// From `min` to `max`; `None` when `max` is shorter.
    pub fn new(min: Span, max: Span) -> Option<Self> {
        (min <= max).then_some(Self { min, max })
    }

    /// Whether it is no time at all.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// The shortest.
    pub const fn min(self) -> Span {
        self.min
    }

    /// The longest.
    pub const fn max(self) -> Span {
        self.max
    }

    /// One of them, and from then on no other: both ends are that one.
    #[must_use]
    pub(crate) fn drawn(self, chance: &mut Pcg64Mcg) -> Self {
        Self::from(Span::from_millis(chance.random_range(self.millis())))
    }

    /// Both ends in milliseconds, to draw from.
    pub fn millis(self) -> RangeInclusive<u64> {
        millis(self.min)..=millis(self.max)
    }
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX)
}

impl From<Span> for SpanRange {
    fn from(span: Span) -> Self {
        Self { min: span, max: span }
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let duration = humantime::parse_duration(text.trim()).map_err(|error| SpanError::NotATime {
            text: text.to_owned(),
            why: error.to_string(),
        })?;
        if duration.subsec_nanos().is_multiple_of(1_000_000) {
            Ok(Self(duration))
        } else {
            Err(SpanError::TooFine(text.to_owned()))
        }
    }
}

impl FromStr for SpanRange {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let Some((min, max)) = text.split_once("..") else {
            return text.parse::<Span>().map(Self::from);
        };
        Self::new(min.parse()?, max.parse()?).ok_or_else(|| SpanError::Backwards(text.to_owned()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl fmt::Display for SpanRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            self.min.fmt(f)
        } else {
            write!(f, "{}..{}", self.min, self.max)
        }
    }
}

/// Reads what is written with a unit, and tells who wrote a bare number what is missing.
struct WithUnit<T> {
    expecting: &'static str,
    parse: fn(&str) -> Result<T, SpanError>,
}

impl<T> de::Visitor<'_> for WithUnit<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! written_with_unit {
    ($type:ty, $name:literal, $expecting:literal, $pattern:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(WithUnit {
                    expecting: $expecting,
                    parse: str::parse,
                })
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $expecting, "pattern": $pattern })
            }
        }
    };
}

written_with_unit!(
    Span,
    "Span",
    "a length of time with its unit, such as `8s`, `250ms` or `1m 30s`",
    r"^\s*(\d+\s*[a-z]+\s*)+$"
);
written_with_unit!(
    SpanRange,
    "SpanRange",
    "a length of time with its unit, such as `20ms`, or a range to draw from, such as `5ms..40ms`",
    r"^\s*(\d+\s*[a-z]+\s*)+(\.\.\s*(\d+\s*[a-z]+\s*)+)?$"
);

mod shift;
pub use shift::ShiftRange;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_ranges_print_as_they_are_written() {
        for text in ["0s", "8s", "250ms", "1m 30s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
            assert_eq!(text.parse::<SpanRange>().unwrap().to_string(), text);
        }
        assert_eq!("5ms..40ms".parse::<SpanRange>().unwrap().to_string(), "5ms..40ms");
    }

    #[test]
    fn what_is_no_length_of_time_is_refused_with_what_would_be_one() {
        let refused: Vec<String> = ["8", "eight", "", "1us", "40ms..5ms", "5ms.."]
            .into_iter()
            .map(|text| text.parse::<SpanRange>().unwrap_err().to_string())
            .collect();
        assert!(refused[0].contains("unit"), "{refused:?}");
        assert!(refused[3].contains("millisecond"), "{refused:?}");
        assert!(refused[4].contains("shorter time first"), "{refused:?}");
    }
}
