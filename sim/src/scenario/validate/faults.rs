use super::{Checked, hosts, problem};
use crate::{
    faults::{Between, Cut, Fault, PacketMatch, Partition},
    scenario::{Scenario, locate::Path},
};

pub(super) fn fault(scenario: &Scenario, fault: &Fault, path: &Path) -> Checked {
    if let Fault::Cut(cut) = fault {
        self::cut(cut, path)?;
    }
    hosts::known_to(scenario, fault, path)?;
    match fault {
        Fault::Bandwidth(fault) => link(&fault.between, path),
        Fault::Blackhole(fault) => link(&fault.between, path),
        Fault::Coalesce(fault) => link(&fault.between, path),
        Fault::ClockStep(_)
        | Fault::Crash(_)
        | Fault::Kick(_)
        | Fault::Resume(_)
        | Fault::Revoke(_)
        | Fault::SlowRead(_)
        | Fault::Stop(_) => Ok(()),
        Fault::Disk(fault) => hosts::disk(scenario, fault, path),
        Fault::Pause(fault) => hosts::pause(scenario, fault, path),
        Fault::Restart(fault) => hosts::restart(scenario, fault, path),
        Fault::Cut(cut) => cut.between.iter().try_for_each(|between| link(between, path)),
        Fault::Hold(fault) => link(&fault.between, path),
        Fault::Latency(fault) => {
            if fault.latency.is_none() && fault.spikes.is_none() {
                return problem(
                    path,
                    "no other latency",
                    "add `latency: 50ms..80ms`, `spikes`, or both",
                );
            }
            link(&fault.between, path)
        }
        Fault::Loss(fault) => link(&fault.between, path),
        Fault::Partition(fault) => partition(fault, path),
        Fault::Segment(fault) => link(&fault.between, path),
    }
}

fn cut(cut: &Cut, path: &Path) -> Checked {
    match (&cut.when, &cut.between) {
        (Some(when), None) => {
            if cut.which.is_some() {
                let mend = "leave it out: the packet says which connection";
                return problem(&path.key("which"), "`which` goes with `between`", mend);
            }
            packet_match(when, &path.key("when"))
        }
        (None, Some(_)) if cut.side.is_some() => {
            let mend = "leave it out, or say at which packet with `when`";
            problem(&path.key("side"), "`side` goes with `when`", mend)
        }
        (None, Some(_)) if cut.times.max() > 1 => {
            let mend = "leave it out, or say at which packet with `when`";
            problem(&path.key("times"), "`times` goes with `when`", mend)
        }
        (None, Some(_)) => Ok(()),
        (Some(_), Some(_)) | (None, None) => {
            let message = "one of `when` and `between` says where the cut is";
            problem(
                path,
                message,
                "write `when: { packet: PUBREL, from: pub }` or `between: [pub, broker]`",
            )
        }
    }
}

fn partition(partition: &Partition, path: &Path) -> Checked {
    match &partition.between {
        Some(between) if partition.groups.is_empty() => link(between, path),
        None if !partition.groups.is_empty() => groups(&partition.groups, &path.key("groups")),
        Some(_) | None => {
            let message = "one of `between` and `groups` says whom it parts";
            problem(
                path,
                message,
                "write `between: [sub, broker]` or `groups: [[pub, broker], [sub]]`",
            )
        }
    }
}

fn groups(groups: &[Vec<String>], path: &Path) -> Checked {
    let mut names: Vec<&String> = groups.iter().flatten().collect();
    names.sort();
    if let Some(twice) = names.windows(2).find_map(|two| match two {
        [one, next] if one == next => Some(one),
        _ => None,
    }) {
        let message = format!("`{twice}` is in two groups");
        return problem(path, &message, "keep one of the two");
    }
    let others = groups
        .iter()
        .filter(|group| !group.iter().any(|name| name == "broker"));
    let has_broker = names.iter().any(|name| *name == "broker");
    if has_broker && others.flatten().next().is_some() {
        return Ok(());
    }
    let mend = "write `broker` into one group, and who shall not reach it into another";
    problem(path, "nobody is parted from `broker`", mend)
}

fn link(between: &Between, path: &Path) -> Checked {
    if between.names().iter().filter(|name| **name == "broker").count() == 1 {
        return Ok(());
    }
    let mend = "write `broker` and one client or peer";
    problem(&path.key("between"), "no packet passes between these two", mend)
}

pub(super) fn packet_match(when: &PacketMatch, path: &Path) -> Checked {
    if when.end().is_some() {
        return Ok(());
    }
    let message = "one of `from` and `to` says whose packet it is";
    let mend = "write `from: pub` for what `pub` sends, `to: pub` for what the broker sends it";
    problem(path, message, mend)
}
