//! Which scenarios a process of the machine can be put to, and how long they take it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    faults::{CrashKind, DiskKind, Fault, State},
    model::BROKER,
    scenario::{Action, Scenario, Start, Step},
    world::Transport,
};

/// Why a scenario cannot be put to a process of the machine, if it cannot, in words.
pub fn cannot_be_real(scenario: &Scenario) -> Option<String> {
    if scenario.broker.script.is_some() {
        return Some("its broker is scripted".to_owned());
    }
    if scenario
        .clients
        .values()
        .any(|client| client.transport != Transport::Tcp)
    {
        return Some("processes are spoken with over TCP alone".to_owned());
    }
    let fault = |step: &Step| {
        let Action::Fault(fault) = &step.action else {
            return None;
        };
        simulated_alone(fault)
    };
    let why = scenario.steps.iter().find_map(fault);
    let reference = scenario.reference.as_deref();
    why.map(str::to_owned)
        .or_else(|| reference.and_then(cannot_be_real))
}

/// Whether a fault of the broker asks for nothing but what each machine has by itself, so that with a process nothing is done for it.
pub(crate) fn is_the_machines(fault: &Fault) -> bool {
    matches!(fault, Fault::Disk(disk) if disk.kind == DiskKind::SlowSync && disk.host == BROKER)
}

/// Why a fault can be had with a simulated broker alone.
fn simulated_alone(fault: &Fault) -> Option<&'static str> {
    if is_the_machines(fault) {
        return None;
    }
    let why = match fault {
        Fault::Kick(_) | Fault::Revoke(_) => {
            return Some("no process can be told to kick or revoke a client");
        }
        Fault::Crash(crash) if crash.kind == CrashKind::Power => "a process cannot be made to lose its power",
        Fault::Restart(restart) if restart.state != State::Lost => {
            "what is kept by a `restart` is what a perfect store would keep: `crash` is what a process has"
        }
        Fault::Disk(_) => "the disk of a process is the machine's",
        Fault::ClockStep(_) => "the clock of a process is the machine's",
        Fault::Bandwidth(_)
        | Fault::Blackhole(_)
        | Fault::Coalesce(_)
        | Fault::Crash(_)
        | Fault::Cut(_)
        | Fault::Hold(_)
        | Fault::Latency(_)
        | Fault::Loss(_)
        | Fault::Partition(_)
        | Fault::Pause(_)
        | Fault::Restart(_)
        | Fault::Resume(_)
        | Fault::Segment(_)
        | Fault::SlowRead(_)
        | Fault::Stop(_) => return None,
    };
    fault.names().contains(&BROKER).then_some(why)
}

/// How long the steps of a scenario take at most, as far as its file says: packets that they wait for are thought to come at once.
/// What it is compared with is run too.
pub fn takes(scenario: &Scenario) -> Duration {
    let compared_with = scenario.reference.as_deref().map_or(Duration::ZERO, takes);
    compared_with + takes_alone(scenario)
}

fn takes_alone(scenario: &Scenario) -> Duration {
    let mut over: BTreeMap<&str, Duration> = BTreeMap::new();
    let mut longest = scenario.lasts.duration();
    // A step may come after one that stands behind it.
    for _ in 0..=scenario.steps.len() {
        let before = longest;
        for step in &scenario.steps {
            let end = begins(step, &over) + step.wait.max().duration() + lasts(&step.action);
            longest = longest.max(end);
            if let Some(id) = &step.id {
                over.insert(id, end);
            }
        }
        if longest == before {
            break;
        }
    }
    longest
}

fn begins(step: &Step, over: &BTreeMap<&str, Duration>) -> Duration {
    if let Start::At(at) = &step.start {
        return at.max().duration();
    }
    let ends = step.after().iter().filter_map(|id| over.get(id.as_str()));
    ends.max().copied().unwrap_or_default()
}

fn lasts(action: &Action) -> Duration {
    match action {
        Action::Fault(fault) => fault.lasts().unwrap_or_default().max().duration(),
        Action::Publish(publish) => publish.every.duration() * publish.count.saturating_sub(1),
        Action::Traffic(traffic) => {
            let count = traffic.count.map_or(0, |count| count.max());
            let by_count = Duration::from_secs(count / traffic.rate.max().max(1));
            let by_time = traffic.lasts.map(|lasts| lasts.max().duration());
            by_time.unwrap_or(by_count)
        }
        Action::ExpectNone(it) => it.lasts.max().duration(),
        Action::Await(_)
        | Action::Connect(_)
        | Action::Disconnect(_)
        | Action::Note(_)
        | Action::Open(_)
        | Action::Send(_)
        | Action::Shut(_)
        | Action::Subscribe(_)
        | Action::Unsubscribe(_) => Duration::ZERO,
    }
}
