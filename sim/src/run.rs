//! One run: a scenario, a version of the protocol, a seed, with its faults or without.
//!
//! In reading order: [`run`] and what comes of it, `cast` (who takes part), `steps` (what they do and when; `lookout`, what
//! they wait for; `traffic`; `words`, how traces tell it), `progress` (what is
//! still to happen, and when the run is over); `pinned`, what a seed decides.

mod cast;
mod lookout;
mod pinned;
mod progress;
mod steps;
mod traffic;
mod words;

pub(crate) use pinned::pinned;

use std::{sync::Arc, time::Duration};

use squall_proto::{Instant, Version};
use tokio::{task::JoinSet, time::sleep};

use self::{cast::Cast, progress::Progress, steps::Steps};
use crate::{
    mutants::{Mutant, Mutated},
    scenario::Scenario,
    trace::{Trace, What},
    world::{World, WorldConfig, network, watched},
};

/// What happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Everything on every wire.
    pub trace: Trace,
    /// Virtual time, from the beginning to the end.
    pub simulated: Duration,
    /// How it came to its end.
    pub end: Ending,
    /// Faults that touched no packet, no connection and no process, or never had their moment: the run proves nothing.
    pub untouched: Vec<Untouched>,
    /// How often a mutant did other than what is right. 0 without one.
    pub mutated: u64,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All that was owed has happened, and the wires are quiet.
    Complete,
    /// The scenario's `settle` time was over before all that was owed had happened: this had not.
    Overdue(Vec<String>),
    /// It had as many events as the scenario's `events_max` allows, and no end in sight.
    Endless,
    /// Something of ours panicked: where, and its message.
    Panicked(String),
}

/// A fault that did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untouched {
    /// Its place among the scenario's steps, from 0.
    pub step: usize,
    /// The fault in words.
    pub fault: String,
}

/// Which of the two runs of a scenario it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// As the scenario says.
    Faults,
    /// The same without its faults: each takes its time and does nothing.
    Control,
}

/// How long the wires must have been quiet before a run is over.
const QUIET: Duration = Duration::from_secs(5);
/// How often it is looked whether a run is over.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a scenario once. The same scenario, version, seed and arm give the same [`Run`], in any process, on any day.
pub fn run(scenario: &Scenario, version: Version, seed: u64, arm: Arm) -> Run {
    run_with(scenario, version, seed, arm, None)
}

/// Runs a scenario once, with a broker or clients that are broken.
pub fn run_with(scenario: &Scenario, version: Version, seed: u64, arm: Arm, mutant: Option<&Mutant>) -> Run {
    let mutated = mutant.map(Mutated::new);
    let outcome = watched(|| {
        let config = WorldConfig {
            seed,
            latency: scenario.network.latency,
            loss_percent: scenario.network.loss_percent,
        };
        let names = Cast::names(scenario);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::new(&config, &names);
        let mut run = world.block_on(play(scenario, version, seed, arm, mutated.as_ref(), &world));
        run.trace = world.take_trace();
        run.mutated = mutated.as_ref().map_or(0, Mutated::touched);
        run
    });
    let run = outcome.output.unwrap_or_else(|| Run {
        trace: Trace::default(),
        simulated: Duration::ZERO,
        end: Ending::Complete,
        untouched: Vec::new(),
        mutated: 0,
    });
    match outcome.panic {
        Some(panic) => Run {
            end: Ending::Panicked(panic),
            ..run
        },
        None => run,
    }
}

async fn play(
    scenario: &Scenario,
    version: Version,
    seed: u64,
    arm: Arm,
    mutated: Option<&Mutated>,
    world: &World,
) -> Run {
    let mut processes = JoinSet::new();
    let cast = Arc::new(Cast::new(
        scenario,
        version,
        seed,
        world.hosts(),
        &mut processes,
        mutated,
    ));
    let progress = Arc::new(Progress::new(scenario));
    let lasts = progress.planned();
    let duration = scenario.lasts.duration();
    processes.spawn(async move {
        sleep(duration).await;
        drop(lasts);
    });
    let steps = Steps::new(scenario, version, seed, arm, &cast, &progress);
    steps.start(&mut processes);
    let full = network::with(|network| network.bound(scenario.events_max.get()));
    let end = tokio::select! {
        biased;
        () = full.notified() => Ending::Endless,
        panic = panicked(&mut processes) => Ending::Panicked(panic),
        end = ended(scenario, &cast, &progress) => end,
    };
    if let Some(counts) = cast.counts() {
        network::with(|network| network.note(What::Held(counts.into())));
    }
    let now = network::with(|network| network.now());
    Run {
        trace: Trace::default(),
        simulated: now.saturating_since(Instant::ZERO),
        end,
        untouched: match arm {
            Arm::Faults => progress.untouched(scenario),
            Arm::Control => Vec::new(),
        },
        mutated: 0,
    }
}

/// Waits for a process that panics.
async fn panicked(processes: &mut JoinSet<()>) -> String {
    while let Some(ended) = processes.join_next().await {
        if let Err(panic) = ended {
            return panic.to_string();
        }
    }
    std::future::pending().await
}

/// Waits until everything has happened that is planned or owed and the wires are quiet, or until it should have been so.
async fn ended(scenario: &Scenario, cast: &Cast, progress: &Progress) -> Ending {
    loop {
        let since = progress.all_planned_happened().await;
        let owed = [
            progress.owed(scenario, |client| cast.is_gone(client)),
            cast.owed(),
        ]
        .concat();
        let quiet = network::with(|network| network.quiet_for());
        // What the last step said is on the wires only after a moment.
        if owed.is_empty() && quiet >= QUIET && since.elapsed() >= QUIET {
            return Ending::Complete;
        }
        let undisturbed = network::with(|network| network.undisturbed_for());
        if since.elapsed().min(undisturbed) >= scenario.settle.duration() {
            return match owed.is_empty() {
                true => Ending::Complete,
                false => Ending::Overdue(owed),
            };
        }
        sleep(LOOK).await;
    }
}

/// Writes down that the last fault has healed.
fn note_healed() {
    network::with(|network| network.note(What::Healed));
}
