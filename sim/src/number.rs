//! Numbers as scenarios write them: `3`, or `3..30`, of which the seed draws one.

use std::{borrow::Cow, fmt, ops::RangeInclusive, str::FromStr};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number from `LEAST` to `MOST`, or a range of them that one is drawn from, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberRange<const LEAST: u64, const MOST: u64> {
    min: u64,
    max: u64,
}

/// How many, or which of many: 1 or more.
pub type Count = NumberRange<1, { u64::MAX }>;

/// Of a hundred.
pub type Percent = NumberRange<0, 100>;

/// Why something is no [`NumberRange`], with what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a number.
    #[error("`{0}` is no number; write one, such as `3`, or a range to draw from, such as `3..30`")]
    NotANumber(String),
    /// Out of bounds.
    #[error("`{0}` is too small; the least is {1}")]
    TooSmall(u64, u64),
    /// Out of bounds.
    #[error("`{0}` is too large; the most is {1}")]
    TooLarge(u64, u64),
    /// The end lies before the beginning.
    #[error("`{0}..{1}` ends before it begins; write the smaller number first: `{1}..{0}`")]
    Backwards(u64, u64),
}

impl<const LEAST: u64, const MOST: u64> NumberRange<LEAST, MOST> {
    /// From `min` to `max`.
    ///
    /// # Errors
    ///
    /// When `max` is smaller than `min`, or one of them is out of bounds.
    pub const fn new(min: u64, max: u64) -> Result<Self, NumberError> {
        if min < LEAST {
            Err(NumberError::TooSmall(min, LEAST))
        } else if max > MOST {
            Err(NumberError::TooLarge(max, MOST))
        } else if max < min {
            Err(NumberError::Backwards(min, max))
        } else {
            Ok(Self { min, max })
        }
    }

    /// The smallest number there is of the kind.
    pub const LEAST: Self = Self {
        min: LEAST,
        max: LEAST,
    };

    /// The smallest that is drawn.
    pub const fn min(self) -> u64 {
        self.min
    }

    /// The largest that is drawn.
    pub const fn max(self) -> u64 {
        self.max
    }

    /// Both ends, to draw from.
    pub const fn range(self) -> RangeInclusive<u64> {
        self.min..=self.max
    }

    /// One of them, and from then on no other.
    #[must_use]
    pub(crate) fn drawn(self, chance: &mut Pcg64Mcg) -> Self {
        let one = chance.random_range(self.range());
        Self { min: one, max: one }
    }
}

impl<const LEAST: u64, const MOST: u64> FromStr for NumberRange<LEAST, MOST> {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let number = |part: &str| {
            let part = part.trim().parse();
            part.map_err(|_| NumberError::NotANumber(text.to_owned()))
        };
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        Self::new(number(min)?, number(max)?)
    }
}

impl<const LEAST: u64, const MOST: u64> fmt::Display for NumberRange<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            self.min.fmt(f)
        } else {
            write!(f, "{}..{}", self.min, self.max)
        }
    }
}

impl<const LEAST: u64, const MOST: u64> Serialize for NumberRange<LEAST, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.min == self.max {
            serializer.serialize_u64(self.min)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for NumberRange<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor<const LEAST: u64, const MOST: u64>;

impl<const LEAST: u64, const MOST: u64> de::Visitor<'_> for NumberVisitor<LEAST, MOST> {
    type Value = NumberRange<LEAST, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, such as `3`, or a range to draw from, such as `3..30`")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        NumberRange::new(number, number).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_err(E::custom)
    }
}

impl<const LEAST: u64, const MOST: u64> JsonSchema for NumberRange<LEAST, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("NumberRange{LEAST}To{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = if MOST == u64::MAX {
            serde_json::json!({ "type": "integer", "minimum": LEAST })
        } else {
            serde_json::json!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
        };
        json_schema!({
            "anyOf": [number, { "type": "string", "pattern": r"^\s*\d+\s*(\.\.\s*\d+\s*)?$" }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::generator;

    #[test]
    fn numbers_and_ranges_are_written_as_they_are_read() {
        for yaml in ["3", "3..30"] {
            let number: Count = serde_saphyr::from_str(yaml).unwrap();
            assert_eq!(number.to_string(), yaml);
            let written = serde_saphyr::to_string(&number).unwrap();
            assert_eq!(written.trim().trim_matches('"'), yaml);
            assert_eq!(serde_saphyr::from_str::<Count>(&written).unwrap(), number);
        }
    }

    #[test]
    fn what_is_no_number_in_bounds_is_refused_with_what_would_be_one() {
        for (yaml, says) in [
            ("many", "such as `3`"),
            ("-1", "no number"),
            ("1.5", "no number"),
            ("3..", "no number"),
            ("101", "the most is 100"),
            ("30..3", "write the smaller number first: `3..30`"),
        ] {
            let error = serde_saphyr::from_str::<Percent>(yaml).unwrap_err().to_string();
            assert!(error.contains(says), "{yaml}: {error}");
        }
        assert_eq!(Count::new(0, 3), Err(NumberError::TooSmall(0, 1)));
    }

    #[test]
    fn every_number_of_a_range_is_drawn_and_no_other() {
        let range = Count::new(3, 5).unwrap();
        let mut chance = generator(0, "test");
        let mut drawn: Vec<u64> = (0..100).map(|_| range.drawn(&mut chance).max()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [3, 4, 5]);
    }
}
