//! A line a group with its counts, and under it what a reader should not miss.

use std::fmt;

use super::palette::{Palette, mark};
use crate::printable::line;
use crate::span::Span;
use crate::{Counts, Group, Kind, Report, TestResult};

/// How many results of one group are shown, unless all are asked for.
const SHOWN_MAX: usize = 8;
/// What came of a result is shown up to this many characters; the explanation below has it all.
const GOT_MAX: usize = 100;

pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    report: &Report,
    verbose: bool,
    palette: &Palette,
) -> fmt::Result {
    for group in &report.groups {
        write_group(f, group, palette)?;
        write_results(f, group, verbose, palette)?;
    }
    Ok(())
}

fn write_group(f: &mut fmt::Formatter<'_>, group: &Group, palette: &Palette) -> fmt::Result {
    let counts: Counts = group.results.iter().collect();
    let worst = worst(&counts);
    let style = palette.of(worst);
    let (mark, title) = (mark(worst), group.title());
    writeln!(
        f,
        "{style}{mark}{style:#} {}  {}",
        line(&title),
        palette.counts(&counts)
    )
}

/// The kind that marks the group: what does not hold before what is odd, what is odd before a pass.
fn worst(counts: &Counts) -> Kind {
    const ORDER: [Kind; 5] = [
        Kind::Fail,
        Kind::Inconclusive,
        Kind::Deviation,
        Kind::Known,
        Kind::Pass,
    ];
    ORDER
        .into_iter()
        .find(|&kind| counts.of(kind) > 0)
        .unwrap_or(Kind::Unsupported)
}

fn write_results(f: &mut fmt::Formatter<'_>, group: &Group, verbose: bool, palette: &Palette) -> fmt::Result {
    let wanted: Vec<_> = group
        .results
        .iter()
        .filter(|result| verbose || is_remarkable(result.verdict.kind()))
        .collect();
    let shown = if verbose || wanted.len() <= SHOWN_MAX {
        wanted.len()
    } else {
        SHOWN_MAX - 1
    };
    for (nth, result) in wanted.iter().take(shown).enumerate() {
        let branch = if nth + 1 == wanted.len() { '└' } else { '├' };
        write_result(f, branch, result, verbose, palette)?;
    }
    if shown < wanted.len() {
        writeln!(
            f,
            "  └ {} more like these; --verbose shows all",
            wanted.len() - shown
        )?;
    }
    Ok(())
}

const fn is_remarkable(kind: Kind) -> bool {
    match kind {
        Kind::Fail | Kind::Inconclusive | Kind::Deviation | Kind::Known => true,
        Kind::Pass | Kind::Choice | Kind::Unsupported => false,
    }
}

fn write_result(
    f: &mut fmt::Formatter<'_>,
    branch: char,
    result: &TestResult,
    verbose: bool,
    palette: &Palette,
) -> fmt::Result {
    let kind = result.verdict.kind();
    let (style, dim, mark) = (palette.of(kind), palette.dim, mark(kind));
    write!(
        f,
        "  {dim}{branch}{dim:#} {style}{mark} {kind}{style:#} {}",
        line(&result.name)
    )?;
    if verbose {
        write!(f, " {dim}{}{dim:#}", Span(result.micros))?;
    }
    let got = line(result.verdict.got());
    if !got.is_empty() {
        let cut: String = got.chars().take(GOT_MAX).collect();
        let more = if cut.len() < got.len() { ".." } else { "" };
        write!(f, ": {cut}{more}")?;
    }
    writeln!(f)
}
