//! Which cases about clients run, how one runs, and what comes of it.

use std::sync::Arc;

use squall_proto::Version;
use squall_reports::{PacketLine, Report, Statement, TestResult, Verdict};
use tokio::time::{Instant, timeout};

use super::{Case, Launch, SECTIONS, Section, Stage};
use crate::{
    Outcome, Settings, Stop,
    context::log::Log,
    statement,
    suite::{AT_MOST, grouped},
};

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

/// The cases of these versions that any of the words selects, in the order of the standard; without words, all. A word is what it is
/// for brokers: see [`crate::select`].
#[must_use]
pub fn select(versions: &[Version], words: &[String]) -> Vec<Selected> {
    let cases = SECTIONS
        .iter()
        .flat_map(|section| section.cases.iter().map(move |case| (section, case)));
    let each = cases.flat_map(|(section, case)| Version::ALL.map(|version| (section, case, version)));
    each.enumerate()
        .map(|(place, (section, case, version))| Selected {
            section,
            case,
            version,
            place,
        })
        .filter(|one| !one.case.covers(one.version).is_empty() && versions.contains(&one.version))
        .filter(|one| words.is_empty() || words.iter().any(|word| one.is_meant_by(word)))
        .collect()
}

/// Starts the client once, and says what its driver knows.
///
/// # Errors
///
/// Why it is no driver, in words for whoever wrote it.
pub async fn answers(settings: &Settings, launch: &Arc<dyn Launch>) -> Result<Vec<String>, String> {
    match stage(Version::V3_1_1, settings, launch, Log::start()).await {
        Ok(stage) => Ok(stage.driver.known().to_vec()),
        Err(Stop::Inconclusive(why) | Stop::Unsupported(why) | Stop::Choice(why)) => Err(why),
        Err(Stop::Broken { got, .. }) => Err(got),
    }
}

/// Runs one case, with a client of its own.
pub async fn run(selected: Selected, settings: &Settings, launch: &Arc<dyn Launch>) -> TestResult {
    let start = Instant::now();
    let log = Log::start();
    let patience = settings.patience + AT_MOST;
    let outcome = match timeout(patience, outcome(selected, settings, launch, log.clone())).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Stop::Inconclusive("the case came to no end".into())),
    };
    let (verdict, packets) = match outcome {
        Ok(()) => (Verdict::Pass, Vec::new()),
        Err(stop) => (stop.verdict(selected.case.level(selected.version)), log.lines()),
    };
    TestResult {
        micros: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        ..selected.result(verdict, packets, settings)
    }
}

/// The result of a case that had not ended when the run was interrupted.
#[must_use]
pub fn interrupted(selected: Selected, settings: &Settings) -> TestResult {
    let why = "interrupted before it ended".into();
    selected.result(Verdict::Inconclusive { why }, Vec::new(), settings)
}

/// Puts results together, in the order of the standard, whatever order they came in.
#[must_use]
pub fn report(client: String, micros: u64, mut results: Vec<(Selected, TestResult)>) -> Report {
    results.sort_by_key(|(selected, _)| selected.place);
    let results = results
        .into_iter()
        .map(|(selected, result)| (selected.section.to_string(), result));
    grouped(client, micros, results)
}

async fn stage(version: Version, settings: &Settings, launch: &Arc<dyn Launch>, log: Log) -> Outcome<Stage> {
    let launched = launch.launch(version).await;
    let launched =
        launched.map_err(|error| Stop::Inconclusive(format!("the client cannot be started: {error}")))?;
    Stage::new(launched, version, settings.patience, log).await
}

async fn outcome(selected: Selected, settings: &Settings, launch: &Arc<dyn Launch>, log: Log) -> Outcome {
    let stage = stage(selected.version, settings, launch, log).await?;
    (selected.case.run)(stage).await
}

impl Selected {
    /// The case's name with the version: unique in the suite.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.case.name, self.version)
    }

    fn is_meant_by(&self, word: &str) -> bool {
        let (case, section) = (self.case, self.section);
        let mut cases = SECTIONS.iter().flat_map(|section| section.cases);
        if cases.any(|case| case.name == word) {
            return case.name == word;
        }
        case.name.contains(&word.to_lowercase().replace([' ', '-'], "_"))
            || case.covers(self.version).contains(&word)
            || section.number == word
            || section.number.starts_with(&format!("{word}."))
            || section.title.eq_ignore_ascii_case(word)
    }

    fn result(&self, verdict: Verdict, packets: Vec<PacketLine>, settings: &Settings) -> TestResult {
        let named = |id: &&str| Statement {
            id: (*id).into(),
            gist: statement(self.version, id).map_or_else(String::new, |known| known.gist.clone()),
        };
        TestResult {
            name: self.name(),
            mqtt: self.version.to_string(),
            statements: self.case.covers(self.version).iter().map(named).collect(),
            verdict,
            micros: 0,
            simulated_micros: None,
            durability: None,
            packets,
            repeat: Some(format!(
                "{} --mqtt {} --filter {} -- COMMAND",
                settings.command, self.version, self.case.name
            )),
        }
    }
}
