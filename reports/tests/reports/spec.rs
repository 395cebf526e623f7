use std::fs;

use squall_reports::{Format, Report, ReportSpec, SpecError};

use crate::sample::report;

fn spec(format: Format, directory: &tempfile::TempDir, file: &str) -> ReportSpec {
    ReportSpec {
        format,
        file: directory.path().join(file),
    }
}

fn names(directory: &tempfile::TempDir) -> Vec<std::ffi::OsString> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect()
}

#[test]
fn a_spec_is_a_format_and_a_file() {
    let spec: ReportSpec = "junit=out/a=b.xml".parse().unwrap();
    assert_eq!(
        spec,
        ReportSpec {
            format: Format::Junit,
            file: "out/a=b.xml".into()
        }
    );
}

#[test]
fn annotations_go_to_standard_output_unless_a_file_is_named() {
    let file = |text: &str| text.parse::<ReportSpec>().unwrap().file;
    assert_eq!(file("github"), std::path::Path::new("-"));
    assert_eq!(file("github=out.txt"), std::path::Path::new("out.txt"));
    "github".parse::<ReportSpec>().unwrap().check().unwrap();
}

#[test]
fn a_wrong_spec_says_what_would_be_right() {
    let refused = |text: &str| text.parse::<ReportSpec>().unwrap_err().to_string();
    let no_file =
        |text: &str| format!("{text:?} names no file; write FORMAT=FILE, for example json=result.json");
    assert_eq!(refused("json"), no_file("json"));
    assert_eq!(refused("json="), no_file("json="));
    assert_eq!(
        refused("pdf=a"),
        "there is no report format \"pdf\"; the formats are github, html, json, junit, markdown, terminal"
    );
}

#[test]
fn a_report_replaces_what_was_there_and_leaves_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let spec = spec(Format::Json, &directory, "result.json");
    fs::write(&spec.file, "old").unwrap();

    spec.check().unwrap();
    assert_eq!(fs::read_to_string(&spec.file).unwrap(), "old");

    spec.write(&report()).unwrap();
    assert_eq!(
        Report::from_json(&fs::read_to_string(&spec.file).unwrap()).unwrap(),
        report()
    );
    assert_eq!(names(&directory), ["result.json"]);
}

#[test]
fn a_check_makes_no_file() {
    let directory = tempfile::tempdir().unwrap();
    spec(Format::Junit, &directory, "result.xml").check().unwrap();
    assert!(names(&directory).is_empty());
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_and_after_the_work() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["absent/result.json", ""] {
        let spec = spec(Format::Json, &directory, file);
        let said = |error: SpecError| error.to_string();
        let expected = format!("cannot write the report {}", spec.file.display());
        assert_eq!(said(spec.check().unwrap_err()), expected);
        assert_eq!(said(spec.write(&report()).unwrap_err()), expected);
    }
    assert!(names(&directory).is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_a_device_a_device() {
    let directory = tempfile::tempdir().unwrap();
    let spec = spec(Format::Json, &directory, "link.json");
    let real = directory.path().join("real.json");
    fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &spec.file).unwrap();
    spec.write(&report()).unwrap();
    assert!(spec.file.is_symlink());
    assert_ne!(fs::read_to_string(&real).unwrap(), "old");

    let device = ReportSpec {
        format: Format::Json,
        file: "/dev/null".into(),
    };
    device.check().unwrap();
    device.write(&report()).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}
