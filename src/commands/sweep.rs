//! `squall sweep`: many runs, to find what nobody wrote down.

mod findings;
mod plan;
mod progress;
mod tally;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    time::{Duration, Instant},
};

use squall_proto::Version;
use squall_reports::{FORMAT, Report};

use self::{findings::Findings, plan::Plan, plan::Shard, progress::Progress, tally::Tally};
use crate::{
    exit::Exit,
    output,
    results::ResultArgs,
    work::{Seeds, Stop, Work, read, version},
};

/// Run scenarios, or scenarios drawn by chance, with very many seeds
///
/// Each seed is another run: other latencies, other moments, another order. Every check watches every run. What fails is shrunk to
/// the smallest scenario that fails in the same way, and written as a file that `squall run` reads, with the line that repeats it.
/// Runs fail in the same way if the same check says the same of them with other names and numbers: the first of each way is shrunk,
/// the others are counted. Two paths that must deliver the same are shrunk and written together.
///
/// While it goes on it says how fast, and how many runs failed in how many ways. Ctrl-C ends it with a report of what it has come to.
///
/// With --swarm each seed draws a scenario of its own: clients, subscriptions, messages, settings and faults, each of them on or off
/// by a coin. Nobody has to think of the combination that fails.
///
/// One run of 64 is done twice, which must give the same history; --twice does it with all. A run without faults follows each
/// that holds, except in a swarm. In a swarm a fault that touches nothing is no failure.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall sweep scenarios --seeds 1000                    every scenario, version and seed from 0 to 999
  squall sweep --swarm --for 10m                         as many drawn scenarios as there is time for
  squall sweep --swarm --seeds 4711..4712                one of them again
  squall sweep scenarios --seeds 100000 --shard 3/8 --report json=3.json
  squall report 1.json 2.json 3.json                     the shards of a sweep as one
  squall run scenarios/found                             what was found, after it was mended

Exit: 0 all held, 1 something did not, 2 wrong use, 3 interrupted or failed itself.")]
pub(crate) struct Args {
    /// Scenario files, or folders of them
    #[arg(
        value_name = "SCENARIO|FOLDER",
        required_unless_present = "swarm",
        conflicts_with = "swarm"
    )]
    scenarios: Vec<PathBuf>,
    /// Draw scenarios, one from each seed
    #[arg(long)]
    swarm: bool,
    /// How many seeds from 0 on, or the first and the one after the last
    #[arg(long, value_name = "N|A..B", required_unless_present = "lasts")]
    seeds: Option<Seeds>,
    /// Begin no run after this time: 90s, 10m, 8h
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// One part of the work: the first of eight is 1/8
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,
    /// With this version of the protocol alone
    #[arg(long, value_name = "3.1.1|5.0", value_parser = version)]
    mqtt: Option<Version>,
    /// How many runs at a time; one a core by default
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Do every run twice, and compare the histories
    #[arg(long)]
    twice: bool,
    /// Leave out the runs without faults
    #[arg(long)]
    no_control: bool,
    /// Leave failures as large as they are, and write no scenarios
    #[arg(long)]
    no_shrink: bool,
    /// Where the scenarios of failures are written
    #[arg(long, value_name = "FOLDER", default_value = "scenarios/found")]
    found: PathBuf,
    #[command(flatten)]
    results: ResultArgs,
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    args.results.check()?;
    let Some(scenarios) = read(&args.scenarios) else {
        return Ok(Exit::Misused);
    };
    let began = Instant::now();
    let plan = Plan::new(args, scenarios, began)?;
    let stop = Stop::on_interrupt()?;
    let work = Work {
        job: &|place| plan.job(place),
        threads: args.jobs,
        traces: false,
        stop: &stop,
    };
    let mut progress = Progress::new(began, plan.length());
    let mut tally = Tally::new(&plan);
    let mut findings = Findings::new(args, &stop);
    work.run(|done| {
        progress.one_more(&done);
        let done = findings.look_at(done, &progress)?;
        progress.know(findings.kinds());
        tally.take(done);
        Ok(())
    })?;
    progress.finish();
    conclude(args, &stop, &progress, tally, &findings, began.elapsed())
}

/// Shows and writes what came of it, also when it was interrupted.
fn conclude(
    args: &Args,
    stop: &Stop,
    progress: &Progress,
    tally: Tally,
    findings: &Findings<'_>,
    took: Duration,
) -> Result<Exit, anyhow::Error> {
    let report = Report {
        format: FORMAT,
        producer: concat!("squall ", env!("CARGO_PKG_VERSION")).to_owned(),
        target: "the simulated broker".to_owned(),
        micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        groups: tally.groups(),
    };
    if report.groups.is_empty() && stop.is_set() {
        output::complain("interrupted before the first run was over\n");
        return Ok(Exit::Failed);
    }
    let exit = args.results.show(&report)?;
    if !args.results.prints_json() {
        let found: String = findings.lines().collect();
        // A reader that has gone does not change what holds.
        _ = output::print(&format!("{found}{}\n", progress.line()))?;
    }
    if !stop.is_set() {
        return Ok(exit);
    }
    output::complain("interrupted: this is what came of the runs by then\n");
    if exit == Exit::Held {
        return Ok(Exit::Failed);
    }
    Ok(exit)
}
