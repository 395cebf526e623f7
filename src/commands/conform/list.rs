//! `squall conform --list`.

use std::fmt::Write as _;

use crate::{exit::Exit, output};

/// A case with a version.
pub(super) struct Row {
    pub(super) section: String,
    pub(super) name: String,
    pub(super) statements: &'static [&'static str],
}

/// Prints a line a case under the name of its section.
pub(super) fn print(rows: impl Iterator<Item = Row>) -> Result<Exit, anyhow::Error> {
    let mut text = String::new();
    let mut section = String::new();
    let mut count = 0;
    for row in rows {
        if row.section != section {
            section = row.section;
            writeln!(text, "{section}")?;
        }
        writeln!(text, "  {:<72} {}", row.name, row.statements.join(" "))?;
        count += 1;
    }
    writeln!(text, "{count} cases")?;
    let _ = output::print(&text)?;
    Ok(Exit::Held)
}
