//! Which scenarios a process of the machine can be put to, and how long they take it.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    faults::{CrashKind, CutMode, DiskKind, Fault, State},
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
/// What it is compared with is run too, and what comes long after the last step counts.
pub fn takes(scenario: &Scenario) -> Duration {
    let compared_with = scenario.reference.as_deref().map_or(Duration::ZERO, takes);
    let afterwards = Some(settles(scenario)).filter(|settles| *settles > SETTLES);
    compared_with + takes_alone(scenario) + afterwards.unwrap_or_default()
}

/// Time for what is owed after the last step.
const SETTLES: Duration = Duration::from_secs(30);

/// How long after the last step of a run in real time something may still have to happen: peers answer as late as their script says, and
/// a connection that is cut in silence is noticed after one and a half Keep Alives.
pub(crate) fn settles(scenario: &Scenario) -> Duration {
    let rules = scenario.peers.values().flat_map(|peer| &peer.script);
    let late = rules.map(|rule| rule.after.max().duration()).max();
    let keep_alive = scenario
        .clients
        .values()
        .map(|client| client.keep_alive.duration());
    let noticed = keep_alive.max().unwrap_or_default() * 3 / 2;
    let silent: u64 = scenario.steps.iter().map(silent_cuts).sum();
    let silent = u32::try_from(silent).unwrap_or(u32::MAX);
    SETTLES.max(late.unwrap_or_default() + noticed.saturating_mul(silent))
}

fn silent_cuts(step: &Step) -> u64 {
    let Action::Fault(Fault::Cut(cut)) = &step.action else {
        return 0;
    };
    if cut.mode == CutMode::Silent {
        cut.times.max()
    } else {
        0
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(more: &str) -> (u64, u64) {
        let text = format!(
            "name: it\nwhy: it\nclients: {{ pub: {{ keep_alive: 60s }} }}\nsteps:\n\
             - {{ at: 5s, publish: {{ from: pub, topic: t }} }}\n{more}"
        );
        let scenario = Scenario::parse("it.yaml", &text).unwrap();
        (settles(&scenario).as_secs(), takes(&scenario).as_secs())
    }

    #[test]
    fn what_is_noticed_or_answered_long_after_the_last_step_is_waited_for() {
        assert_eq!(seconds(""), (30, 5));
        let cut = |mode| {
            seconds(&format!(
                "- cut: {{ when: {{ packet: PUBLISH, from: pub }}, times: 2, mode: {mode} }}\n"
            ))
        };
        assert_eq!(cut("rst"), (30, 5));
        assert_eq!(cut("silent"), (180, 185));
        assert_eq!(
            seconds("peers: { raw: { script: [{ to: PUBLISH, after: 100s }] } }\n"),
            (100, 105)
        );
    }
}
