//! What a person reads when a command ends: a tree by group, then what did not hold and why, then one line that sums up.
//!
//! Passes are folded into their group's counts, so that a suite of a thousand results fits a screen as long as all is well.
//! * [`tree`] draws the groups, [`failure`] explains a result,
//!   [`packets`] lists what went over the wires, [`mod@durability`] what was lost,
//! * [`palette`] holds the colours.

mod durability;
mod failure;
mod packets;
mod palette;
mod tree;

use std::fmt::{self, Write as _};

use self::failure::Explained;
use self::palette::Palette;
use crate::printable::line;
use crate::span::Span;
use crate::{Counts, Group, RenderError, Report, TestResult};

/// How many results that did not hold are explained at length, unless all are asked for.
const EXPLAINED_MAX: usize = 10;

/// How a report is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Colours, as ANSI escape sequences.
    pub colour: bool,
    /// Every result in the tree, every packet of a failure, and deviations explained too.
    pub verbose: bool,
}

/// The report as a person reads it at a terminal, with a line feed at its end.
#[must_use]
pub fn render(report: &Report, options: Options) -> String {
    Page {
        report,
        options,
        palette: Palette::new(options.colour),
    }
    .to_string()
}

pub(crate) fn plain(report: &Report) -> Result<String, RenderError> {
    Ok(render(report, Options::default()))
}

/// One result explained, without colours and with every packet.
pub(crate) fn explanation(group: &Group, result: &TestResult) -> String {
    Explained {
        group,
        result,
        palette: Palette::new(false),
        all_packets: true,
    }
    .to_string()
}

/// What became of what the broker acknowledged in one result, all of it and without colours; empty if it does not say.
pub(crate) fn durability(result: &TestResult) -> String {
    fmt::from_fn(|f| durability::write(f, std::iter::once(result), true, &Palette::new(false))).to_string()
}

struct Page<'a> {
    report: &'a Report,
    options: Options,
    palette: Palette,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Palette { strong, dim, .. } = self.palette;
        writeln!(
            f,
            "{strong}{}{strong:#} {dim}tested by {}{dim:#}\n",
            line(&self.report.target),
            line(&self.report.producer)
        )?;
        tree::write(f, self.report, self.options.verbose, &self.palette)?;
        self.explain(f)?;
        durability::write(f, self.report.results(), self.options.verbose, &self.palette)?;
        self.sum_up(f)
    }
}

impl Page<'_> {
    fn explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verbose = self.options.verbose;
        let asked = |result: &TestResult| {
            !result.verdict.holds() || (verbose && !result.verdict.expected().is_empty())
        };
        let mut left_out = 0_usize;
        let results = self
            .report
            .groups
            .iter()
            .flat_map(|group| group.results.iter().map(move |r| (group, r)));
        for (nth, (group, result)) in results.filter(|(_, result)| asked(result)).enumerate() {
            if nth >= EXPLAINED_MAX && !verbose {
                left_out += 1;
                continue;
            }
            let explained = Explained {
                group,
                result,
                palette: self.palette,
                all_packets: verbose,
            };
            write!(f, "\n{explained}")?;
        }
        if left_out > 0 {
            writeln!(f, "\n{left_out} more did not hold; --verbose explains them too")?;
        }
        Ok(())
    }

    fn sum_up(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Counts = self.report.results().collect();
        let style = if self.report.holds() {
            self.palette.good
        } else {
            self.palette.bad
        };
        let total = counts.total();
        let results = if total == 1 { "result" } else { "results" };
        write!(f, "\n{style}{total} {results}{style:#}")?;
        if total > 0 {
            write!(f, ": {}", self.palette.counts(&counts))?;
        }
        write!(f, " in {}", Span(self.report.micros))?;
        let simulated: u64 = self
            .report
            .results()
            .filter_map(|result| result.simulated_micros)
            .sum();
        if simulated > 0 {
            write!(f, ", {} simulated", Span(simulated))?;
        }
        f.write_char('\n')
    }
}
