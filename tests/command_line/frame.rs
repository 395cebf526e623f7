use crate::program::{squall, squall_into_a_closed_pipe};

#[test]
fn without_a_command_the_help_is_shown_as_wrong_use() {
    let shown = squall(&[]);
    assert_eq!(shown.code, Some(2));
    assert!(shown.err.contains("Usage: squall <COMMAND>"), "{}", shown.err);
}

#[test]
fn a_mistyped_command_is_answered_with_the_nearest() {
    let refused = squall(&["reprot"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("'report'"), "{}", refused.err);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let ended = squall_into_a_closed_pipe(&["completions", "bash"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}
