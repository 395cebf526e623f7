use std::{ops::Range, str::FromStr};

/// Some seeds in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeds {
    first: u64,
    end: u64,
}

impl Seeds {
    pub(crate) const fn one(seed: u64) -> Self {
        Self {
            first: seed,
            end: seed.saturating_add(1),
        }
    }

    /// All there are.
    pub(crate) const fn all() -> Self {
        Self {
            first: 0,
            end: u64::MAX,
        }
    }

    /// The seed in this place.
    pub(crate) fn nth(self, place: u64) -> Option<u64> {
        self.first.checked_add(place).filter(|seed| *seed < self.end)
    }

    pub(crate) const fn count(self) -> u64 {
        self.end - self.first
    }

    pub(crate) const fn iter(self) -> Range<u64> {
        self.first..self.end
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write how many, or the first and the one after the last, such as 0..200".to_owned();
        let (first, end) = text.split_once("..").unwrap_or(("0", text));
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        let (first, end) = (number(first)?, number(end)?);
        if first < end {
            Ok(Self { first, end })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_does_not_hold_its_end() {
        let seeds: Seeds = "3..5".parse().unwrap();
        assert!(seeds.iter().eq([3, 4]));
        assert!(Seeds::one(7).iter().eq([7]));
        assert!("3".parse::<Seeds>().unwrap().iter().eq([0, 1, 2]));
    }

    #[test]
    fn what_is_no_range_of_seeds_is_refused() {
        for text in ["", "0", "5..5", "6..5", "a..b", "-1..5"] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }
}
