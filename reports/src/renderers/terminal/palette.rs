//! The colours and marks of verdicts.

use std::fmt;

use anstyle::{AnsiColor, Style};

use crate::{Counts, Kind};

/// Styles that print nothing where no colour is wanted.
#[derive(Clone, Copy)]
pub(super) struct Palette {
    pub(super) strong: Style,
    pub(super) dim: Style,
    pub(super) good: Style,
    pub(super) bad: Style,
    pub(super) odd: Style,
}

impl Palette {
    pub(super) const fn new(colour: bool) -> Self {
        if !colour {
            let none = Style::new();
            return Self {
                strong: none,
                dim: none,
                good: none,
                bad: none,
                odd: none,
            };
        }
        Self {
            strong: Style::new().bold(),
            dim: Style::new().dimmed(),
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default().bold(),
            odd: AnsiColor::Yellow.on_default(),
        }
    }

    pub(super) const fn of(&self, kind: Kind) -> Style {
        match kind {
            Kind::Pass => self.good,
            Kind::Fail | Kind::Inconclusive => self.bad,
            Kind::Deviation | Kind::Known => self.odd,
            Kind::Choice | Kind::Unsupported => self.dim,
        }
    }

    pub(super) fn counts(&self, counts: &Counts) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            for (nth, (kind, count)) in counts.iter().enumerate() {
                let comma = if nth == 0 { "" } else { ", " };
                let style = self.of(kind);
                write!(f, "{comma}{style}{count} {kind}{style:#}")?;
            }
            Ok(())
        })
    }
}

pub(super) const fn mark(kind: Kind) -> char {
    match kind {
        Kind::Pass => '✓',
        Kind::Fail => '✗',
        Kind::Inconclusive => '?',
        Kind::Deviation | Kind::Known => '!',
        Kind::Choice | Kind::Unsupported => '·',
    }
}
