//! JUnit XML: what CI servers show. A group is a test suite, a result a test case.
//!
//! JUnit knows success, failure, error and skipped; the verdict itself is in the property `verdict`.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::terminal;
use crate::printable::{line, lines};
use crate::{Group, RenderError, Report, TestResult, Verdict};

pub(crate) fn render(report: &Report) -> Result<String, RenderError> {
    let mut root = quick_junit::Report::new(line(&report.target));
    root.set_time(Duration::from_micros(report.micros));
    root.add_test_suites(report.groups.iter().map(suite));
    Ok(root.to_string()?)
}

fn suite(group: &Group) -> TestSuite {
    let mut suite = TestSuite::new(line(&group.title()));
    suite.set_time(Duration::from_micros(
        group.results.iter().map(|result| result.micros).sum(),
    ));
    suite.add_test_cases(group.results.iter().map(|result| case(group, result)));
    suite
}

fn case(group: &Group, result: &TestResult) -> TestCase {
    let mut case = TestCase::new(line(&result.name), status(group, result));
    case.set_classname(line(&group.title()));
    case.set_time(Duration::from_micros(result.micros));
    case.add_property(("verdict", result.verdict.kind().name()));
    case.add_property(("mqtt", &*line(&result.mqtt)));
    for statement in &result.statements {
        case.add_property(Property::new("statement", line(&statement.id)));
    }
    if let Verdict::Choice { outcome } | Verdict::Deviation { got: outcome, .. } = &result.verdict {
        case.set_system_out(lines(outcome));
    }
    case
}

fn status(group: &Group, result: &TestResult) -> TestCaseStatus {
    let mut status = match &result.verdict {
        Verdict::Pass | Verdict::Choice { .. } | Verdict::Deviation { .. } => {
            return TestCaseStatus::success();
        }
        Verdict::Fail { .. } => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Inconclusive { .. } => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Unsupported { .. } | Verdict::Known { .. } => TestCaseStatus::skipped(),
    };
    status.set_message(line(result.verdict.got()));
    status.set_type(result.verdict.kind().name());
    if !result.verdict.holds() {
        status.set_description(terminal::explanation(group, result));
    }
    status
}
