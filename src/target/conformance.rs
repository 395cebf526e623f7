use std::collections::BTreeMap;

use serde::Deserialize;
use squall_conformance::{Capability, SECTIONS, Selected, expected_to_fail};
use squall_proto::Version;
use squall_reports::TestResult;

/// What the conformance suite is to know of a broker before it judges it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conformance {
    /// What one connection sends may harm others: a process of it has one case at a time.
    #[serde(default)]
    pub(crate) alone: bool,
    /// What it does not do and does not say that it does not, and why.
    #[serde(default)]
    pub(crate) lacks: BTreeMap<Capability, String>,
    /// What its makers say that it does otherwise than the standard.
    #[serde(default)]
    deviations: Vec<Expected>,
    /// What it is known to fail at.
    #[serde(default)]
    failures: Vec<Expected>,
}

/// Cases that fail, with one version or with each that they are for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    cases: Vec<String>,
    mqtt: Option<String>,
    /// The versions of the broker that do, as far as is known: where it is of another, nothing is expected.
    of: Option<Vec<String>>,
    why: String,
    /// Where its makers say so, or where it was reported.
    link: Option<String>,
}

impl Conformance {
    /// What is wrong with it, in words.
    pub(super) fn problem(&self) -> Option<String> {
        let is_undeclared = |declared: &&Expected| declared.link.is_none();
        if let Some(declared) = self.deviations.iter().find(is_undeclared) {
            return Some(format!(
                "the deviation `{}` has no `link`, where its makers say so",
                declared.why
            ));
        }
        self.expected().find_map(Expected::problem)
    }

    /// What is known of the broker in this version of it, if that is known.
    pub(crate) fn of_version(mut self, version: Option<&str>) -> Self {
        let is_expected = |expected: &Expected| {
            let of = expected.of.as_deref();
            of.is_none_or(|of| of.iter().any(|known| Some(known.as_str()) == version))
        };
        self.deviations.retain(is_expected);
        self.failures.retain(is_expected);
        self
    }

    /// The verdict on a case of a version, with what is known of the broker: a failure that was to be expected is known, and a pass that
    /// was not is a failure.
    fn judge(&self, case: &str, result: TestResult) -> TestResult {
        let known = self
            .expected()
            .find(|expected| expected.is_about(case, &result.mqtt));
        let Some(known) = known else { return result };
        expected_to_fail(result, &known.told())
    }

    /// The same of all.
    pub(crate) fn judge_all(&self, results: Vec<(Selected, TestResult)>) -> Vec<(Selected, TestResult)> {
        let judge =
            |(selected, result): (Selected, TestResult)| (selected, self.judge(selected.case.name, result));
        results.into_iter().map(judge).collect()
    }

    fn expected(&self) -> impl Iterator<Item = &Expected> {
        self.deviations.iter().chain(&self.failures)
    }
}

impl Expected {
    fn is_about(&self, case: &str, mqtt: &str) -> bool {
        self.cases.iter().any(|known| known == case) && self.mqtt.as_deref().is_none_or(|known| known == mqtt)
    }

    fn told(&self) -> String {
        match &self.link {
            Some(link) => format!("{} ({link})", self.why),
            None => self.why.clone(),
        }
    }

    fn problem(&self) -> Option<String> {
        let is_version = |mqtt: &str| Version::ALL.iter().any(|version| version.to_string() == mqtt);
        if let Some(mqtt) = self.mqtt.as_deref().filter(|mqtt| !is_version(mqtt)) {
            return Some(format!("`mqtt` is 3.1.1 or 5.0, not `{mqtt}`"));
        }
        let is_case = |name: &str| {
            let mut cases = SECTIONS.iter().flat_map(|section| section.cases);
            cases.any(|case| case.name == name)
        };
        let unknown = self.cases.iter().find(|name| !is_case(name))?;
        Some(format!(
            "no conformance case is called `{unknown}`: `squall conform --list` lists them"
        ))
    }
}

#[cfg(test)]
mod tests {
    use squall_reports::Verdict;

    use super::*;

    fn profile() -> Conformance {
        toml::from_str::<Conformance>(
            "
            [[deviations]]
            cases = ['a', 'b']
            mqtt = '5.0'
            why = 'its makers want it so'
            link = 'its manual'
            [[failures]]
            cases = ['c']
            why = 'a bug'
            [[failures]]
            cases = ['e']
            of = ['1.2']
            why = 'a bug that was mended'
            ",
        )
        .unwrap()
        .of_version(Some("1.3"))
    }

    fn judged(case: &str, mqtt: &str, verdict: Verdict) -> Verdict {
        let result = TestResult {
            name: format!("{case} {mqtt}"),
            mqtt: mqtt.into(),
            statements: Vec::new(),
            verdict,
            micros: 0,
            simulated_micros: None,
            durability: None,
            packets: Vec::new(),
            repeat: None,
        };
        profile().judge(case, result).verdict
    }

    fn failed() -> Verdict {
        Verdict::Fail {
            expected: vec!["PUBACK".into()],
            got: "silence".into(),
        }
    }

    #[test]
    fn a_failure_that_is_known_does_not_count_and_says_why() {
        let known = |why: &str| Verdict::Known { why: why.into() };
        assert_eq!(
            judged("b", "5.0", failed()),
            known("its makers want it so (its manual); it did: silence")
        );
        assert_eq!(judged("c", "3.1.1", failed()), known("a bug; it did: silence"));
        let undecided = Verdict::Inconclusive {
            why: "no session".into(),
        };
        assert_eq!(
            judged("c", "5.0", undecided),
            known("a bug; so it is undecided: no session")
        );
        assert_eq!(judged("b", "3.1.1", failed()), failed());
        assert_eq!(judged("d", "5.0", failed()), failed());
        assert_eq!(judged("e", "5.0", failed()), failed(), "of another version");
    }

    #[test]
    fn what_is_known_to_fail_and_passes_fails() {
        assert!(matches!(judged("c", "5.0", Verdict::Pass), Verdict::Fail { .. }));
        assert_eq!(judged("d", "5.0", Verdict::Pass), Verdict::Pass);
    }

    #[test]
    fn a_case_that_there_is_not_is_named() {
        assert!(profile().problem().is_some_and(|problem| problem.contains("`a`")));
    }
}
