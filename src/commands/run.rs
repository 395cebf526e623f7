//! `squall run`: scenarios in the simulated world, or with another program as the broker.

mod records;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use squall_proto::Version;
use squall_reports::{FORMAT, Group, Report, TestResult};
use squall_sim::{
    mutants::{Mutant, mutants},
    scenario::Scenario,
    trace::Side,
    verdict::Judging,
};

use self::records::Records;
pub(super) use self::records::create;
use crate::{
    exit::{Exit, Misuse},
    output,
    results::ResultArgs,
    target::{self, Target},
    work::{Done, Job, Seeds, Source, Stop, Work, chosen, rate, read, version},
};

/// Run scenarios in the simulated world, or with a real broker
///
/// Each runs twice with each version of the protocol, which must give the same history, and once more without its faults. Every
/// check watches every run. With --target the broker is a program that is started for each run, and killed where the scenario says
/// so: clients, network, faults and checks are the same, in real time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall run scenarios                                 all of them, with seed 0
  squall run scenarios/no-will-after-disconnect.yaml --mqtt 5.0 --seed 7
  squall run scenarios --seeds 0..1000 --report junit=result.xml
  squall run scenarios/will-in-every-way.yaml --variant \"delay=5s,reconnect=never\"
  squall run scenarios --trace trace.jsonl             every packet, fault and connection as JSON lines
  squall run scenarios/no-will-after-disconnect.yaml --pcap run.pcapng
  squall run scenarios/no-will-after-disconnect.yaml --mutant broker-does-not-hear-disconnect    see it fail
  squall run scenarios --target squall --longest 30s   the broker of this program, in processes of its own
  squall run scenarios --target ./broker.toml          any broker: docs/TARGETS.md")]
pub(crate) struct Args {
    /// Scenario files, or folders of them
    #[arg(required_unless_present_any = ["list_mutants", "list_targets"], value_name = "SCENARIO|FOLDER")]
    scenarios: Vec<PathBuf>,
    /// What decides all that is left to chance: the same seed gives the same run
    #[arg(long, value_name = "N", conflicts_with = "seeds", default_value_t = 0)]
    seed: u64,
    /// Many seeds: how many from 0 on, or the first and the one after the last
    #[arg(long, value_name = "N|A..B")]
    seeds: Option<Seeds>,
    /// With this version of the protocol alone
    #[arg(long, value_name = "3.1.1|5.0", value_parser = version)]
    mqtt: Option<Version>,
    /// Of a scenario with variants, those alone that have all of these parts in their names
    #[arg(long, value_name = "PART,..")]
    variant: Option<String>,
    /// Write the history of every run to a file, as JSON lines
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write the history of every run to a capture file that Wireshark opens (pcapng)
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// How many runs at a time; one a core by default, four with --target
    #[arg(long, value_name = "J")]
    jobs: Option<NonZeroUsize>,
    /// Leave out the runs without faults
    #[arg(long)]
    no_control: bool,
    /// With a broker or clients that are broken on purpose, to see the scenario fail
    #[arg(long, value_name = "NAME", value_parser = mutant)]
    mutant: Option<&'static Mutant>,
    /// With a real broker: the name of a profile, or the file of one (TOML)
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "mutant")]
    target: Option<String>,
    /// With --target: leave out scenarios that take longer in real time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "60s", requires = "target")]
    longest: Duration,
    /// List the profiles that --target knows, and run nothing
    #[arg(long)]
    list_targets: bool,
    /// List the mutants, and run nothing
    #[arg(long)]
    list_mutants: bool,
    #[command(flatten)]
    results: ResultArgs,
}

/// Runs at a time with a target: they wait most of their time.
const AT_A_TIME: Option<NonZeroUsize> = NonZeroUsize::new(4);

fn mutant(name: &str) -> Result<&'static Mutant, String> {
    Mutant::find(name).ok_or_else(|| "`squall run --list-mutants` lists them".to_owned())
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    args.results.check()?;
    if args.list_mutants {
        return list_mutants();
    }
    if args.list_targets {
        return list_targets();
    }
    let stop = Stop::on_interrupt()?;
    let target = args
        .target
        .as_ref()
        .map(|called| Target::new(called, args.longest, &stop));
    let target = target.transpose()?.map(Arc::new);
    let Some(scenarios) = read(&args.scenarios) else {
        return Ok(Exit::Misused);
    };
    let scenarios = match &args.variant {
        Some(wanted) => chosen(scenarios, wanted)?,
        None => scenarios,
    };
    let jobs = jobs(args, &scenarios, target.as_ref());
    if let Some(problem) = target.as_ref().and_then(|target| nothing_to_run(target, &jobs)) {
        return Err(problem.into());
    }
    let mut records = Records::create(args.trace.as_deref(), args.pcap.as_deref())?;
    let began = Instant::now();
    let work = Work {
        job: &|place| jobs.get(place).cloned(),
        threads: args.jobs.or_else(|| target.as_ref().and(AT_A_TIME)),
        traces: records.are_wanted(),
        stop: &stop,
    };
    let progress = progress(jobs.len());
    let mut all = Vec::new();
    work.run(|mut done| {
        progress.inc(1);
        let trace = std::mem::take(&mut done.trace);
        records.add(&done.job, &trace)?;
        all.push(done);
        Ok(())
    })?;
    progress.finish_and_clear();
    records.finish()?;
    conclude(args, target.as_deref(), jobs.len(), all, began.elapsed())
}

fn list_targets() -> Result<Exit, anyhow::Error> {
    let mut list = String::new();
    for profile in target::profiles()? {
        let about = format!("{}, MQTT {}", profile.about, profile.versions.join(" and "));
        list.push_str(&format!("{:<12} {about}; {}\n", profile.name, profile.declares()));
    }
    let _ = output::print(&list).context("cannot print the list")?;
    Ok(Exit::Held)
}

/// A file that was named alone, and cannot be put to a target at all.
fn nothing_to_run(target: &Target, jobs: &[Job]) -> Option<Misuse> {
    let first = jobs.first()?;
    let is_alone = jobs.iter().all(|job| job.source == first.source);
    let mut why = None;
    for job in jobs.iter().filter(|_| is_alone) {
        why = Some(target.lacks(&job.scenario, job.version)?);
    }
    let mend = "run it without --target, in the simulated world; --help says more of --longest";
    why.map(|why| {
        Misuse::new(
            format!("`{}` cannot be put to `{}`: {why}", first.name(), target.called()),
            mend,
        )
    })
}

fn list_mutants() -> Result<Exit, anyhow::Error> {
    let mut list = String::new();
    for (_, mutant) in mutants() {
        let side = match mutant.side {
            Side::Client => "client",
            Side::Broker => "broker",
        };
        list.push_str(&format!("{:<44} the {side} {}\n", mutant.name, mutant.does));
    }
    let _ = output::print(&list).context("cannot print the list")?;
    Ok(Exit::Held)
}

fn jobs(args: &Args, scenarios: &[(PathBuf, Arc<Scenario>)], target: Option<&Arc<Target>>) -> Vec<Job> {
    let seeds = args.seeds.unwrap_or_else(|| Seeds::one(args.seed));
    let judging = Judging {
        control: !args.no_control,
        ..match target {
            Some(_) => Judging::REAL,
            None => Judging::WHOLE,
        }
    };
    let mut jobs = Vec::new();
    for (file, scenario) in scenarios {
        let wanted = |version: &&Version| args.mqtt.is_none_or(|wanted| wanted == **version);
        for version in scenario.versions.iter().filter(wanted) {
            jobs.extend(seeds.iter().map(|seed| Job {
                source: Source::File(file.clone()),
                scenario: Arc::clone(scenario),
                version: *version,
                seed,
                judging,
                mutant: args.mutant,
                target: target.cloned(),
            }));
        }
    }
    jobs
}

/// Shows and writes what came of it, also when it was interrupted.
fn conclude(
    args: &Args,
    target: Option<&Target>,
    asked: usize,
    done: Vec<Done>,
    took: Duration,
) -> Result<Exit, anyhow::Error> {
    let ran = done.len();
    let runs: u64 = done.iter().map(|done| u64::from(done.runs)).sum();
    let simulated: Duration = done.iter().map(|done| done.simulated).sum();
    let report = Report {
        format: FORMAT,
        producer: concat!("squall ", env!("CARGO_PKG_VERSION")).to_owned(),
        target: target.map_or_else(|| "the simulated broker".to_owned(), Target::title),
        micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        groups: groups(done),
    };
    if ran == 0 && asked > 0 {
        output::complain("interrupted before the first run was over\n");
        return Ok(Exit::Failed);
    }
    let exit = args.results.show(&report)?;
    if !args.results.prints_json() && target.is_none() {
        let _ = output::print(&format!("{}\n", rate(runs, simulated, took)))
            .context("cannot print the summary")?;
    }
    if ran < asked && exit == Exit::Held {
        output::complain(&format!("interrupted: {ran} of {asked} were run\n"));
        return Ok(Exit::Failed);
    }
    Ok(exit)
}

/// One group a file, in the order of the jobs.
fn groups(done: Vec<Done>) -> Vec<Group> {
    let mut groups: Vec<(Source, Group)> = Vec::new();
    for done in done {
        let result: TestResult = done.result;
        match groups.last_mut() {
            Some((source, group)) if *source == done.job.source => group.results.push(result),
            Some(_) | None => {
                let name = done.job.scenario.name.clone();
                let results = vec![result];
                groups.push((
                    done.job.source,
                    Group {
                        name,
                        target: None,
                        results,
                    },
                ));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// A bar on standard error, while somebody watches it.
fn progress(length: usize) -> ProgressBar {
    if !output::watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
