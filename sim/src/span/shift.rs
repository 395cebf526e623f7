use std::{borrow::Cow, fmt, str::FromStr};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Span, SpanError, WithUnit, millis};

/// Forwards or back: `1h`, `-1h`, or a range that one is drawn from, `-1h..1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShiftRange {
    min_ms: i64,
    max_ms: i64,
}

impl ShiftRange {
    /// One of them, and from then on no other.
    #[must_use]
    pub(crate) fn drawn(self, chance: &mut Pcg64Mcg) -> Self {
        let one = chance.random_range(self.min_ms..=self.max_ms);
        Self {
            min_ms: one,
            max_ms: one,
        }
    }

    /// The furthest forwards.
    pub const fn max_millis(self) -> i64 {
        self.max_ms
    }
}

fn parsed(text: &str) -> Result<i64, SpanError> {
    let (sign, length) = match text.trim().strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.trim().trim_start_matches('+')),
    };
    Ok(sign * i64::try_from(millis(length.parse()?)).unwrap_or(i64::MAX))
}

impl FromStr for ShiftRange {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let (min_ms, max_ms) = (parsed(min)?, parsed(max)?);
        if max_ms < min_ms {
            return Err(SpanError::Backwards(text.to_owned()));
        }
        Ok(Self { min_ms, max_ms })
    }
}

impl fmt::Display for ShiftRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |millis: i64, f: &mut fmt::Formatter<'_>| {
            let sign = if millis < 0 { "-" } else { "" };
            write!(f, "{sign}{}", Span::from_millis(millis.unsigned_abs()))
        };
        show(self.min_ms, f)?;
        if self.min_ms != self.max_ms {
            f.write_str("..")?;
            show(self.max_ms, f)?;
        }
        Ok(())
    }
}

written_with_unit!(
    ShiftRange,
    "ShiftRange",
    "a length of time forwards or back, such as `1h` or `-90s`, or a range to draw from, such as `-1h..1h`",
    r"^\s*[-+]?\s*(\d+\s*[a-z]+\s*)+(\.\.\s*[-+]?\s*(\d+\s*[a-z]+\s*)+)?$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_print_as_they_are_written() {
        for text in ["1h", "-1m 30s", "-1h..1h", "0s..250ms"] {
            assert_eq!(text.parse::<ShiftRange>().unwrap().to_string(), text);
        }
        assert_eq!("+5s".parse::<ShiftRange>().unwrap().to_string(), "5s");
    }

    #[test]
    fn what_is_no_shift_is_refused() {
        for text in ["1", "--1h", "1h..-1h", "-"] {
            assert!(text.parse::<ShiftRange>().is_err(), "{text}");
        }
    }
}
