use serde::de::Visitor;

use crate::scenario::wrong::Wrong;

/// What a scalar says that is written without quotes, if that is no text.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Fraction(f64),
}

impl Scalar {
    pub(super) fn read(text: &str) -> Option<Self> {
        truth(text).map(Self::Bool).or_else(|| Self::number(text))
    }

    pub(super) fn number(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        if let Some(number) = whole(unsigned) {
            return Some(Self::Whole(number));
        }
        if let Some(number) = text.strip_prefix('-').and_then(whole) {
            return 0_i64.checked_sub_unsigned(number).map(Self::Negative);
        }
        // Rust has words for numbers that are none, YAML has others.
        let is_decimal = text.contains(|c: char| c.is_ascii_digit()) && !text.contains('_');
        let number = is_decimal.then(|| text.parse().ok()).flatten();
        number.map(Self::Fraction)
    }

    pub(super) fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Whole(number) => visitor.visit_u64(number),
            Self::Negative(number) => visitor.visit_i64(number),
            Self::Fraction(number) => visitor.visit_f64(number),
        }
    }
}

/// The words of all versions of YAML.
pub(super) fn truth(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "y", "on"]) {
        Some(true)
    } else if is_one_of(["false", "no", "n", "off"]) {
        Some(false)
    } else {
        None
    }
}

fn whole(digits: &str) -> Option<u64> {
    let by_radix = [("0x", 16), ("0o", 8), ("0b", 2), ("", 10)];
    let (digits, radix) = by_radix
        .into_iter()
        .find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, radix)))?;
    let is_digits = digits.starts_with(|c: char| c.is_ascii_alphanumeric()) && !digits.ends_with('_');
    let digits = digits.replace('_', "");
    is_digits
        .then(|| u64::from_str_radix(&digits, radix).ok())
        .flatten()
}
