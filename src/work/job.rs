use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use squall_proto::Version;
use squall_reports::{Crash, TestResult, Verdict};
use squall_sim::{
    account::crashes,
    mutants::Mutant,
    scenario::Scenario,
    target::Subject,
    trace::Trace,
    verdict::{Failure, INTERRUPTED, Judged, Judging, judge_subject},
};

use crate::target::Target;

/// One scenario with one version and one seed.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) source: Source,
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) version: Version,
    pub(crate) seed: u64,
    pub(crate) judging: Judging,
    /// Who is broken, if anybody.
    pub(crate) mutant: Option<&'static Mutant>,
    /// Whose broker it is, if it is not the simulated one.
    pub(crate) target: Option<Arc<Target>>,
}

/// Where a scenario is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// Drawn from the seed that it runs with.
    Swarm,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) struct Done {
    /// The job's place among the jobs.
    pub(crate) place: usize,
    pub(crate) job: Job,
    pub(crate) result: TestResult,
    pub(crate) failures: Vec<Failure>,
    pub(crate) runs: u32,
    pub(crate) simulated: Duration,
    /// Of the run with faults.
    pub(crate) events: usize,
    /// How often the broker crashed in it, and at which packet each time.
    pub(crate) crashes: Vec<Crash>,
    /// Its history; empty unless asked for.
    pub(crate) trace: Trace,
}

impl Job {
    /// Does it, in this thread.
    pub(super) fn run(self, place: usize, with_trace: bool) -> Done {
        let began = Instant::now();
        let mut judged = self.judge();
        let trace = std::mem::take(&mut judged.trace);
        Done {
            place,
            runs: judged.runs,
            simulated: judged.simulated,
            events: trace.events.len(),
            crashes: crashes(&trace),
            trace: if with_trace { trace } else { Trace::default() },
            failures: judged.failures.clone(),
            result: self.result(judged, began.elapsed()),
            job: self,
        }
    }

    fn judge(&self) -> Judged {
        let subject = match (&self.target, self.mutant) {
            (Some(target), _) => match target.lacks(&self.scenario, self.version) {
                Some(why) => return Judged::unsupported(why),
                None => Subject::Real(target.as_ref()),
            },
            (None, Some(mutant)) => Subject::Mutant(mutant),
            (None, None) => Subject::Ours,
        };
        judge_subject(&self.scenario, self.version, self.seed, self.judging, subject)
    }

    /// The name of the scenario's file, and which variant of it.
    pub(crate) fn name(&self) -> String {
        let name = match &self.source {
            Source::File(file) => file.file_stem().unwrap_or_default().to_string_lossy(),
            Source::Swarm => "swarm".into(),
        };
        match self.scenario.variant.as_str() {
            "" => name.into_owned(),
            variant => format!("{name} {variant}"),
        }
    }

    /// What the report says of it.
    pub(crate) fn result(&self, judged: Judged, took: Duration) -> TestResult {
        let (version, seed) = (self.version, self.seed);
        let name = match self.scenario.variant.as_str() {
            "" => String::new(),
            variant => format!("{variant} "),
        };
        TestResult {
            name: format!("{name}{version} seed {seed}"),
            mqtt: version.to_string(),
            statements: judged.statements,
            repeat: (!judged.verdict.holds()).then(|| self.repeat()),
            verdict: judged.verdict,
            micros: micros(took),
            simulated_micros: self.target.is_none().then(|| micros(judged.simulated)),
            durability: judged.durability,
            packets: judged.packets,
        }
    }

    /// The command that does it again.
    fn repeat(&self) -> String {
        let (version, seed) = (self.version, self.seed);
        let option = match self.scenario.variant.as_str() {
            "" => String::new(),
            variant => format!(" --variant \"{variant}\""),
        };
        let mutant = self.mutant.map(|mutant| format!(" --mutant {}", mutant.name));
        let mutant = mutant.unwrap_or_default();
        let target = self
            .target
            .as_ref()
            .map(|target| format!(" --target {}", target.called()));
        let target = target.unwrap_or_default();
        match &self.source {
            Source::File(file) => {
                format!(
                    "squall run {}{option} --mqtt {version} --seed {seed}{mutant}{target}",
                    file.display()
                )
            }
            Source::Swarm => format!("squall sweep --swarm --seeds {seed}..{}", seed.saturating_add(1)),
        }
    }
}

impl Done {
    /// Whether it was broken off, and says nothing.
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(&self.result.verdict, Verdict::Inconclusive { why } if why == INTERRUPTED)
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
