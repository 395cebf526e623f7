//! Scenario files, from any text.

use squall_sim::scenario::{Scenario, ScenarioError};

/// Text is a scenario, which is written as YAML that reads as the same one; or an error that says where in the text, and can be shown.
pub(crate) fn scenario(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let error = match Scenario::parse("fuzz.yaml", text) {
        Ok(scenario) => {
            let yaml = scenario.to_yaml();
            let again = Scenario::parse("again.yaml", &yaml);
            return assert!(again.is_ok_and(|again| again == scenario), "{yaml}");
        }
        Err(error) => error,
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
