//! Where in a text.

/// A line and a column, both from 1, columns in characters: in the text, or just behind the end of a line or of the text.
pub(crate) fn assert_inside(text: &str, line: usize, column: usize) {
    let nth = line.checked_sub(1).expect("lines count from 1");
    let there = text.split('\n').nth(nth).expect("there is such a line");
    assert!(
        (1..=there.chars().count() + 1).contains(&column),
        "line {line} has no column {column}: {there:?}"
    );
}
