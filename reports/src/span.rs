//! Lengths of time as people say them.

use std::fmt;

const MILLI: u64 = 1_000;
const SECOND: u64 = 1_000 * MILLI;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Microseconds; prints with two or three digits that matter: `840 us`, `1.3 ms`, `12.0 s`, `2 h 05 min`.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |unit: u64| (self.0 / unit, self.0 % unit * 10 / unit);
        match self.0 {
            0..MILLI => write!(f, "{} us", self.0),
            MILLI..SECOND => {
                let (whole, tenth) = tenths(MILLI);
                write!(f, "{whole}.{tenth} ms")
            }
            SECOND..MINUTE => {
                let (whole, tenth) = tenths(SECOND);
                write!(f, "{whole}.{tenth} s")
            }
            MINUTE..HOUR => write!(f, "{} min {:02} s", self.0 / MINUTE, self.0 % MINUTE / SECOND),
            HOUR.. => write!(f, "{} h {:02} min", self.0 / HOUR, self.0 % HOUR / MINUTE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_begins_where_the_one_below_ends() {
        let shown = [
            0,
            999,
            1_000,
            999_999,
            1_000_000,
            59_999_999,
            60_000_000,
            3_599_999_999,
            7_500_000_000,
        ]
        .map(|micros| Span(micros).to_string());
        assert_eq!(
            shown,
            [
                "0 us",
                "999 us",
                "1.0 ms",
                "999.9 ms",
                "1.0 s",
                "59.9 s",
                "1 min 00 s",
                "59 min 59 s",
                "2 h 05 min"
            ]
        );
    }
}
