//! Runs jobs on all cores and hands them back in their order.

use std::{
    collections::BTreeMap,
    mem,
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use squall_proto::Version;
use squall_reports::TestResult;
use squall_sim::{
    mutants::Mutant,
    scenario::Scenario,
    trace::Trace,
    verdict::{Judged, judge_with},
};

use crate::output;

/// One scenario with one version and one seed.
pub(super) struct Job {
    pub(super) file: PathBuf,
    pub(super) scenario: Arc<Scenario>,
    pub(super) version: Version,
    pub(super) seed: u64,
}

/// What came of a job.
pub(super) struct Done {
    /// The job's place among the jobs.
    pub(super) place: usize,
    pub(super) result: TestResult,
    pub(super) runs: u32,
    pub(super) simulated: Duration,
    /// Its history; empty unless asked for.
    pub(super) trace: Trace,
}

/// What there is to do, and how.
pub(super) struct Work<'a> {
    pub(super) jobs: &'a [Job],
    /// Runs at a time; one, if nobody knows better.
    pub(super) threads: Option<NonZeroUsize>,
    /// Run without faults too.
    pub(super) control: bool,
    /// Who is broken, if anybody.
    pub(super) mutant: Option<&'static Mutant>,
    /// Keep traces.
    pub(super) traces: bool,
}

impl Work<'_> {
    /// Runs all jobs, or as many as are begun when the process is interrupted. `take` gets each in the order of the jobs.
    pub(super) fn run(
        &self,
        mut take: impl FnMut(&Done) -> Result<(), anyhow::Error>,
    ) -> Result<Vec<Done>, anyhow::Error> {
        let stop = Arc::new(AtomicBool::new(false));
        stop_on_interrupt(Arc::clone(&stop))?;
        let next = AtomicUsize::new(0);
        let progress = progress(self.jobs.len());
        let (hand_in, handed_in) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..self.threads.map_or(1, NonZeroUsize::get) {
                let (hand_in, stop, next) = (hand_in.clone(), &stop, &next);
                scope.spawn(move || self.some(next, stop, &hand_in));
            }
            drop(hand_in);
            let mut early = BTreeMap::new();
            let mut done = Vec::new();
            for one in handed_in {
                progress.inc(1);
                early.insert(one.place, one);
                while let Some(mut next) = early.remove(&done.len()) {
                    let taken = take(&next);
                    next.trace = Trace::default();
                    done.push(next);
                    if let Err(error) = taken {
                        stop.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            progress.finish_and_clear();
            Ok(done)
        })
    }

    /// What one thread does.
    fn some(&self, next: &AtomicUsize, stop: &AtomicBool, hand_in: &mpsc::Sender<Done>) {
        while !stop.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = self.jobs.get(place) else { return };
            // Who took the results has gone: an error ended it all.
            if hand_in.send(self.one(place, job)).is_err() {
                return;
            }
        }
    }

    fn one(&self, place: usize, job: &Job) -> Done {
        let began = Instant::now();
        let mut judged = judge_with(&job.scenario, job.version, job.seed, self.control, self.mutant);
        let trace = if self.traces {
            mem::take(&mut judged.trace)
        } else {
            Trace::default()
        };
        Done {
            place,
            runs: judged.runs,
            simulated: judged.simulated,
            trace,
            result: job.result(judged, began.elapsed(), self.mutant),
        }
    }
}

impl Job {
    /// The name of the scenario's file, and which variant of it.
    pub(super) fn name(&self) -> String {
        let file = self.file.file_stem().unwrap_or_default().to_string_lossy();
        match self.scenario.variant.as_str() {
            "" => file.into_owned(),
            variant => format!("{file} {variant}"),
        }
    }

    fn result(&self, judged: Judged, took: Duration, mutant: Option<&Mutant>) -> TestResult {
        let (version, seed) = (self.version, self.seed);
        let (name, option) = match self.scenario.variant.as_str() {
            "" => (String::new(), String::new()),
            variant => (format!("{variant} "), format!(" --variant \"{variant}\"")),
        };
        let mutant = mutant.map_or_else(String::new, |mutant| format!(" --mutant {}", mutant.name));
        let repeat = format!(
            "squall run {}{option} --mqtt {version} --seed {seed}{mutant}",
            self.file.display()
        );
        TestResult {
            name: format!("{name}{version} seed {seed}"),
            mqtt: version.to_string(),
            statements: judged.statements,
            repeat: (!judged.verdict.holds()).then_some(repeat),
            verdict: judged.verdict,
            micros: micros(took),
            simulated_micros: Some(micros(judged.simulated)),
            packets: judged.packets,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Sets the flag at the first Ctrl-C; what was done by then is still shown and written.
fn stop_on_interrupt(stop: Arc<AtomicBool>) -> Result<(), anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot listen for Ctrl-C")?;
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
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
