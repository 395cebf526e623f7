//! How a case ends before its last line.

use squall_reports::Verdict;

use crate::Level;

/// What a case returns: `Ok` when everything it asked for held.
pub type Outcome<T = ()> = Result<T, Stop>;

/// Why a case went no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The target did what the statement does not allow.
    Broken {
        /// Each is one right answer.
        expected: Vec<String>,
        /// What came instead.
        got: String,
    },
    /// Several outcomes are legal; this one was seen.
    Choice(String),
    /// The target said that it does not do what the case needs.
    Unsupported(String),
    /// The case could not be set up, or the network failed.
    Inconclusive(String),
}

impl Stop {
    /// One right answer, and what came instead.
    pub(crate) fn broken(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Broken {
            expected: vec![expected.into()],
            got: got.into(),
        }
    }

    /// The verdict on a case of this level.
    #[must_use]
    pub fn verdict(self, level: Level) -> Verdict {
        match (self, level) {
            (Self::Broken { expected, got }, Level::Must) => Verdict::Fail { expected, got },
            (Self::Broken { expected, got }, Level::Should) => Verdict::Deviation { expected, got },
            (Self::Choice(outcome), _) => Verdict::Choice { outcome },
            (Self::Unsupported(why), _) => Verdict::Unsupported { why },
            (Self::Inconclusive(why), _) => Verdict::Inconclusive { why },
        }
    }
}

/// Marks a step that only prepares what the case is about.
pub(crate) trait SetUp {
    /// What is broken here is not what the case decides: it makes the case inconclusive.
    fn set_up(self) -> Self;
}

impl<T> SetUp for Outcome<T> {
    fn set_up(self) -> Self {
        self.map_err(|stop| match stop {
            Stop::Broken { expected, got } => {
                Stop::Inconclusive(format!("set-up: expected {}, got {got}", expected.join(" or ")))
            }
            other @ (Stop::Choice(_) | Stop::Unsupported(_) | Stop::Inconclusive(_)) => other,
        })
    }
}

/// Holds the target to a condition: `got` is written only where it does not hold.
pub(crate) fn check(holds: bool, expected: &str, got: impl FnOnce() -> String) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Stop::broken(expected, got()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_must_fails_and_what_breaks_a_should_deviates() {
        let broken = || Stop::broken("PUBACK", "silence");
        assert!(matches!(broken().verdict(Level::Must), Verdict::Fail { .. }));
        assert!(matches!(
            broken().verdict(Level::Should),
            Verdict::Deviation { .. }
        ));
    }

    #[test]
    fn a_broken_set_up_decides_nothing() {
        let stopped: Outcome = Err(Stop::broken("CONNACK", "silence"));
        assert_eq!(
            stopped.set_up(),
            Err(Stop::Inconclusive("set-up: expected CONNACK, got silence".into()))
        );
    }
}
