use std::fmt;

use crate::checks::Finding;

/// What did not hold, without the names and numbers of the run: two runs that fail alike have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The check that found it; or `panic`, `overdue`, `untouched`, `two_runs_differ`.
    pub what: &'static str,
    /// What was owed, `_` for each name and `#` for each number.
    pub gist: String,
    /// Whether it failed with its faults, and not in the run without them.
    pub with_faults: bool,
}

impl Failure {
    pub(super) fn new(what: &'static str, text: &str, with_faults: bool) -> Self {
        Self {
            what,
            gist: gist(text),
            with_faults,
        }
    }

    pub(super) fn of_finding(finding: &Finding, with_faults: bool) -> Self {
        Self::new(finding.check, &finding.expected, with_faults)
    }
}

/// `no_loss: # at `_` from `_``.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.gist)?;
        if self.with_faults {
            Ok(())
        } else {
            f.write_str(" (without the faults)")
        }
    }
}

/// What stands between backticks is a name; digits with a point or comma between them are a number.
fn gist(text: &str) -> String {
    let mut gist = String::new();
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            gist.push_str("`_`");
            continue;
        }
        let mut in_number = false;
        for character in part.chars() {
            let goes_on = character.is_ascii_digit() || (in_number && ".,".contains(character));
            if goes_on && !in_number {
                gist.push('#');
            } else if !goes_on {
                gist.push(character);
            }
            in_number = goes_on;
        }
    }
    gist
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_do_not_tell_failures_apart() {
        let one = Failure::new("order", "message 12 of `pub-1` after 1,024 more at 3.25 s", true);
        let other = Failure::new("order", "message 7 of `x` after 2 more at 12 s", true);
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "order: message # of `_` after # more at # s");
        let without = Failure {
            with_faults: false,
            ..one.clone()
        };
        assert!(without != one && without.to_string().ends_with("(without the faults)"));
    }
}
