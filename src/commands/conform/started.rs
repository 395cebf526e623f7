//! The suite against a broker that is started for it, in each of its configurations in turn.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures_util::future::try_join_all;
use squall_conformance::{Selected, Settings, interrupted};
use squall_reports::{TestResult, Verdict};
use squall_sim::target::RealBroker as _;
use tokio::time::timeout;

use super::{
    Results, interrupt,
    real::{self, Way},
    running::{Outcomes, Running},
};
use crate::{
    exit::Misuse,
    target::{Group, Process, Profile, Transport},
};

/// A broker of a profile, and how the suite is put to it.
pub(super) struct Started<'a> {
    pub(super) profile: &'a Profile,
    pub(super) program: PathBuf,
    /// How it is reached, its address aside.
    pub(super) way: Way,
    pub(super) transport: Transport,
    pub(super) jobs: usize,
    pub(super) settings: &'a Settings,
}

/// A process may end so much later than the case that ends it, which has seen no more than the end of its connection.
const LINGERS: Duration = Duration::from_millis(300);

/// How many processes there are where each has one case at a time.
const PROCESSES: usize = 8;

/// What came of some cases, and whether nobody waits for the rest any more.
type Part = (Results, bool);

impl Started<'_> {
    /// Runs these cases in the plain configuration, and what makes no sense there in the first other one in which it does.
    pub(super) async fn results(&self, selected: &[Selected]) -> Result<Results, anyhow::Error> {
        let (mut results, mut is_over) = self.in_group(None, selected).await?;
        for group in &self.profile.groups {
            let left: Vec<Selected> = results
                .iter()
                .filter(|result| !is_decided(result))
                .map(|(selected, _)| *selected)
                .collect();
            if is_over || left.is_empty() {
                break;
            }
            let again;
            (again, is_over) = self.in_group(Some(group), &left).await?;
            results = taken_over(results, again);
        }
        Ok(self.profile.conformance.judge_all(results))
    }

    /// Runs cases in one configuration: side by side at one process, or one at a time at each of several.
    async fn in_group(&self, group: Option<&Group>, selected: &[Selected]) -> Result<Part, anyhow::Error> {
        if !self.profile.conformance.alone {
            return self.in_process(group, selected, self.jobs).await;
        }
        let processes = PROCESSES.min(self.jobs);
        // In turn, and so that each has as many of either version: the broker may know one alone.
        let mut in_turn = selected.to_vec();
        in_turn.sort_by_key(|selected| selected.version);
        let in_turn = &in_turn;
        let of_each = (0..processes).map(|first| async move {
            let share: Vec<Selected> = in_turn.iter().skip(first).step_by(processes).copied().collect();
            self.in_process(group, &share, 1).await
        });
        let parts = try_join_all(of_each).await?;
        let is_over = parts.iter().any(|(_, is_over)| *is_over);
        let results = parts.into_iter().flat_map(|(results, _)| results);
        Ok((in_order(selected, results), is_over))
    }

    /// Runs cases at one process. One that ends is started again; the case that ended it fails.
    async fn in_process(
        &self,
        group: Option<&Group>,
        selected: &[Selected],
        jobs: usize,
    ) -> Result<Part, anyhow::Error> {
        if selected.is_empty() {
            return Ok((Results::new(), false));
        }
        let process = Process::of_group(self.profile, &self.program, group, self.transport);
        let process =
            process.map_err(|why| Misuse::new(why, "docs/TARGETS.md says what a profile may say"))?;
        let (mut results, mut left) = (Results::new(), selected.to_vec());
        loop {
            self.start(&process, group).await?;
            let (outcomes, end) = self.until_end(&process, group, &left, jobs).await?;
            let Outcomes {
                ended,
                begun,
                waiting,
            } = outcomes;
            results.extend(ended);
            if let End::Interrupted = end {
                let cut_off = begun.into_iter().chain(waiting);
                results.extend(cut_off.map(|selected| (selected, interrupted(selected, self.settings))));
                return Ok((results, true));
            }
            for suspect in begun {
                results.push((suspect, self.alone(&process, group, suspect).await?));
            }
            if waiting.is_empty() {
                return Ok((results, false));
            }
            left = waiting;
        }
    }

    /// Runs a case of which it may be that it ends the process.
    async fn alone(
        &self,
        process: &Process,
        group: Option<&Group>,
        suspect: Selected,
    ) -> Result<TestResult, anyhow::Error> {
        self.start(process, group).await?;
        let (mut outcomes, end) = self.until_end(process, group, &[suspect], 1).await?;
        let result = interrupted(suspect, self.settings);
        Ok(match (end, outcomes.ended.pop()) {
            (End::OfProcess(how), _) => TestResult {
                verdict: Verdict::Fail {
                    expected: vec!["the broker to go on".to_owned()],
                    got: format!("its process ended: {how}"),
                },
                ..result
            },
            (_, Some((_, ended))) => ended,
            (End::OfCases | End::Interrupted, None) => result,
        })
    }

    /// Runs cases until they or the process have ended, or nobody waits any more.
    async fn until_end(
        &self,
        process: &Process,
        group: Option<&Group>,
        selected: &[Selected],
        jobs: usize,
    ) -> Result<(Outcomes, End), anyhow::Error> {
        let way = self.way.to(process, self.transport);
        let of_group = group.and_then(|group| group.user.clone());
        let way = Way {
            user: of_group.or(way.user),
            ..way
        };
        let found = real::find(&way, selected, self.settings).await?;
        let mut running = found.start(jobs, selected, self.settings);
        let end = tokio::select! {
            biased;
            asked = interrupt() => {
                asked?;
                End::Interrupted
            }
            ended = ended_with_all(&mut running, process) => ended?,
            how = process.ended() => End::OfProcess(how),
        };
        let just_now = match end {
            End::OfProcess(_) => LINGERS,
            End::OfCases | End::Interrupted => Duration::ZERO,
        };
        Ok((running.outcomes(selected, just_now), end))
    }

    /// Starts the process, if it does not run.
    async fn start(&self, process: &Process, group: Option<&Group>) -> Result<(), Misuse> {
        if process.is_running() {
            return Ok(());
        }
        let started = process.start().await;
        started.map_err(|why| self.does_not_start(group, &why))
    }

    fn does_not_start(&self, group: Option<&Group>, why: &str) -> Misuse {
        let group = group.map_or(String::new(), |group| {
            format!(", in its configuration `{}`", group.name)
        });
        does_not_start(self.profile, &group, why)
    }
}

/// A broker that does not start, `how` it was to.
pub(super) fn does_not_start(profile: &Profile, how: &str, why: &str) -> Misuse {
    Misuse::new(
        format!("`{}` does not start{how}: {why}", profile.name),
        "start it by hand with what its profile says, and mend that",
    )
}

/// Waits for all cases, and a little longer: whether the last ended the process.
async fn ended_with_all(running: &mut Running, process: &Process) -> Result<End, anyhow::Error> {
    running.all_ended().await?;
    Ok(match timeout(LINGERS, process.ended()).await {
        Ok(how) => End::OfProcess(how),
        Err(_) => End::OfCases,
    })
}

/// How the running of some cases came to its end.
enum End {
    OfCases,
    OfProcess(String),
    Interrupted,
}

/// What a configuration could decide, in place of what the one before could not.
fn taken_over(results: Results, again: Results) -> Results {
    let mut decided = by_name(again.into_iter().filter(is_decided));
    let taken = |(selected, before): (Selected, TestResult)| {
        let result = decided.remove(&selected.name());
        (selected, result.unwrap_or(before))
    };
    results.into_iter().map(taken).collect()
}

fn is_decided((_, result): &(Selected, TestResult)) -> bool {
    !matches!(result.verdict, Verdict::Unsupported { .. })
}

/// Results in the order in which their cases were selected.
fn in_order(selected: &[Selected], results: impl Iterator<Item = (Selected, TestResult)>) -> Results {
    let mut results = by_name(results);
    let taken = |selected: &Selected| Some((*selected, results.remove(&selected.name())?));
    selected.iter().filter_map(taken).collect()
}

fn by_name(results: impl Iterator<Item = (Selected, TestResult)>) -> BTreeMap<String, TestResult> {
    results
        .map(|(selected, result)| (selected.name(), result))
        .collect()
}
