use crate::Instant;

/// Lets so many a second through, and after a quiet second as many at once: a bucket that holds a second's worth.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// Millionths of one that could still be let through.
    left: u64,
    /// When that was so; never, before the first.
    at: Option<Instant>,
}

impl Rate {
    /// Whether one more may pass now.
    pub(super) fn admits(&mut self, now: Instant, per_second: u32) -> bool {
        let full = u64::from(per_second) * ONE;
        self.left = match self.at {
            None => full,
            Some(at) => {
                let micros = u64::try_from(now.saturating_since(at).as_micros()).unwrap_or(u64::MAX);
                let more = micros.saturating_mul(per_second.into());
                self.left.saturating_add(more).min(full)
            }
        };
        self.at = Some(now);
        match self.left.checked_sub(ONE) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// One, in millionths: what one a second gains in a microsecond is one of them.
const ONE: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(rate: &mut Rate, at_micros: u64, of: usize, per_second: u32) -> usize {
        (0..of)
            .filter(|_| rate.admits(Instant::from_micros(at_micros), per_second))
            .count()
    }

    #[test]
    fn a_seconds_worth_passes_at_once_and_then_one_at_a_time() {
        let mut rate = Rate::default();
        assert_eq!(admitted(&mut rate, 5, 20, 10), 10);
        assert_eq!(admitted(&mut rate, 100_004, 20, 10), 0);
        assert_eq!(admitted(&mut rate, 100_005, 20, 10), 1);
        assert_eq!(admitted(&mut rate, 350_005, 20, 10), 2, "and a half is kept");
        assert_eq!(admitted(&mut rate, 400_005, 20, 10), 1);
    }

    #[test]
    fn a_quiet_year_earns_no_more_than_a_second() {
        let mut rate = Rate::default();
        assert!(rate.admits(Instant::ZERO, 3));
        assert_eq!(admitted(&mut rate, 31_536_000_000_000, 20, 3), 3);
    }

    #[test]
    fn at_a_rate_of_none_none_passes() {
        assert!(!Rate::default().admits(Instant::ZERO, 0));
    }
}
