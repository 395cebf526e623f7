//! `squall conform --list`.

use std::fmt::Write as _;

use squall_conformance::Selected;

use crate::{exit::Exit, output};

/// Prints a line a case under the name of its section.
pub(super) fn print(selected: &[Selected]) -> Result<Exit, anyhow::Error> {
    let mut text = String::new();
    let mut section = "";
    for one in selected {
        if one.section.number != section {
            section = one.section.number;
            writeln!(text, "{}", one.section)?;
        }
        let statements = one.case.covers(one.version).join(" ");
        writeln!(text, "  {:<72} {statements}", one.name())?;
    }
    writeln!(text, "{} cases", selected.len())?;
    let _ = output::print(&text)?;
    Ok(Exit::Held)
}
