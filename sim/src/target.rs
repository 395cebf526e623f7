//! Brokers outside the world: processes of the machine that a run starts, kills and speaks with in place of the broker it would simulate.
//! The world around them stays as it is, its clients, links, faults and checks, and passes in real time.
//!
//! In reading order: [`Target`] and [`RealBroker`], [`Subject`], and which scenarios can be put to one (`suits`).
//!
//! Nothing here touches the machine: who has a [`Target`] does, and says how through [`RealBroker`].

mod suits;

pub use suits::{cannot_be_real, takes};
pub(crate) use suits::{is_the_machines, settles};

use std::{future::Future, io, pin::Pin, sync::Arc, time::Duration};

use squall_node::BoxedStream;
use squall_proto::Version;

use crate::{
    mutants::Mutant,
    run::{Arm, Run, run_on, run_with},
    scenario::{BrokerSettings, Scenario},
};

/// Something that the machine takes its time for.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A program that can be started as the broker of a run.
pub trait Target: Send + Sync {
    /// A broker for one run, with these settings and nothing in it. It is not started.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words.
    fn broker(&self, settings: &BrokerSettings) -> Result<Arc<dyn RealBroker>, String>;

    /// Whether it declares that what it has acknowledged survives [`RealBroker::kill`], where these settings ask for that.
    fn promises(&self, settings: &BrokerSettings) -> bool;

    /// Whether nobody waits for the runs any more: they end as soon as they can.
    fn is_interrupted(&self) -> bool;
}

/// The broker of one run: one process after another, which share what they keep. Dropping it ends the process and removes that.
pub trait RealBroker: Send + Sync {
    /// Starts a process, once the one before has gone, and waits until it takes connections. Dropped before, it may be killed as ever.
    ///
    /// # Errors
    ///
    /// Why it does not, in words, with what it said last.
    fn start(&self) -> Doing<'_, Result<(), String>>;

    /// A connection to the process.
    ///
    /// # Errors
    ///
    /// When it takes none.
    fn connect(&self) -> Doing<'_, io::Result<BoxedStream>>;

    /// Waits until the process has ended; says how, and what it said last.
    fn ended(&self) -> Doing<'_, String>;

    /// Ends the process at once, without a word: SIGKILL.
    fn kill(&self);

    /// Asks the process to end in its own way: SIGTERM.
    fn terminate(&self);

    /// Has the process stand still: SIGSTOP.
    fn pause(&self);

    /// Has it go on: SIGCONT.
    fn resume(&self);

    /// Whether the next process takes up what this one has on disk.
    fn keeps(&self) -> bool;

    /// Removes what it has on disk. No process runs.
    fn forget(&self);
}

/// Whose broker a scenario is put to.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// Ours, in the simulated world.
    Ours,
    /// Ours and our clients, of which one side is broken.
    Mutant(&'a Mutant),
    /// A process of the machine.
    Real(&'a dyn Target),
}

/// A busy machine wakes who sleeps late, and starts a process when it has the time.
const SLACK: Duration = Duration::from_millis(500);

impl<'a> Subject<'a> {
    /// Runs a scenario once.
    pub fn run(self, scenario: &Scenario, version: Version, seed: u64, arm: Arm) -> Run {
        match self {
            Self::Ours => run_with(scenario, version, seed, arm, None),
            Self::Mutant(mutant) => run_with(scenario, version, seed, arm, Some(mutant)),
            Self::Real(target) => run_on(scenario, version, seed, arm, target),
        }
    }

    /// How much later than in virtual time everything may come.
    pub(crate) const fn slack(self) -> Duration {
        match self {
            Self::Ours | Self::Mutant(_) => Duration::ZERO,
            Self::Real(_) => SLACK,
        }
    }

    /// Whether it is a process of the machine.
    pub(crate) const fn is_real(self) -> bool {
        matches!(self, Self::Real(_))
    }

    /// Who is broken, if anybody.
    pub(crate) const fn mutant(self) -> Option<&'a Mutant> {
        match self {
            Self::Mutant(mutant) => Some(mutant),
            Self::Ours | Self::Real(_) => None,
        }
    }
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ours => "Ours",
            Self::Mutant(mutant) => mutant.name,
            Self::Real(_) => "Real",
        })
    }
}
