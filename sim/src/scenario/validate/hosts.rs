//! Faults of hosts: that the host can do what is asked of it.

use super::{Checked, Who, known, problem};
use crate::{
    faults::{Disk, DiskKind, Fault, Pause, Restart, State},
    model::BROKER,
    scenario::{Action, Client, Scenario, Session, Store, locate::Path},
};

/// A disk is for a session that the broker keeps.
pub(super) fn store(client: &Client, path: &Path) -> Checked {
    if client.store == Store::Memory || client.session == Session::Persistent {
        return Ok(());
    }
    let message = "a store keeps a session, and a clean one is not kept";
    problem(&path.key("store"), message, "add `session: persistent`")
}

/// That the hosts it names are there, and of the kind that it is about.
pub(super) fn known_to(scenario: &Scenario, fault: &Fault, path: &Path) -> Checked {
    if scenario.broker.script.is_some() && matches!(fault, Fault::Kick(_) | Fault::Revoke(_)) {
        let message = "a scripted broker has no administrator";
        return problem(path, message, "leave it out, or `script`");
    }
    let who = if matches!(fault, Fault::Kick(_) | Fault::Revoke(_)) {
        Who::Client
    } else {
        Who::Host
    };
    fault
        .names()
        .into_iter()
        .try_for_each(|name| known(scenario, who, name, path))
}

pub(super) fn disk(scenario: &Scenario, fault: &Disk, path: &Path) -> Checked {
    if fault.lasts.is_some() == fault.next.is_some() {
        let mend = "write `for: 10s`, or `next: 3` for that many operations";
        return problem(path, "how long it lasts is not said once", mend);
    }
    if fault.takes.is_some() != (fault.kind == DiskKind::SlowSync) {
        let message = "a `slow_sync` takes a time, and nothing else does";
        return problem(
            &path.key("takes"),
            message,
            "write `kind: slow_sync, takes: 100ms..2s`",
        );
    }
    if fault.room.is_some() && fault.kind != DiskKind::Full {
        let message = "room is what is left before a disk is full";
        return problem(&path.key("room"), message, "write `kind: full`");
    }
    if fault.host == BROKER && fault.kind == DiskKind::LyingSync {
        let message = "a broker whose disk lies can promise nothing";
        return problem(&path.key("kind"), message, "choose another kind");
    }
    has_disk(scenario, &fault.host, path)
}

pub(super) fn pause(scenario: &Scenario, fault: &Pause, path: &Path) -> Checked {
    let host = &fault.host;
    let resumes = |action: &Action| matches!(action, Action::Fault(Fault::Resume(it)) if it.host == *host);
    if fault.lasts.is_some() || scenario.steps.iter().any(|step| resumes(&step.action)) {
        return Ok(());
    }
    let mend = format!("write `for: 10s`, or add a step `resume: {{ host: {host} }}`");
    problem(path, "a pause without an end", &mend)
}

pub(super) fn restart(scenario: &Scenario, fault: &Restart, path: &Path) -> Checked {
    let host = fault.host.as_str();
    match fault.state {
        State::Lost => Ok(()),
        State::Kept if host == BROKER && scenario.broker.script.is_none() => Ok(()),
        State::Kept if host == BROKER => {
            let message = "a scripted broker keeps nothing";
            problem(&path.key("state"), message, "write `lost`")
        }
        State::Kept | State::UnsyncedLost | State::Torn => has_disk(scenario, host, &path.key("state")),
    }
}

fn has_disk(scenario: &Scenario, name: &str, path: &Path) -> Checked {
    if name == BROKER {
        let message = "the broker keeps nothing on a disk";
        let mend = "add `broker: { durability: disk }`, without a `script`";
        return if scenario.broker.has_disk() {
            Ok(())
        } else {
            problem(path, message, mend)
        };
    }
    let client = scenario.clients.get(name);
    if client.is_some_and(|client| client.store == Store::Disk) {
        return Ok(());
    }
    let message = format!("`{name}` keeps nothing on a disk");
    let mend = "name a client with `session: persistent, store: disk`";
    problem(path, &message, mend)
}
