//! Markdown as GitHub shows it in a job's summary: the counts, a row a group, and what did not hold, folded.

use std::fmt::{self, Write as _};

use super::terminal;
use crate::printable::line;
use crate::span::Span;
use crate::{Counts, Group, Kind, RenderError, Report, TestResult};

/// How many results that did not hold are explained: GitHub takes 1 MiB for a step.
const EXPLAINED_MAX: usize = 50;
/// How long an explanation may be, in bytes; its end is what matters, because the newest packets and the command stand there.
const EXPLANATION_MAX: usize = 16_000;

pub(crate) fn render(report: &Report) -> Result<String, RenderError> {
    Ok(fmt::from_fn(|f| write(f, report)).to_string())
}

fn write(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let counts: Counts = report.results().collect();
    let mark = if report.holds() { '✅' } else { '❌' };
    writeln!(f, "## {mark} {}\n", plain(&report.target))?;
    writeln!(
        f,
        "**{} results: {counts}** in {}, by {}\n",
        counts.total(),
        Span(report.micros),
        plain(&report.producer)
    )?;
    write_groups(f, report)?;
    write_failures(f, report)
}

fn write_groups(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let counts: Counts = report.results().collect();
    let kinds: Vec<Kind> = counts.iter().map(|(kind, _)| kind).collect();
    f.write_str("| |")?;
    kinds.iter().try_for_each(|kind| write!(f, " {kind} |"))?;
    f.write_str("\n|---|")?;
    kinds.iter().try_for_each(|_| f.write_str("---:|"))?;
    f.write_char('\n')?;
    for group in &report.groups {
        let counts: Counts = group.results.iter().collect();
        write!(f, "| {} |", plain(&group.title()))?;
        for kind in &kinds {
            match counts.of(*kind) {
                0 => f.write_str(" |")?,
                count => write!(f, " {count} |")?,
            }
        }
        f.write_char('\n')?;
    }
    Ok(())
}

fn write_failures(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let results = report
        .groups
        .iter()
        .flat_map(|group| group.results.iter().map(move |result| (group, result)));
    let failures: Vec<_> = results.filter(|(_, result)| !result.verdict.holds()).collect();
    if failures.is_empty() {
        return Ok(());
    }
    f.write_str("\n### What did not hold\n")?;
    for (group, result) in failures.iter().take(EXPLAINED_MAX) {
        write_failure(f, group, result)?;
    }
    match failures.len().saturating_sub(EXPLAINED_MAX) {
        0 => Ok(()),
        more => writeln!(
            f,
            "\n{more} more did not hold; the HTML and JSON reports have them."
        ),
    }
}

/// GitHub reads Markdown inside of HTML only after an empty line.
fn write_failure(f: &mut fmt::Formatter<'_>, group: &Group, result: &TestResult) -> fmt::Result {
    let explanation = terminal::explanation(group, result);
    let explanation = newest(&explanation);
    let fence = fence(explanation);
    writeln!(
        f,
        "\n<details><summary>{}: {} › {}</summary>\n\n{fence}text\n{}\n{fence}\n\n</details>",
        result.verdict.kind(),
        plain(&group.title()),
        plain(&result.name),
        explanation.trim_end(),
    )
}

fn newest(explanation: &str) -> &str {
    let mut from = explanation.len().saturating_sub(EXPLANATION_MAX);
    while !explanation.is_char_boundary(from) {
        from += 1;
    }
    explanation.get(from..).unwrap_or_default()
}

/// Longer than any run of backticks that it must hold.
fn fence(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max();
    "`".repeat(longest.unwrap_or(0).max(2) + 1)
}

/// Text that is neither Markdown nor HTML: what could be either is a character reference, which is never structure.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in line(text).chars() {
        if character.is_ascii_punctuation() && !matches!(character, '.' | '-' | ',' | '/') {
            safe.push_str(&format!("&#{};", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    safe
}
