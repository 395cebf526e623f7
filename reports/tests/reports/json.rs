use squall_reports::{FORMAT, Format, ReadError, Report, schema};

use crate::sample::report;

#[test]
fn what_is_written_reads_back_the_same() {
    let report = report();
    assert_eq!(
        Report::from_json(&Format::Json.render(&report).unwrap()).unwrap(),
        report
    );
}

#[test]
fn the_committed_schema_is_the_types() {
    let committed = include_str!("../../schema/report.schema.json");
    assert!(
        committed == schema(),
        "the model has changed: cargo run -- report --schema > reports/schema/report.schema.json, and raise FORMAT if a \
         reader of the old form would go wrong"
    );
}

#[test]
fn a_report_of_another_format_is_told_from_a_damaged_one() {
    let newer = format!("{{\"format\": {}, \"anything\": [1]}}", FORMAT + 1);
    let error = Report::from_json(&newer).unwrap_err();
    assert!(matches!(error, ReadError::UnknownFormat { found } if found == u64::from(FORMAT) + 1));
    assert_eq!(
        error.to_string(),
        "the report has format 2; this program reads format 1"
    );

    let damaged = Format::Json
        .render(&report())
        .unwrap()
        .replace("\"producer\"", "\"maker\"");
    let error = Report::from_json(&damaged).unwrap_err().to_string();
    assert!(
        error.starts_with("the report is damaged: unknown field `maker`"),
        "{error}"
    );
    assert!(error.contains("line 3"), "{error}");
}

#[test]
fn what_is_no_report_is_refused_in_words() {
    let refused = |text: &str| Report::from_json(text).unwrap_err().to_string();
    let no_report = "this is JSON, but no report: it has no number \"format\"";
    assert_eq!(refused("[]"), no_report);
    assert_eq!(refused("{\"format\": \"one\"}"), no_report);
    assert_eq!(refused("3"), no_report);
    assert!(refused("<testsuites/>").starts_with("this is not JSON: expected value at line 1"));
    assert!(refused("").starts_with("this is not JSON: EOF"));
    let whole = Format::Json.render(&report()).unwrap();
    assert!(refused(&whole[..whole.len() / 2]).starts_with("this is not JSON: EOF"));
}
