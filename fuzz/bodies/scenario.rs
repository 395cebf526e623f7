//! Scenario files, from any text.

use squall_sim::scenario::{Scenario, ScenarioError};

/// Text is a scenario, or an error that says where in the text, and can be shown.
pub(crate) fn scenario(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Err(error) = Scenario::parse("fuzz.yaml", text) else {
        return;
    };
    let ScenarioError::Wrong { line, column, at, .. } = &error else {
        panic!("text alone cannot fail otherwise: {error}");
    };
    let (line, column) = (usize::try_from(*line), usize::try_from(*column));
    super::place::assert_inside(text, line.expect("a line"), column.expect("a column"));
    let span = at.offset()..at.offset() + at.len();
    assert!(text.get(span.clone()).is_some(), "{span:?} is not in the text");
    let shown = miette::Report::new(error);
    assert!(
        format!("{shown:?}").contains("fuzz.yaml"),
        "an error names the file"
    );
}
