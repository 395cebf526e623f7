//! From a scenario to a verdict: it runs twice, which must give the same trace, is shown to every check, and runs once more without
//! its faults. [`Failure`] is what two runs have in common that fail alike.

mod failure;
#[cfg(test)]
mod tests;

pub use failure::Failure;

use std::{sync::Arc, time::Duration};

use squall_proto::Version;
use squall_reports::{Durability, POINTER, PacketLine, Statement, Verdict};

use crate::{
    account::account,
    checks::{Delivered, Finding, Path, check_within, differences},
    mutants::Mutant,
    run::{Arm, Ending, Run},
    scenario::{Same, Scenario},
    target::Subject,
    trace::{Lines, Trace},
};

/// What came of one scenario with one version and one seed.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Whether all held.
    pub verdict: Verdict,
    /// The check that found what did not.
    pub statements: Vec<Statement>,
    /// Everything that did not hold, in the order in which it was found.
    pub failures: Vec<Failure>,
    /// What became of what was acknowledged, where the broker was a process of the machine.
    pub durability: Option<Durability>,
    /// The packets around what did not hold, oldest first.
    pub packets: Vec<PacketLine>,
    /// The history of the run with faults.
    pub trace: Trace,
    /// How many runs of it it took.
    pub runs: u32,
    /// Virtual time over all of them.
    pub simulated: Duration,
}

/// What a scenario is put to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judging {
    /// It runs twice, which must give the same history.
    pub twice: bool,
    /// It must pass without its faults too, unless it says otherwise.
    pub control: bool,
    /// Each of its faults must touch something.
    pub touched: bool,
    /// What its steps begin must be over in time.
    pub over: bool,
}

impl Judging {
    /// All of it.
    pub const WHOLE: Self = Self {
        twice: true,
        control: true,
        touched: true,
        over: true,
    };
    /// What can be asked where no run is the same again.
    pub const REAL: Self = Self {
        twice: false,
        ..Self::WHOLE
    };
    /// One run, and what the checks say of it.
    pub const ONCE: Self = Self {
        twice: false,
        control: false,
        touched: false,
        over: true,
    };
}

/// Why a run that was broken off says nothing.
pub const INTERRUPTED: &str = "it was interrupted";
/// Packets shown on each side of what did not hold.
const AROUND: usize = 6;

/// Runs and judges a scenario. With `control`, and unless the scenario says otherwise, it must pass without its faults too.
pub fn judge(scenario: &Scenario, version: Version, seed: u64, control: bool) -> Judged {
    judge_with(scenario, version, seed, control, None)
}

/// Runs and judges a scenario with a broker or clients that are broken: that it holds all the same is `Inconclusive` where the mutant
/// had no occasion to do anything wrong.
pub fn judge_with(
    scenario: &Scenario,
    version: Version,
    seed: u64,
    control: bool,
    mutant: Option<&Mutant>,
) -> Judged {
    let judging = Judging {
        control,
        ..Judging::WHOLE
    };
    judge_by(scenario, version, seed, judging, mutant)
}

/// Puts a scenario to what `judging` says, with a broker or clients that are broken, if a mutant is given.
pub fn judge_by(
    scenario: &Scenario,
    version: Version,
    seed: u64,
    judging: Judging,
    mutant: Option<&Mutant>,
) -> Judged {
    let subject = mutant.map_or(Subject::Ours, Subject::Mutant);
    judge_subject(scenario, version, seed, judging, subject)
}

/// Puts a scenario and a broker to what `judging` says.
pub fn judge_subject(
    scenario: &Scenario,
    version: Version,
    seed: u64,
    judging: Judging,
    subject: Subject<'_>,
) -> Judged {
    let run = |arm| subject.run(scenario, version, seed, arm);
    let first = run(Arm::Faults);
    let mut judged = Judged {
        verdict: Verdict::Pass,
        statements: Vec::new(),
        failures: Vec::new(),
        durability: None,
        packets: Vec::new(),
        runs: 1,
        simulated: first.simulated,
        trace: Trace::default(),
    };
    if judging.twice {
        judged.of_second(&first, &run(Arm::Faults));
    }
    if judged.verdict.holds() {
        judged.of_run(scenario, version, true, subject, &first);
    }
    if judged.verdict.holds() && judging.over {
        judged.of_end(scenario, true, &first);
    }
    if judged.verdict.holds() && judging.touched {
        judged.of_untouched(&first);
    }
    if judged.verdict.holds() {
        let path = Path {
            scenario,
            version,
            trace: &first.trace,
            is_real: subject.is_real(),
        };
        judged.of_paths(path, seed, subject);
    }
    if judged.verdict.holds() && judging.control && scenario.control && scenario.has_faults() {
        let without = run(Arm::Control);
        judged.runs += 1;
        judged.simulated += without.simulated;
        judged.of_run(scenario, version, false, subject, &without);
        if judged.verdict.holds() {
            judged.of_end(scenario, false, &without);
        }
    }
    if judged.verdict.holds()
        && let Some(mutant) = subject.mutant().filter(|_| first.mutated == 0)
    {
        judged.verdict = Verdict::Inconclusive {
            why: format!(
                "the mutant `{}` had no occasion to do anything wrong",
                mutant.name
            ),
        };
    }
    judged.trace = first.trace;
    judged
}

impl Judged {
    /// It was not run, because whose broker it was to be cannot be put to it: why.
    pub const fn unsupported(why: String) -> Self {
        Self {
            verdict: Verdict::Unsupported { why },
            statements: Vec::new(),
            failures: Vec::new(),
            durability: None,
            packets: Vec::new(),
            trace: Trace { events: Vec::new() },
            runs: 0,
            simulated: Duration::ZERO,
        }
    }

    /// The same once more, which must give the same.
    fn of_second(&mut self, first: &Run, second: &Run) {
        self.runs += 1;
        self.simulated += second.simulated;
        if let Some(why) = difference(first, second) {
            self.failures.push(Failure::new("two_runs_differ", "", true));
            self.verdict = Verdict::Inconclusive { why };
        }
    }

    fn of_run(
        &mut self,
        scenario: &Scenario,
        version: Version,
        with_faults: bool,
        subject: Subject<'_>,
        run: &Run,
    ) {
        if let Ending::Panicked(panic) = &run.end {
            self.failures.push(Failure::new("panic", panic, with_faults));
            self.fail(with_faults, "no panic".to_owned(), panic.clone());
            return;
        }
        if run.end == Ending::Endless {
            self.failures.push(Failure::new("endless", "", with_faults));
            let expected = format!("an end within {} events", scenario.events_max);
            self.fail(with_faults, expected, "it went on".to_owned());
            self.packets = packets(&run.trace, &[run.trace.events.len().saturating_sub(1)]);
            return;
        }
        if self.of_broken(with_faults, run) {
            return;
        }
        let findings = check_within(scenario, version, with_faults, subject.slack(), &run.trace);
        let findings = self.of_durability(scenario, version, findings, subject, &run.trace);
        if !findings.is_empty() {
            self.of_findings(with_faults, &findings, &run.trace);
        }
    }

    /// What a process of the machine kept of what it acknowledged. What is left of the findings: who declares that nothing survives a crash is
    /// not blamed for what comes after one.
    fn of_durability(
        &mut self,
        scenario: &Scenario,
        version: Version,
        findings: Vec<Finding>,
        subject: Subject<'_>,
        trace: &Trace,
    ) -> Vec<Finding> {
        let Subject::Real(target) = subject else {
            return findings;
        };
        let durability = account(scenario, version, trace);
        let first_crash = durability.crashes.first().map(|crash| crash.at_micros);
        let lost = durability.lost.len();
        let acknowledged = durability.acknowledged_qos1 + durability.acknowledged_qos2;
        if self.durability.is_none() {
            self.durability = Some(durability);
        }
        let Some(first_crash) = first_crash.filter(|_| !target.promises(&scenario.broker)) else {
            return findings;
        };
        let is_before = |finding: &Finding| finding.at.as_micros() < first_crash;
        let all = findings.len();
        let blamed: Vec<Finding> = findings.into_iter().filter(is_before).collect();
        if blamed.is_empty() && all > 0 {
            self.verdict = Verdict::Choice {
                outcome: format!(
                    "it declares that nothing survives a crash, and lost {lost} of {acknowledged} that it had acknowledged"
                ),
            };
        }
        blamed
    }

    /// The broker is a process of the machine and was of no use. Whether that is so.
    fn of_broken(&mut self, with_faults: bool, run: &Run) -> bool {
        match &run.end {
            Ending::NotStarted(why) => {
                self.verdict = Verdict::Inconclusive {
                    why: format!("the broker did not start: {why}"),
                };
            }
            Ending::BrokerEnded(how) => {
                self.failures.push(Failure::new("broker_ended", "", with_faults));
                self.fail(with_faults, "the broker to go on".to_owned(), how.clone());
                self.packets = packets(&run.trace, &[run.trace.events.len().saturating_sub(1)]);
            }
            Ending::Interrupted => {
                self.verdict = Verdict::Inconclusive {
                    why: INTERRUPTED.to_owned(),
                };
            }
            Ending::Complete | Ending::Overdue(_) | Ending::Endless | Ending::Panicked(_) => return false,
        }
        true
    }

    /// What is not over when all of it should be.
    fn of_end(&mut self, scenario: &Scenario, with_faults: bool, run: &Run) {
        if let Ending::Overdue(owed) = &run.end {
            let expected = format!(
                "all of it to be over {} after the last step and heal",
                scenario.settle
            );
            let failures = owed.iter().map(|owed| Failure::new("overdue", owed, with_faults));
            self.failures.extend(failures);
            self.fail(with_faults, expected, owed.join("; "));
            self.packets = packets(&run.trace, &[run.trace.events.len().saturating_sub(1)]);
        }
    }

    /// Faults that touched nothing make a run prove nothing.
    fn of_untouched(&mut self, run: &Run) {
        let untouched = run
            .untouched
            .iter()
            .map(|untouched| format!("`{}`", untouched.fault));
        let untouched: Vec<String> = untouched.collect();
        if !untouched.is_empty() {
            self.failures
                .push(Failure::new("untouched", &untouched.join(", "), true));
            self.verdict = Verdict::Inconclusive {
                why: format!("touched nothing, so it proves nothing: {}", untouched.join(", ")),
            };
        }
    }

    /// Compares a run with that of another path, if it must deliver the same.
    fn of_paths(&mut self, path: Path<'_>, seed: u64, subject: Subject<'_>) {
        let scenario = path.scenario;
        let same = scenario.same.clone().unwrap_or_default();
        if scenario.known.is_wanted() && subject.mutant().is_none() {
            let delivered = Delivered::of(path, &same);
            scenario.known.add(path.version, seed, Arc::new(delivered));
        }
        if let Some(reference) = &scenario.reference {
            match delivered(reference, path.version, seed, subject, &same) {
                Ok(delivered) => {
                    let differences = differences(path, &delivered, &reference.variant);
                    self.of_findings(true, &differences, path.trace);
                }
                Err(run) => _ = self.of_broken(true, &run),
            }
        }
    }

    fn of_findings(&mut self, with_faults: bool, findings: &[Finding], trace: &Trace) {
        if let Some((first, more)) = findings.split_first() {
            let failures = findings
                .iter()
                .map(|finding| Failure::of_finding(finding, with_faults));
            self.failures.extend(failures);
            self.fail(with_faults, first.expected.clone(), in_words(first, more));
            self.statements = statements(findings);
            self.packets = packets(trace, &first.events);
        }
    }

    fn fail(&mut self, with_faults: bool, expected: String, got: String) {
        let expected = if with_faults {
            expected
        } else {
            format!("{expected} (without the faults)")
        };
        self.verdict = Verdict::Fail {
            expected: vec![expected],
            got,
        };
    }
}

/// What the scenario that another is compared with delivers, in the same version where it is for that. It is run for it, unless it has
/// been: its runs and their time are its own. A run of it that was broken off says nothing.
fn delivered(
    reference: &Scenario,
    version: Version,
    seed: u64,
    subject: Subject<'_>,
    same: &Same,
) -> Result<Arc<Delivered>, Run> {
    let is_for_it = reference.versions.contains(&version);
    let other_version = reference.versions.first().copied().filter(|_| !is_for_it);
    let version = other_version.unwrap_or(version);
    let known = reference.known.get(version, seed, same);
    if let Some(delivered) = known.filter(|_| subject.mutant().is_none()) {
        return Ok(delivered);
    }
    let run = subject.run(reference, version, seed, Arm::Faults);
    if run.is_broken() {
        return Err(run);
    }
    let path = Path {
        scenario: reference,
        version,
        trace: &run.trace,
        is_real: subject.is_real(),
    };
    let delivered = Arc::new(Delivered::of(path, same));
    if subject.mutant().is_none() {
        reference.known.add(version, seed, Arc::clone(&delivered));
    }
    Ok(delivered)
}

/// Where two runs with one seed went apart; the harness is at fault, or a source of chance that no seed decides.
fn difference(first: &Run, second: &Run) -> Option<String> {
    if first == second {
        return None;
    }
    let (first, second) = (&first.trace, &second.trace);
    let events = first.events.iter().zip(&second.events);
    let same = events.take_while(|(first, second)| first == second).count();
    let shown = |trace: &Trace| {
        let line = Lines::new(trace).line(same);
        line.map_or_else(
            || "the end".to_owned(),
            |line| format!("{} at {} us", line.text, line.at_micros),
        )
    };
    Some(format!(
        "two runs with the same seed differ at event {same}: {} and {}",
        shown(first),
        shown(second)
    ))
}

fn in_words(first: &Finding, more: &[Finding]) -> String {
    let mut got = format!("{} ({} at {})", first.got, first.check, first.at);
    for finding in more.iter().take(4) {
        got.push_str(&format!("\nalso: {finding}"));
    }
    if more.len() > 4 {
        got.push_str(&format!("\nand {} more", more.len() - 4));
    }
    got
}

fn statements(findings: &[Finding]) -> Vec<Statement> {
    let mut ids: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
    ids.sort_unstable();
    ids.dedup();
    let statement = |id: &str| Statement {
        id: id.to_owned(),
        gist: String::new(),
    };
    ids.into_iter().map(statement).collect()
}

/// The packets around what did not hold, after the faults that lasted then; what it is about itself is pointed at.
fn packets(trace: &Trace, events: &[usize]) -> Vec<PacketLine> {
    let lines = Lines::new(trace);
    let line = |index: usize| {
        let mut line = lines.line(index)?;
        if events.contains(&index) {
            line.text.push_str(POINTER);
        }
        Some(line)
    };
    let near = lines.around(events, AROUND);
    let faults = near
        .first()
        .map_or_else(Vec::new, |first| lines.faults_at(*first));
    faults.into_iter().chain(near).filter_map(line).collect()
}
