use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use squall_proto::client::Why;

use super::{Again, Reconnect};

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

    /// How long to wait after a connection that lasted this long (zero for one that was never made) and ended for this reason. `None`: the
    /// client does not come back.
    pub(super) fn after_end(&mut self, lasted: Duration, why: Option<&Why>) -> Option<Duration> {
        match why.map_or(Again::AsUsual, |why| self.reconnect.again(why)) {
            Again::Never => None,
            Again::Slowly => {
                let half = self.reconnect.after_max / 2;
                Some(half + half.mul_f64(self.random.random()))
            }
            Again::AsUsual => Some(self.after(lasted)),
        }
    }

    fn after(&mut self, lasted: Duration) -> Duration {
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
    use squall_proto::{Disconnect, ReasonCode};

    use super::*;

    fn back_off(seed: u64) -> BackOff {
        let reconnect = Reconnect {
            after: Duration::from_secs(1)..=Duration::from_secs(2),
            after_max: Duration::from_secs(30),
            lasted: Duration::from_secs(10),
            ..Reconnect::default()
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

    #[test]
    fn what_another_attempt_does_not_mend_is_tried_slowly_or_not_again() {
        let disconnect = |code| Why::Server(Disconnect::of(code));
        let mut waits = back_off(1);
        for code in [
            ReasonCode::BadAuthenticationMethod,
            ReasonCode::ServerMoved,
            ReasonCode::NotAuthorized,
        ] {
            let wait = waits
                .after_end(Duration::from_secs(60), Some(&disconnect(code)))
                .unwrap();
            assert!(
                (Duration::from_secs(15)..=Duration::from_secs(30)).contains(&wait),
                "{wait:?}"
            );
        }
        let taken_over = disconnect(ReasonCode::SessionTakenOver);
        assert_eq!(waits.after_end(Duration::from_secs(60), Some(&taken_over)), None);
        let busy = disconnect(ReasonCode::ServerBusy);
        assert!(waits.after_end(Duration::ZERO, Some(&busy)).unwrap() <= Duration::from_secs(2));
        waits.reconnect.when_taken_over = Again::AsUsual;
        assert!(waits.after_end(Duration::ZERO, Some(&taken_over)).unwrap() <= Duration::from_secs(4));
    }
}
