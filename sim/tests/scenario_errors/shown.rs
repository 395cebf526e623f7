//! What a user sees of a file that is no scenario: where, what, and the mend.

use miette::{GraphicalReportHandler, GraphicalTheme};
use squall_sim::scenario::Scenario;

/// As a terminal without colours shows it.
pub(crate) fn show(text: &str) -> String {
    let error = Scenario::parse_all("wrong.yaml", text).expect_err("it is wrong");
    let mut shown = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .render_report(&mut shown, &error)
        .expect("writing to a string cannot fail");
    shown
}

/// One word of a right file is replaced.
pub(crate) fn shown(right: &str, wrong: &str, by: &str) -> String {
    assert!(right.contains(wrong), "{wrong}");
    Scenario::parse_all("right.yaml", right).unwrap_or_else(|error| panic!("{error}"));
    show(&right.replacen(wrong, by, 1))
}

/// A test for each: in which right file, what is replaced, by what.
macro_rules! wrong {
    ($($name:ident: $right:ident, $wrong:literal => $by:literal;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(crate::shown::shown($right, $wrong, $by));
        })*
    };
}
