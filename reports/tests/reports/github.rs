use squall_reports::{Format, Verdict};

use crate::sample::{group, report, report_of, result};

fn text() -> String {
    Format::Github.render(&report()).unwrap()
}

#[test]
fn the_lines_are_what_a_workflow_reads() {
    insta::assert_snapshot!(text());
}

#[test]
fn every_annotation_is_one_line_whatever_a_peer_chose() {
    let name = "a\n::set-output name=x::y, 100% \r\n::error::";
    let verdict = Verdict::Inconclusive { why: name.to_owned() };
    let report = report_of(name, vec![group(name, vec![result(name, verdict)])]);
    let text = Format::Github.render(&report).unwrap();
    let starts: Vec<_> = text
        .lines()
        .map(|line| line.split_once(" title=").unwrap().0)
        .collect();
    assert_eq!(starts, ["::error", "::notice"]);
    assert!(text.contains("100%25"), "{text}");
    assert!(!text.contains('\r'));
}
