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
use tokio::{sync::oneshot, task::JoinSet, time::sleep};

use self::{cast::Cast, progress::Progress, steps::Steps};
use crate::{
    actors::Broke,
    faults::Fault,
    mutants::{Mutant, Mutated},
    scenario::Scenario,
    target::{RealBroker, Target, is_the_machines, settles},
    trace::{Trace, What},
    world::{Clock, World, WorldConfig, network, watched},
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
    /// The broker is a process of the machine, and could not be started: why.
    NotStarted(String),
    /// It was started, and ended by itself: how, and what it said last.
    BrokerEnded(String),
    /// Nobody waits for the run any more.
    Interrupted,
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

/// How a run comes to its end.
#[derive(Clone, Copy)]
struct Pace {
    /// How long the wires must have been quiet.
    quiet: Duration,
    /// How often it is looked whether it is over.
    look: Duration,
    /// For what is owed, at most.
    settle: Duration,
}

/// What a run is played on, beside its world.
struct Outside<'a> {
    target: &'a dyn Target,
    broker: Arc<dyn RealBroker>,
}

/// Runs a scenario once. The same scenario, version, seed and arm give the same [`Run`], in any process, on any day.
pub fn run(scenario: &Scenario, version: Version, seed: u64, arm: Arm) -> Run {
    run_with(scenario, version, seed, arm, None)
}

/// Runs a scenario once in real time, with a process of the machine as its broker. No such run is the same again.
pub fn run_on(scenario: &Scenario, version: Version, seed: u64, arm: Arm, target: &dyn Target) -> Run {
    match target.broker(&scenario.broker) {
        Ok(broker) => run_in(
            scenario,
            version,
            seed,
            arm,
            None,
            Some(&Outside { target, broker }),
        ),
        Err(why) => Run::without(Ending::NotStarted(why)),
    }
}

/// Runs a scenario once, with a broker or clients that are broken.
pub fn run_with(scenario: &Scenario, version: Version, seed: u64, arm: Arm, mutant: Option<&Mutant>) -> Run {
    run_in(scenario, version, seed, arm, mutant, None)
}

fn run_in(
    scenario: &Scenario,
    version: Version,
    seed: u64,
    arm: Arm,
    mutant: Option<&Mutant>,
    outside: Option<&Outside<'_>>,
) -> Run {
    let mutated = mutant.map(Mutated::new);
    let outcome = watched(|| {
        let config = WorldConfig {
            seed,
            latency: scenario.network.latency,
            loss_percent: scenario.network.loss_percent,
            clock: match outside {
                Some(_) => Clock::Real,
                None => Clock::Virtual,
            },
        };
        let names = Cast::names(scenario);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::new(&config, &names);
        let mut run = world.block_on(async {
            if let Some(outside) = outside
                && let Err(why) = outside.broker.start().await
            {
                return Run::without(Ending::NotStarted(why));
            }
            play(scenario, version, seed, arm, mutated.as_ref(), outside, &world).await
        });
        run.trace = world.take_trace();
        run.mutated = mutated.as_ref().map_or(0, Mutated::touched);
        run
    });
    let run = outcome.output.unwrap_or_else(|| Run::without(Ending::Complete));
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
    outside: Option<&Outside<'_>>,
    world: &World,
) -> Run {
    let (broke, breaks) = oneshot::channel();
    let real = outside.map(|outside| (Arc::clone(&outside.broker), broke));
    let mut processes = JoinSet::new();
    let cast = Arc::new(Cast::new(
        scenario,
        version,
        seed,
        world.hosts(),
        &mut processes,
        mutated,
        real,
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
        Ok(broke) = breaks => match broke {
            Broke::NotStarted(why) => Ending::NotStarted(why),
            Broke::Ended(how) => Ending::BrokerEnded(how),
        },
        () = interrupted(outside) => Ending::Interrupted,
        end = ended(scenario, Pace::of(scenario, outside), &cast, &progress) => end,
    };
    if let Some(held) = cast.held() {
        network::with(|network| network.note(What::Held(held)));
    }
    let now = network::with(|network| network.now());
    Run {
        trace: Trace::default(),
        simulated: now.saturating_since(Instant::ZERO),
        end,
        untouched: match arm {
            Arm::Faults => {
                let should = |fault: &Fault| outside.is_none() || !is_the_machines(fault);
                progress.untouched(scenario, should)
            }
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
async fn ended(scenario: &Scenario, pace: Pace, cast: &Cast, progress: &Progress) -> Ending {
    loop {
        let since = progress.all_planned_happened().await;
        let owed = [
            progress.owed(scenario, |client| cast.is_gone(client)),
            cast.owed(),
        ]
        .concat();
        let quiet = network::with(|network| network.quiet_for());
        // What the last step said is on the wires only after a moment.
        if owed.is_empty() && quiet >= pace.quiet && since.elapsed() >= pace.quiet {
            return Ending::Complete;
        }
        let undisturbed = network::with(|network| network.undisturbed_for());
        if since.elapsed().min(undisturbed) >= pace.settle {
            return match owed.is_empty() {
                true => Ending::Complete,
                false => Ending::Overdue(owed),
            };
        }
        sleep(pace.look).await;
    }
}

impl Pace {
    /// Virtual time costs nothing; where it is real, what is quiet is over sooner.
    fn of(scenario: &Scenario, outside: Option<&Outside<'_>>) -> Self {
        let settle = scenario.settle.duration();
        match outside {
            None => Self {
                quiet: Duration::from_secs(5),
                look: Duration::from_secs(1),
                settle,
            },
            Some(_) => Self {
                quiet: Duration::from_secs(2),
                look: Duration::from_millis(100),
                settle: settle.min(settles(scenario)),
            },
        }
    }
}

/// Waits until nobody waits for the run any more.
async fn interrupted(outside: Option<&Outside<'_>>) {
    let Some(outside) = outside else {
        return std::future::pending().await;
    };
    while !outside.target.is_interrupted() {
        sleep(Duration::from_millis(100)).await;
    }
}

impl Run {
    /// Whether its broker was a process of the machine that was of no use, or nobody waited for its end.
    pub(crate) const fn is_broken(&self) -> bool {
        match self.end {
            Ending::NotStarted(_) | Ending::BrokerEnded(_) | Ending::Interrupted => true,
            Ending::Complete | Ending::Overdue(_) | Ending::Endless | Ending::Panicked(_) => false,
        }
    }

    /// One in which nothing happened.
    const fn without(end: Ending) -> Self {
        Self {
            trace: Trace { events: Vec::new() },
            simulated: Duration::ZERO,
            end,
            untouched: Vec::new(),
            mutated: 0,
        }
    }
}

/// Writes down that the last fault has healed.
fn note_healed() {
    network::with(|network| network.note(What::Healed));
}
