//! `squall conform --list`.

use std::fmt::Write as _;

use squall_conformance::{AnyCase, Selected};

use crate::{exit::Exit, output};

/// Prints a line a case under the name of its section.
pub(super) fn print<C: AnyCase>(selected: &[Selected<C>]) -> Result<Exit, anyhow::Error> {
    let mut text = String::new();
    for (at, case) in selected.iter().enumerate() {
        let section = case.section.to_string();
        let before = at.checked_sub(1).and_then(|before| selected.get(before));
        if before.is_none_or(|before| before.section.to_string() != section) {
            writeln!(text, "{section}")?;
        }
        writeln!(text, "  {:<72} {}", case.name(), case.covers().join(" "))?;
    }
    writeln!(text, "{} cases", selected.len())?;
    let _ = output::print(&text)?;
    Ok(Exit::Held)
}
