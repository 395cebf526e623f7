use squall_proto::Instant;

use super::{BROKER, Wire};
use crate::{
    faults::{DiskKind, Fault},
    scenario::{Action, Client, Scenario, Step},
    trace::{Event, What},
};

/// What keeps hosts from doing at once, or at all, what they should.
#[derive(Debug)]
pub(crate) struct Disturbances<'a> {
    scenario: &'a Scenario,
    /// Hosts and groups of clients whose disk or reading is slow at times.
    slow: Vec<&'a str>,
    /// Those whose disk says at times that it has synced, and has not.
    lying: Vec<&'a str>,
    /// Something is wrong with the broker's disk at times.
    broker_may_wait: bool,
    /// How many faults are at work.
    faults: usize,
    /// All have healed for good.
    has_healed: bool,
}

impl<'a> Disturbances<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            slow: scenario.steps.iter().filter_map(slowed).collect(),
            lying: scenario.steps.iter().filter_map(lied_to).collect(),
            broker_may_wait: scenario.steps.iter().any(is_of_brokers_disk),
            faults: 0,
            has_healed: false,
        }
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match &event.what {
            What::FaultBegan { .. } => self.faults += 1,
            What::FaultEnded { .. } => self.faults = self.faults.saturating_sub(1),
            What::Healed => self.has_healed = true,
            _other_events => {}
        }
    }

    /// Whether a fault is at work that does not end by itself before the run does.
    pub(crate) const fn last(&self) -> bool {
        self.faults > 0 && !self.has_healed
    }

    /// Whether its disk, or the pace at which it reads, may hold a client up.
    pub(crate) fn may_slow(&self, name: &str) -> bool {
        let client = self.scenario.client(name);
        let reads_slowly = client.is_some_and(|client| client.reads.is_some());
        reads_slowly || self.slow.iter().any(|host| self.scenario.is_it(host, name))
    }

    /// Whether something is wrong at times with the disk of the broker, which it waits for.
    pub(crate) const fn broker_may_wait(&self) -> bool {
        self.broker_may_wait
    }

    /// Whether a client is slow of its own nature, and is at it still when the run ends, which may have lasted for too long.
    pub(crate) fn is_behind(&self, wire: &Wire, now: Instant) -> bool {
        let client = self.scenario.client(&wire.name);
        let takes_time = |client: &Client| client.reads.is_some() || client.application.takes_time();
        client.is_some_and(takes_time) && wire.is_at_work(now)
    }

    /// Whether a client may not find what its disk said it has kept.
    pub(super) fn may_take(&self, name: &str) -> bool {
        self.lying.iter().any(|host| self.scenario.is_it(host, name))
    }
}

/// Whose disk or reading a step slows down.
fn slowed(step: &Step) -> Option<&str> {
    match &step.action {
        Action::Fault(Fault::Disk(disk)) => Some(&disk.host),
        Action::Fault(Fault::SlowRead(slow)) => Some(&slow.host),
        _other_actions => None,
    }
}

fn is_of_brokers_disk(step: &Step) -> bool {
    matches!(&step.action, Action::Fault(Fault::Disk(disk)) if disk.host == BROKER)
}

/// Whose disk a step has lie.
fn lied_to(step: &Step) -> Option<&str> {
    match &step.action {
        Action::Fault(Fault::Disk(disk)) => (disk.kind == DiskKind::LyingSync).then_some(&disk.host),
        _other_actions => None,
    }
}
