use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::Reconnect;

/// The waits between connections.
#[derive(Debug)]
pub(super) struct BackOff {
    reconnect: Reconnect,
    failures: u32,
    random: Pcg64Mcg,
}

impl BackOff {
    pub(super) fn new(reconnect: Reconnect, seed: u64) -> Self {
        Self {
            reconnect,
            failures: 0,
            random: Pcg64Mcg::seed_from_u64(seed),
        }
    }

    /// How long to wait after a connection that lasted this long; zero for one that was never made.
    pub(super) fn after(&mut self, lasted: Duration) -> Duration {
        if lasted >= self.reconnect.lasted && !lasted.is_zero() {
            self.failures = 0;
        }
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let [first, last] = [self.reconnect.after.start(), self.reconnect.after.end()]
            .map(|bound| bound.saturating_mul(factor).min(self.reconnect.after_max));
        first + last.saturating_sub(first).mul_f64(self.random.random())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back_off(seed: u64) -> BackOff {
        let reconnect = Reconnect {
            after: Duration::from_secs(1)..=Duration::from_secs(2),
            after_max: Duration::from_secs(30),
            lasted: Duration::from_secs(10),
        };
        BackOff::new(reconnect, seed)
    }

    #[test]
    fn the_wait_doubles_with_every_failure_up_to_its_maximum() {
        let mut waits = back_off(1);
        for (first, last) in [(1, 2), (2, 4), (4, 8), (8, 16), (16, 30), (30, 30)] {
            let wait = waits.after(Duration::ZERO);
            assert!(
                (Duration::from_secs(first)..=Duration::from_secs(last)).contains(&wait),
                "{wait:?}"
            );
        }
        for _ in 0..1000 {
            assert_eq!(waits.after(Duration::ZERO), Duration::from_secs(30));
        }
    }

    #[test]
    fn a_connection_that_ends_too_soon_is_a_failure_and_one_that_lasted_is_none() {
        let mut waits = back_off(1);
        waits.after(Duration::ZERO);
        assert!(waits.after(Duration::from_millis(9_999)) >= Duration::from_secs(2));
        assert!(waits.after(Duration::from_secs(10)) <= Duration::from_secs(2));
    }

    #[test]
    fn clients_with_other_seeds_wait_other_times() {
        let wait = |seed| back_off(seed).after(Duration::ZERO);
        assert_eq!(wait(7), wait(7));
        assert_ne!(wait(7), wait(8));
    }
}
