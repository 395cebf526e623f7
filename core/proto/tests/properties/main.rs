//! The broker and the client against small models of what the standard permits them.
//!
//! A script of timed inputs is drawn, played to the real thing, and each packet it sends is shown to the model, which says
//! whether the standard permits that packet at that moment, and after each input whether something owed is missing. A script
//! that fails is shrunk to the shortest that still does, and printed with the packets around it.
//!
//! The seed is fixed, so a run is the same everywhere; `PROPTEST_CASES=100000` plays more scripts, the same ones first.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that is wrong about a list, a result or a packet should stop there"
)]

mod broker;
mod client;
mod values;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use proptest_state_machine::ReferenceStateMachine;

/// What is held to a model, and the model.
trait Play {
    type Step;

    /// Carries out one step, and holds what follows to the model.
    fn play(&mut self, step: &Self::Step) -> Result<(), String>;

    /// Brings everything to its end, after the last step.
    fn finish(&mut self) -> Result<(), String>;

    /// What was said so far, a line each.
    fn transcript(&self) -> String;
}

/// Plays `cases` scripts of at most `steps` steps.
fn hold<M, P>(cases: u32, steps: usize, begin: impl Fn(&M::State) -> P)
where
    M: ReferenceStateMachine,
    P: Play<Step = M::Transition>,
{
    let mut config = Config {
        rng_seed: RngSeed::Fixed(0x5EED),
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let scripts =
        M::sequential_strategy(1..steps).prop_map(|(state, script, seen)| (state, script, Seen(seen)));
    let played = AtomicUsize::new(0);
    let failed_at = OnceLock::new();
    let result = TestRunner::new(config).run(&scripts, |(state, script, seen)| {
        let nth = played.fetch_add(1, Ordering::SeqCst);
        let mut player = begin(&state);
        let mut play = || {
            for step in &script {
                seen.one();
                player.play(step)?;
            }
            player.finish()
        };
        play().map_err(|why: String| {
            failed_at.get_or_init(|| nth);
            TestCaseError::fail(format!("{why}\n\nwhat was said:\n{}", player.transcript()))
        })
    });
    if let Err(error) = result {
        let held = failed_at.get().copied().unwrap_or_default();
        panic!("after {held} scripts that held, one did not: {error}");
    }
}

/// Tells the shrinking how far a script came.
struct Seen(Option<Arc<AtomicUsize>>);

impl Seen {
    fn one(&self) {
        if let Some(seen) = &self.0 {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}
