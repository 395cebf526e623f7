//! Checking a password takes long on purpose. It is done a piece at a time, and few are under way at once, so that clients who come
//! all together (or somebody who guesses) do not keep the others from being served.

use tokio::{sync::Semaphore, task::yield_now};

use super::Verifier;

/// Where passwords wait to be checked.
pub(super) struct Checks(Semaphore);

impl Checks {
    pub(super) const fn new() -> Self {
        Self(Semaphore::const_new(AT_A_TIME))
    }

    /// Whether a password is the verifier's. Takes as long for a wrong one.
    pub(super) async fn check(&self, verifier: &Verifier, password: &[u8]) -> bool {
        let _turn = self.0.acquire().await;
        let mut salting = verifier.salting(password);
        loop {
            if let Some(salted) = salting.advance(ITERATIONS) {
                return verifier.matches(&salted);
            }
            yield_now().await;
        }
    }
}

/// Passwords that are checked at a time; the others wait, first come first served.
const AT_A_TIME: usize = 4;
/// Iterations before others on the thread have their turn: some hundred microseconds.
const ITERATIONS: u32 = 1_000;
