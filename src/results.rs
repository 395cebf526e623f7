//! What the commands that end with verdicts have in common: how results are shown and kept, and what they come to.

use anyhow::Context as _;
use squall_reports::{Format, Options, Report, ReportSpec, SpecError, terminal};

use crate::exit::{Exit, Misuse};
use crate::output;

/// The options of a command that ends with verdicts; flatten them into its `Args`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct ResultArgs {
    /// Also write the results to a file (`-` is standard output) as github, html, json, junit, markdown or terminal; github needs
    /// no FILE; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<ReportSpec>,
    /// Print the results as JSON instead
    #[arg(long)]
    json: bool,
    /// Show every result and every packet, not only what did not hold
    #[arg(long, short)]
    verbose: bool,
}

impl ResultArgs {
    /// To be called before the work: a report that cannot be written should not cost a long run.
    pub(crate) fn check(&self) -> Result<(), anyhow::Error> {
        self.reports
            .iter()
            .try_for_each(|spec| spec.check().map_err(unwritable))
    }

    /// Whether what is printed is JSON.
    pub(crate) const fn as_json(&self) -> bool {
        self.json
    }

    /// Prints the results, writes the reports, and says what it all came to. Nothing tested is wrong use.
    pub(crate) fn show(&self, report: &Report) -> Result<Exit, anyhow::Error> {
        if report.results().next().is_none() {
            return Err(Misuse::new(
                "there are no results",
                "select something that exists; --help shows how",
            )
            .into());
        }
        // A reader that has gone (`| head`) does not change what holds.
        let _ = output::print(&self.text(report)?).context("cannot print the results")?;
        self.reports
            .iter()
            .try_for_each(|spec| spec.write(report).map_err(unwritable))?;
        Ok(if report.holds() { Exit::Held } else { Exit::NotHeld })
    }

    /// Whether standard output is for a program to read.
    pub(crate) const fn prints_json(&self) -> bool {
        self.json
    }

    fn text(&self, report: &Report) -> Result<String, anyhow::Error> {
        if self.json {
            return Ok(Format::Json.render(report)?);
        }
        Ok(terminal(
            report,
            Options {
                colour: output::colours(),
                verbose: self.verbose,
            },
        ))
    }
}

/// A file that cannot be written is the user's to mend; a renderer that fails is ours.
pub(crate) fn unwritable(error: SpecError) -> anyhow::Error {
    match error {
        SpecError::Write { ref source, .. } => Misuse::new(
            format!("{error}: {source}"),
            "name a file in a directory that exists and may be written",
        )
        .into(),
        error @ (SpecError::NoFile(_) | SpecError::Format(_) | SpecError::Render(_)) => error.into(),
    }
}
