//! The model itself, indented, so that two reports can be compared line by line.

use crate::{RenderError, Report};

pub(crate) fn render(report: &Report) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
