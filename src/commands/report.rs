//! `squall report`: reads results back, makes one of several, and shows or converts them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::PossibleValue;
use squall_reports::{Format, MergeError, Options, Report, ReportSpec, merge, schema, terminal};

use crate::exit::{Exit, Misuse};
use crate::output;
use crate::results::unwritable;

/// Show, merge and convert results
///
/// Reads what `--report json=FILE` wrote. Several files become one report: the shards of one sweep, or the same suite on
/// several targets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  squall report result.json                        what the command showed when it ended
  squall report result.json -o result.html         the same for a browser, with the packets as pictures
  squall report shard-*.json -o all.json           one report of several
  squall report ours.json theirs.json -o both.html two brokers side by side
  squall report all.json --format junit -o all.xml for a CI server
  squall report all.json --format markdown >> \"$GITHUB_STEP_SUMMARY\"

Ends with 1 if a result did not hold, as the command did that found it.")]
pub(crate) struct Args {
    /// Results as JSON
    #[arg(required_unless_present = "schema")]
    results: Vec<PathBuf>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The form; by default what the FILE ends in says (.html, .json, .md, .xml for junit), else terminal
    #[arg(long, short, value_parser = NamedFormat)]
    format: Option<Format>,
    /// Show every result and every packet, not only what did not hold
    #[arg(long, short)]
    verbose: bool,
    /// Print the JSON Schema of results, and end
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, anyhow::Error> {
    if args.schema {
        let _ = output::print(&schema())?;
        return Ok(Exit::Held);
    }
    let report = read_all(&args.results)?;
    match &args.output {
        Some(file) => ReportSpec {
            format: args.format(),
            file: file.clone(),
        }
        .write(&report)
        .map_err(unwritable)?,
        None => print(args, &report)?,
    }
    Ok(if report.holds() { Exit::Held } else { Exit::NotHeld })
}

impl Args {
    fn format(&self) -> Format {
        self.format.unwrap_or_else(|| {
            match self
                .output
                .as_deref()
                .and_then(Path::extension)
                .and_then(|extension| extension.to_str())
            {
                Some("json") => Format::Json,
                Some("htm" | "html") => Format::Html,
                Some("md") => Format::Markdown,
                Some("xml") => Format::Junit,
                _ => Format::Terminal,
            }
        })
    }
}

fn print(args: &Args, report: &Report) -> Result<(), anyhow::Error> {
    let text = match args.format() {
        Format::Terminal => terminal(
            report,
            Options {
                colour: output::colours(),
                verbose: args.verbose,
            },
        ),
        format @ (Format::Github | Format::Html | Format::Json | Format::Junit | Format::Markdown) => {
            format.render(report)?
        }
    };
    let _ = output::print(&text).context("cannot print the report")?;
    Ok(())
}

fn read_all(files: &[PathBuf]) -> Result<Report, anyhow::Error> {
    let reports = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    merge(reports).map_err(|error| {
        let mend = match error {
            MergeError::Twice { .. } => "name each file once, and merge shards that do not overlap",
            MergeError::Nothing => "name at least one file",
        };
        Misuse::new(error, mend).into()
    })
}

fn read(file: &Path) -> Result<Report, Misuse> {
    let named = |problem: &dyn std::fmt::Display| format!("{}: {problem}", file.display());
    let text = fs::read_to_string(file)
        .map_err(|error| Misuse::new(named(&error), "name a file that --report json=FILE wrote"))?;
    Report::from_json(&text).map_err(|error| {
        Misuse::new(
            named(&error),
            "name a file that --report json=FILE of this version of squall wrote",
        )
    })
}

/// Lets clap complete the formats' names and list them in the help and in errors.
#[derive(Clone)]
struct NamedFormat;

impl clap::builder::TypedValueParser for NamedFormat {
    type Value = Format;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Format, clap::Error> {
        let names = clap::builder::PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()));
        let name = names.parse_ref(command, arg, value)?;
        name.parse()
            .map_err(|error| clap::Error::raw(clap::error::ErrorKind::InvalidValue, error))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            Format::ALL.iter().map(|format| PossibleValue::new(format.name())),
        ))
    }
}
