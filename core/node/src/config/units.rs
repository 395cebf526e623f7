use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A number of bytes, written as a number or with a unit: `512`, `"64KiB"`, `"2 MB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

/// A number that must not be zero.
pub(super) fn at_least_one<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default + PartialEq,
{
    let number = T::deserialize(deserializer)?;
    if number == T::default() {
        return Err(D::Error::custom("expected at least 1"));
    }
    Ok(number)
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes such as 512, \"64KiB\" or \"1MB\"")
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes)
            .map(Size)
            .map_err(|_| E::custom("expected no negative number of bytes"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        parse(text).map(Size).ok_or_else(|| {
            E::custom(format!(
                "`{text}` is no number of bytes: expected one such as 512, 64KiB or 1MB"
            ))
        })
    }
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        let sizes = ["0", "17", "17B", "64KiB", "64 KiB", "2MB", "1MiB", "1GiB", "3GB"].map(parse);
        let expected = [
            0,
            17,
            17,
            65_536,
            65_536,
            2_000_000,
            1_048_576,
            1 << 30,
            3_000_000_000,
        ];
        assert_eq!(sizes, expected.map(Some));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "KiB", "-1", "1.5MiB", "1 kib", "1Mb", "99999999999GiB", "ü"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
