use quick_junit::{NonSuccessKind, TestCaseStatus};
use squall_reports::Format;

use crate::sample::report;

fn xml() -> String {
    Format::Junit.render(&report()).unwrap()
}

#[test]
fn the_document_is_what_ci_servers_read() {
    insta::assert_snapshot!(xml());
}

#[test]
fn a_reader_finds_every_result_with_its_name_as_it_was() {
    let read = quick_junit::Report::deserialize_from_str(&xml()).unwrap();
    let names: Vec<_> = read
        .test_suites
        .iter()
        .flat_map(|suite| {
            suite
                .test_cases
                .iter()
                .map(|case| (suite.name.as_str(), case.name.as_str()))
        })
        .collect();
    let report = report();
    let meant: Vec<_> = report
        .groups
        .iter()
        .flat_map(|group| {
            group
                .results
                .iter()
                .map(|result| (group.name.as_str(), result.name.as_str()))
        })
        .collect();
    assert_eq!(names, meant);
}

#[test]
fn what_does_not_hold_is_a_failure_or_an_error_and_nothing_else_is() {
    let read = quick_junit::Report::deserialize_from_str(&xml()).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (9, 2, 1));
    let statuses = read
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| &case.status);
    let kinds: Vec<_> = statuses
        .map(|status| match status {
            TestCaseStatus::Success { .. } => "success",
            TestCaseStatus::NonSuccess {
                kind: NonSuccessKind::Failure,
                ..
            } => "failure",
            TestCaseStatus::NonSuccess {
                kind: NonSuccessKind::Error,
                ..
            } => "error",
            TestCaseStatus::Skipped { .. } => "skipped",
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "success", "success", "failure", "success", "failure", "success", "skipped", "skipped", "error"
        ]
    );
}

#[test]
fn characters_that_xml_cannot_hold_are_shown_as_escapes() {
    let xml = xml();
    let allowed = |character: char| matches!(character, '\n' | '\t' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed));
    assert!(xml.contains(r"\u{1b}[2Jcleared\u{fffe}"), "{xml}");
    assert!(xml.contains("&lt;script&gt;"));
}
