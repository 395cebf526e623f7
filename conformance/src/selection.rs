//! Which cases run, and what comes of them all: the same for brokers and for clients.

use squall_proto::Version;
use squall_reports::{FORMAT, Group, Report, Statement, TestResult, Verdict};

use crate::{AnyCase, Section, Settings, statement};

/// One case with one version.
#[derive(Debug)]
pub struct Selected<C: 'static = crate::Case> {
    /// Where it stands.
    pub section: &'static Section<C>,
    /// The case.
    pub case: &'static C,
    /// The version it runs with.
    pub version: Version,
    /// Its place in the whole suite.
    pub(crate) place: usize,
}

impl<C> Copy for Selected<C> {}

impl<C> Clone for Selected<C> {
    fn clone(&self) -> Self {
        *self
    }
}

/// The cases of these versions that any of the words selects, in the order of the standard; without words, all. A word is a case's
/// name or a part of it, a section's number (`3.3`) or title, or a statement (`MQTT-3.3.1-5`).
#[must_use]
pub fn select<C: AnyCase>(versions: &[Version], words: &[String]) -> Vec<Selected<C>> {
    let cases = C::sections()
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
        .filter(|one| !one.covers().is_empty() && versions.contains(&one.version))
        .filter(|one| words.is_empty() || words.iter().any(|word| one.is_meant_by(word)))
        .collect()
}

/// The result of a case that had not ended when the run was interrupted.
#[must_use]
pub fn interrupted<C: AnyCase>(selected: Selected<C>, settings: &Settings) -> TestResult {
    let why = "interrupted before it ended".into();
    selected.result(Verdict::Inconclusive { why }, settings)
}

/// The result of a case that was expected to fail: a failure is known, and so is that the case got no further than to one that others
/// count; a pass is a failure, for what is expected is out of date.
#[must_use]
pub fn expected_to_fail(result: TestResult, why: &str) -> TestResult {
    let verdict = match result.verdict {
        Verdict::Fail { got, .. } => Verdict::Known {
            why: format!("{why}; it did: {got}"),
        },
        Verdict::Inconclusive { why: undecided } => Verdict::Known {
            why: format!("{why}; so it is undecided: {undecided}"),
        },
        Verdict::Pass => Verdict::Fail {
            expected: vec![format!("it to fail: {why}")],
            got: "it passed: it is to be expected no more".to_owned(),
        },
        other @ (Verdict::Deviation { .. }
        | Verdict::Choice { .. }
        | Verdict::Unsupported { .. }
        | Verdict::Known { .. }) => other,
    };
    TestResult { verdict, ..result }
}

/// Puts results together, in the order of the standard, whatever order they came in. `target` is what reports call what was tested.
#[must_use]
pub fn report<C>(target: String, micros: u64, mut results: Vec<(Selected<C>, TestResult)>) -> Report {
    results.sort_by_key(|(selected, _)| selected.place);
    let mut groups: Vec<Group> = Vec::new();
    for (selected, result) in results {
        let name = selected.section.to_string();
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

impl<C: AnyCase> Selected<C> {
    /// The case's name with the version: unique in its suite.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.case.name(), self.version)
    }

    /// The statements it decides.
    #[must_use]
    pub fn covers(&self) -> &'static [&'static str] {
        self.case.covers(self.version)
    }

    fn is_meant_by(&self, word: &str) -> bool {
        let (name, section) = (self.case.name(), self.section);
        if C::all().any(|case| case.name() == word) {
            return name == word;
        }
        name.contains(&word.to_lowercase().replace([' ', '-'], "_"))
            || self.covers().contains(&word)
            || section.number == word
            || section.number.starts_with(&format!("{word}."))
            || section.title.eq_ignore_ascii_case(word)
    }

    pub(crate) fn result(&self, verdict: Verdict, settings: &Settings) -> TestResult {
        let named = |id: &&str| Statement {
            id: (*id).into(),
            gist: statement(self.version, id).map_or_else(String::new, |known| known.gist.clone()),
        };
        let (version, name) = (self.version, self.case.name());
        let repeat = format!(
            "{} --mqtt {version} --filter {name}{}",
            settings.command,
            C::COMMAND_ENDS
        );
        TestResult {
            name: self.name(),
            mqtt: version.to_string(),
            statements: self.covers().iter().map(named).collect(),
            verdict,
            micros: 0,
            simulated_micros: None,
            durability: None,
            packets: Vec::new(),
            repeat: Some(repeat),
        }
    }
}
