//! How the process ends: one number that scripts can read, and on standard error why.

use std::fmt;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::output;

/// What a command's work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All that was asked for held, or was done.
    Held = 0,
    /// A verdict says that something did not hold.
    NotHeld = 1,
    /// The command was used wrongly and has already said how to mend it. Who has not, returns [`Misuse`].
    Misused = 2,
    /// Our own failure.
    Failed = 3,
    /// The time given to wait is over (`squall sub -W`), as mosquitto_sub ends.
    TimedOut = 27,
}

/// Wrong use: as an error out of a command it ends the process with 2 and prints the mend.
#[derive(Debug)]
pub(crate) struct Misuse {
    problem: String,
    mend: String,
}

impl Misuse {
    /// `problem` says what is wrong, `mend` what to type instead; both start in lower case and end without a full stop.
    pub(crate) fn new(problem: impl fmt::Display, mend: impl fmt::Display) -> Self {
        Self {
            problem: problem.to_string(),
            mend: mend.to_string(),
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Misuse {}

/// Says on standard error why a command failed, if it did, and gives the process its number.
pub(crate) fn of(result: Result<Exit, anyhow::Error>) -> ExitCode {
    let exit = result.unwrap_or_else(|error| {
        output::complain(&explain(&error));
        if error.is::<Misuse>() {
            Exit::Misused
        } else {
            Exit::Failed
        }
    });
    ExitCode::from(exit as u8)
}

fn explain(error: &anyhow::Error) -> String {
    let (red, green) = (bold(AnsiColor::Red), bold(AnsiColor::Green));
    let mut text = format!("{red}error:{red:#} {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    if let Some(Misuse { mend, .. }) = error.downcast_ref() {
        text.push_str(&format!("\n  {green}tip:{green:#} {mend}\n"));
    }
    text
}

const fn bold(colour: AnsiColor) -> Style {
    colour.on_default().bold()
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn misuse_ends_with_2_even_under_a_context() {
        let error =
            Err::<Exit, _>(Misuse::new("no such file", "name another")).context("cannot read the scenario");
        assert_eq!(of(error), ExitCode::from(2));
    }

    #[test]
    fn any_other_error_ends_with_3() {
        assert_eq!(of(Err(anyhow::anyhow!("the disk is full"))), ExitCode::from(3));
    }

    #[test]
    fn the_mend_stands_under_the_problem_and_its_cause() {
        let error =
            anyhow::Error::new(Misuse::new("unknown format \"pdf\"", "use json")).context("cannot write");
        let text = anstream::adapter::strip_str(&explain(&error)).to_string();
        assert_eq!(
            text,
            "error: cannot write\n  because: unknown format \"pdf\"\n\n  tip: use json\n"
        );
    }
}
