use squall_reports::{Format, Verdict};

use crate::sample::{group, report, report_of, result};

#[test]
fn the_summary_is_what_github_shows() {
    insta::assert_snapshot!(Format::Markdown.render(&report()).unwrap());
}

#[test]
fn what_a_peer_chose_is_neither_markdown_nor_html() {
    let name = "</summary></details> | **bold** [x](javascript:1) `code` ````";
    let verdict = Verdict::Fail {
        expected: Vec::new(),
        got: name.to_owned(),
    };
    let report = report_of(name, vec![group(name, vec![result(name, verdict)])]);
    let text = Format::Markdown.render(&report).unwrap();
    let (outside, fenced) = text.split_once("`````text\n").unwrap();
    assert_eq!(outside.matches("</summary>").count(), 1, "{outside}");
    assert!(
        !outside.contains("</details>") && !outside.contains("](") && !outside.contains('`'),
        "{outside}"
    );
    assert!(fenced.contains("\n`````\n\n</details>\n"), "{fenced}");
}

#[test]
fn a_summary_stays_below_what_github_takes() {
    let verdict = Verdict::Fail {
        expected: Vec::new(),
        got: "é".repeat(100_000),
    };
    let results = (0..200).map(|nth| result(&format!("case {nth}"), verdict.clone()));
    let report = report_of("it", vec![group("g", results.collect())]);
    let text = Format::Markdown.render(&report).unwrap();
    assert!(text.len() < 1_048_576, "{}", text.len());
    assert!(text.contains("150 more did not hold"));
}
