//! A verdict's kind, without what explains it.

use std::fmt;

/// The kinds of verdict, in the order they are counted up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Verdict::Pass`](crate::Verdict::Pass).
    Pass,
    /// [`Verdict::Fail`](crate::Verdict::Fail).
    Fail,
    /// [`Verdict::Inconclusive`](crate::Verdict::Inconclusive).
    Inconclusive,
    /// [`Verdict::Deviation`](crate::Verdict::Deviation).
    Deviation,
    /// [`Verdict::Known`](crate::Verdict::Known).
    Known,
    /// [`Verdict::Choice`](crate::Verdict::Choice).
    Choice,
    /// [`Verdict::Unsupported`](crate::Verdict::Unsupported).
    Unsupported,
}

impl Kind {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Pass,
        Self::Fail,
        Self::Inconclusive,
        Self::Deviation,
        Self::Known,
        Self::Choice,
        Self::Unsupported,
    ];

    /// As the JSON form names it: `pass`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Deviation => "deviation",
            Self::Known => "known",
            Self::Choice => "choice",
            Self::Unsupported => "unsupported",
        }
    }

    /// See [`Verdict::holds`](crate::Verdict::holds).
    #[must_use]
    pub const fn holds(self) -> bool {
        match self {
            Self::Pass | Self::Deviation | Self::Known | Self::Choice | Self::Unsupported => true,
            Self::Fail | Self::Inconclusive => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
