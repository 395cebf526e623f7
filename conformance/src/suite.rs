//! The suite: which cases run, how one runs, and what comes of them all.

use std::{sync::Arc, time::Duration};

use squall_proto::Version;
use squall_reports::{FORMAT, Group, Report, Statement, TestResult, Verdict};
use tokio::time::{Instant, timeout};

use crate::{Case, Context, SECTIONS, Section, Stop, Target, Transport, statement};

/// One case with one version.
#[derive(Clone, Copy, Debug)]
pub struct Selected {
    /// Where it stands.
    pub section: &'static Section,
    /// The case.
    pub case: &'static Case,
    /// The version it runs with.
    pub version: Version,
    /// Its place in the whole suite.
    place: usize,
}

/// How cases are run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long what must come may take before it counts as not coming.
    pub patience: Duration,
    /// At most six ASCII letters and digits that no run at the same target has had.
    pub unique: String,
    /// The command that runs a selection, up to where `--mqtt` and `--filter` are written: `squall conform --target mqtt://..`.
    pub command: String,
}

/// No case takes longer than this beyond what it waits for.
pub(crate) const AT_MOST: Duration = Duration::from_secs(120);

/// The cases of these versions that any of the words selects, in the order of the standard; without words, all. A word is a case's
/// name or a part of it, a section's number (`3.3`) or title, or a statement (`MQTT-3.3.1-5`).
#[must_use]
pub fn select(versions: &[Version], words: &[String]) -> Vec<Selected> {
    let mut place = 0;
    let mut selected = Vec::new();
    for section in SECTIONS {
        for case in section.cases {
            for version in Version::ALL {
                place += 1;
                let one = Selected {
                    section,
                    case,
                    version,
                    place,
                };
                let runs = !case.covers(version).is_empty() && versions.contains(&version);
                if runs && (words.is_empty() || words.iter().any(|word| one.is_meant_by(word))) {
                    selected.push(one);
                }
            }
        }
    }
    selected
}

/// Runs one case, and takes away what it left at the target.
pub async fn run(
    selected: Selected,
    settings: &Settings,
    target: &Arc<Target>,
    transport: &Arc<dyn Transport>,
) -> TestResult {
    let start = Instant::now();
    let (verdict, packets) = match target.refuses(selected.version) {
        Some(why) => (Verdict::Unsupported { why: why.into() }, Vec::new()),
        None => verdict(selected, settings, target, transport).await,
    };
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    TestResult {
        micros,
        packets,
        ..selected.result(verdict, settings)
    }
}

/// The result of a case that had not ended when the run was interrupted.
#[must_use]
pub fn interrupted(selected: Selected, settings: &Settings) -> TestResult {
    let why = "interrupted before it ended".into();
    selected.result(Verdict::Inconclusive { why }, settings)
}

/// Puts results together, in the order of the standard, whatever order they came in.
#[must_use]
pub fn report(target: String, micros: u64, mut results: Vec<(Selected, TestResult)>) -> Report {
    results.sort_by_key(|(selected, _)| selected.place);
    let results = results
        .into_iter()
        .map(|(selected, result)| (selected.section.to_string(), result));
    grouped(target, micros, results)
}

/// Results under the names of their groups, in their order.
pub(crate) fn grouped(
    target: String,
    micros: u64,
    results: impl Iterator<Item = (String, TestResult)>,
) -> Report {
    let mut groups: Vec<Group> = Vec::new();
    for (name, result) in results {
        match groups.last_mut() {
            Some(group) if group.name == name => group.results.push(result),
            Some(_) | None => groups.push(Group {
                name,
                target: None,
                results: vec![result],
            }),
        }
    }
    Report {
        format: FORMAT,
        producer: format!("squall {}", env!("CARGO_PKG_VERSION")),
        target,
        micros,
        groups,
    }
}

impl Selected {
    /// The case's name with the version: unique in the suite.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.case.name, self.version)
    }

    fn is_meant_by(&self, word: &str) -> bool {
        let (case, section) = (self.case, self.section);
        let names_a_case = SECTIONS
            .iter()
            .flat_map(|section| section.cases)
            .any(|case| case.name == word);
        if names_a_case {
            return case.name == word;
        }
        case.name.contains(&word.to_lowercase().replace([' ', '-'], "_"))
            || case.covers(self.version).contains(&word)
            || section.number == word
            || section.number.starts_with(&format!("{word}."))
            || section.title.eq_ignore_ascii_case(word)
    }

    fn result(&self, verdict: Verdict, settings: &Settings) -> TestResult {
        let covers = self.case.covers(self.version);
        let named = |id: &&str| Statement {
            id: (*id).into(),
            gist: statement(self.version, id).map_or_else(String::new, |known| known.gist.clone()),
        };
        TestResult {
            name: self.name(),
            mqtt: self.version.to_string(),
            statements: covers.iter().map(named).collect(),
            verdict,
            micros: 0,
            simulated_micros: None,
            durability: None,
            packets: Vec::new(),
            repeat: Some(format!(
                "{} --mqtt {} --filter {}",
                settings.command, self.version, self.case.name
            )),
        }
    }
}

async fn verdict(
    selected: Selected,
    settings: &Settings,
    target: &Arc<Target>,
    transport: &Arc<dyn Transport>,
) -> (Verdict, Vec<squall_reports::PacketLine>) {
    let context = Context::new(
        selected.version,
        settings.patience,
        Arc::clone(target),
        Arc::clone(transport),
        format!("{}{:03}", settings.unique, selected.place),
    );
    let case = selected.case;
    let lacks = case.needs.iter().find_map(|capability| target.lacks(*capability));
    if let Some(why) = lacks {
        return (Verdict::Unsupported { why }, Vec::new());
    }
    let outcome = match timeout(settings.patience + AT_MOST, (case.run)(context.clone())).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Stop::Inconclusive("the case came to no end".into())),
    };
    let packets = context.lines();
    context.clean_up().await;
    match outcome {
        Ok(()) => (Verdict::Pass, Vec::new()),
        Err(stop) => (stop.verdict(case.level), packets),
    }
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.number, self.title)
    }
}
