use std::fs;
use std::path::Path;

use crate::program::squall;

const RESULT: &str = r#"{
    "format": 1, "producer": "squall 0.1.0", "target": "mqtt://127.0.0.1:1883", "micros": 1000,
    "groups": [{"name": "3.1 CONNECT", "results": [
        {"name": "NAME", "mqtt": "5.0", "micros": 1, "verdict": VERDICT}
    ]}]
}"#;
const PASS: &str = r#"{"kind": "pass"}"#;
const FAIL: &str = r#"{"kind": "fail", "expected": ["a close"], "got": "silence"}"#;

fn written(directory: &Path, file: &str, name: &str, verdict: &str) -> String {
    let path = directory.join(file);
    fs::write(&path, RESULT.replace("NAME", name).replace("VERDICT", verdict)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn ends_as_the_results_say() {
    let directory = tempfile::tempdir().unwrap();
    let pass = written(directory.path(), "pass.json", "one", PASS);
    let fail = written(directory.path(), "fail.json", "two", FAIL);
    let shown = squall(&["report", &pass]);
    assert_eq!(shown.code, Some(0));
    assert!(
        shown.out.contains("✓ 3.1 CONNECT  1 pass") && !shown.out.contains('\u{1b}'),
        "{}",
        shown.out
    );
    let shown = squall(&["report", &pass, &fail]);
    assert_eq!(shown.code, Some(1));
    assert!(shown.out.contains("2 results: 1 pass, 1 fail"), "{}", shown.out);
}

#[test]
fn converts_by_the_name_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let pass = written(directory.path(), "pass.json", "one", PASS);
    let xml = directory.path().join("out.xml");
    assert_eq!(
        squall(&["report", &pass, "-o", xml.to_str().unwrap()]).code,
        Some(0)
    );
    assert!(
        fs::read_to_string(xml)
            .unwrap()
            .contains("<testsuites name=\"mqtt://127.0.0.1:1883\" tests=\"1\"")
    );
}

#[test]
fn the_end_of_the_name_says_html_and_markdown_too() {
    let directory = tempfile::tempdir().unwrap();
    let fail = written(directory.path(), "fail.json", "one", FAIL);
    for (file, begin) in [("out.html", "<!DOCTYPE html>"), ("out.md", "## ❌")] {
        let out = directory.path().join(file);
        assert_eq!(
            squall(&["report", &fail, "-o", out.to_str().unwrap()]).code,
            Some(1)
        );
        assert!(fs::read_to_string(out).unwrap().starts_with(begin), "{file}");
    }
}

#[test]
fn a_command_prints_annotations_after_its_results() {
    let shown = squall(&[
        "conform", "--filter", "3.12", "--mqtt", "5.0", "--report", "github",
    ]);
    assert_eq!(shown.code, Some(0));
    let last = shown.out.lines().last().unwrap();
    assert_eq!(last, "::notice title=the simulated broker::1 results: 1 pass");
}

#[test]
fn refuses_what_is_no_report_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("other.json");
    fs::write(&other, "{}").unwrap();
    for (file, why) in [
        (&other, "this is JSON, but no report"),
        (&directory.path().join("absent"), "No such file"),
    ] {
        let refused = squall(&["report", file.to_str().unwrap()]);
        assert_eq!(refused.code, Some(2));
        assert!(
            refused.err.contains(why) && refused.err.contains("tip: "),
            "{}",
            refused.err
        );
        assert!(refused.err.contains(file.to_str().unwrap()), "{}", refused.err);
    }
}

#[test]
fn refuses_the_same_results_twice() {
    let directory = tempfile::tempdir().unwrap();
    let pass = written(directory.path(), "pass.json", "one", PASS);
    let refused = squall(&["report", &pass, &pass]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("hold the result \"one\""), "{}", refused.err);
}

#[test]
fn refuses_a_place_that_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let pass = written(directory.path(), "pass.json", "one", PASS);
    let refused = squall(&["report", &pass, "-o", "/absent/out.xml"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("cannot write the report /absent/out.xml"),
        "{}",
        refused.err
    );
}
