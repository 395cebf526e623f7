//! Annotations: lines on standard output by which a step of a GitHub workflow marks what it found.
//!
//! An error for what did not hold, a warning for a SHOULD that was not followed, and one notice with the counts. GitHub shows ten of a
//! kind for a step; the log has them all.

use std::borrow::Cow;

use crate::printable::{line, lines};
use crate::{Counts, Group, Kind, RenderError, Report, TestResult};

pub(crate) fn render(report: &Report) -> Result<String, RenderError> {
    let mut text = String::new();
    for group in &report.groups {
        for result in &group.results {
            if let Some(level) = level(result.verdict.kind()) {
                text.push_str(&annotation(
                    level,
                    &title(group, result),
                    &lines(&message(result)),
                ));
            }
        }
    }
    let counts: Counts = report.results().collect();
    let all = format!("{} results: {counts}", counts.total());
    text.push_str(&annotation("notice", &line(&report.target), &all));
    Ok(text)
}

const fn level(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Fail | Kind::Inconclusive => Some("error"),
        Kind::Deviation => Some("warning"),
        Kind::Pass | Kind::Known | Kind::Choice | Kind::Unsupported => None,
    }
}

fn annotation(level: &str, title: &str, message: &str) -> String {
    format!("::{level} title={}::{}\n", property(title), data(message))
}

fn title(group: &Group, result: &TestResult) -> String {
    let kind = result.verdict.kind();
    format!("{kind}: {} > {}", line(&group.title()), line(&result.name))
}

fn message(result: &TestResult) -> String {
    let mut rows = Vec::new();
    for statement in &result.statements {
        rows.push(format!("{} {}", statement.id, statement.gist).trim().to_owned());
    }
    let expected = result.verdict.expected();
    if !expected.is_empty() {
        rows.push(format!("expected: {}", expected.join("; or ")));
    }
    rows.push(format!("got: {}", result.verdict.got()));
    rows.extend(result.repeat.iter().map(|repeat| format!("repeat: {repeat}")));
    rows.join("\n")
}

/// The message of a workflow command, escaped as GitHub's own toolkit does it.
fn data(text: &str) -> Cow<'_, str> {
    escaped(text, &['%', '\r', '\n'])
}

/// A property of a workflow command.
fn property(text: &str) -> Cow<'_, str> {
    escaped(text, &['%', '\r', '\n', ':', ','])
}

fn escaped<'a>(text: &'a str, special: &[char]) -> Cow<'a, str> {
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if special.contains(&character) {
            safe.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}
