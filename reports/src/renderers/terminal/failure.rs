//! One result that needs explaining: the statement, what was right, what came, the packets, the command that repeats it.

use std::fmt;

use super::packets;
use super::palette::{Palette, mark};
use crate::printable::{line, lines};
use crate::{Group, TestResult};

pub(super) struct Explained<'a> {
    pub(super) group: &'a Group,
    pub(super) result: &'a TestResult,
    pub(super) palette: Palette,
    pub(super) all_packets: bool,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        for statement in &self.result.statements {
            let gist = if statement.gist.is_empty() {
                String::new()
            } else {
                format!("  {}", statement.gist)
            };
            let name = if statement.is_normative() {
                "statement"
            } else {
                "check"
            };
            self.field(f, name, &format!("{}{gist}", statement.id))?;
        }
        for (nth, answer) in self.result.verdict.expected().iter().enumerate() {
            self.field(f, if nth == 0 { "expected" } else { "or" }, answer)?;
        }
        let name = if self.result.verdict.expected().is_empty() {
            "because"
        } else {
            "got"
        };
        self.field(f, name, self.result.verdict.got())?;
        packets::write(f, &self.result.packets, self.all_packets, &self.palette)?;
        if let Some(repeat) = &self.result.repeat {
            self.field(f, "repeat", repeat)?;
        }
        Ok(())
    }
}

impl Explained<'_> {
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Palette { strong, .. } = self.palette;
        let kind = self.result.verdict.kind();
        let (style, mark) = (self.palette.of(kind), mark(kind));
        let title = self.group.title();
        let (group, name, mqtt) = (line(&title), line(&self.result.name), line(&self.result.mqtt));
        write!(
            f,
            "{style}{mark} {kind}{style:#} {strong}{group}{strong:#} > {name}"
        )?;
        if !mqtt.is_empty() && !name.contains(&*mqtt) {
            write!(f, " (MQTT {mqtt})")?;
        }
        writeln!(f)
    }

    /// A name and its text; further lines of the text stand under its first.
    fn field(&self, f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
        let Palette { dim, .. } = self.palette;
        for (nth, row) in lines(text).lines().enumerate() {
            writeln!(f, "  {dim}{:<9}{dim:#}  {row}", if nth == 0 { name } else { "" })?;
        }
        Ok(())
    }
}
