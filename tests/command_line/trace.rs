use std::{fs, path::Path};

use crate::program::{squall, squall_into_a_closed_pipe, squall_with_input};

const CUT: &str = "scenarios/qos2-cut-before-pubrel-reaches-broker.yaml";

/// The trace of one run, and what it was written to.
fn run(directory: &Path, more: &[&str]) -> String {
    let file = directory.join("run.jsonl").to_str().unwrap().to_owned();
    let arguments = [
        &["run", CUT, "--mqtt", "5.0", "--no-control", "--trace", &file],
        more,
    ]
    .concat();
    let ran = squall(&arguments);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    file
}

#[test]
fn a_line_a_packet_says_when_who_what_and_what_became_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = run(directory.path(), &[]);
    let shown = squall(&["trace", "show", &file]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    let mut lines = shown.out.lines();
    assert_eq!(
        lines.next(),
        Some("qos2-cut-before-pubrel-reaches-broker, MQTT 5.0, seed 0")
    );
    assert_eq!(
        lines.next(),
        Some("    0.000000  pub → broker       opens a connection")
    );
    for part in [
        " ms\n",
        "  never arrives\n",
        "*              fault: cut before PUBREL",
        "session expiry interval",
    ] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    assert!(!shown.out.contains('\u{1b}') && !shown.out.contains(" arrives  "));
    let same = squall_with_input(&["trace", "show", "-"], &fs::read_to_string(&file).unwrap());
    assert_eq!(same.out, shown.out);
    assert_eq!(squall_into_a_closed_pipe(&["trace", "show", &file]).code, Some(0));
}

#[test]
fn a_client_a_packet_and_a_time_are_picked_out() {
    let directory = tempfile::tempdir().unwrap();
    let file = run(directory.path(), &[]);
    let rows = |arguments: &[&str]| {
        let shown = squall(&[&["trace", "show", &file], arguments].concat());
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        shown.out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let packets = rows(&["--packet", "pubrel", "--client", "pub"]);
    assert!(
        packets.len() > 3 && packets.iter().all(|row| row.contains("pub → broker  PUBREL id ")),
        "{packets:?}"
    );
    let second = rows(&["--from", "1", "--until", "1.9s"]);
    assert!(
        second.len() > 3 && second.iter().all(|row| row.starts_with("    1.")),
        "{second:?}"
    );
    assert!(rows(&["--from", "1h"]).is_empty());
    let arrivals = rows(&["--arrivals", "--packet", "CONNACK"]);
    assert!(
        arrivals.iter().any(|row| row.ends_with(" arrives")),
        "{arrivals:?}"
    );
}

#[test]
fn a_capture_is_the_same_from_the_run_and_from_its_trace() {
    let directory = tempfile::tempdir().unwrap();
    let (of_run, of_trace) = (
        directory.path().join("run.pcapng"),
        directory.path().join("trace.pcapng"),
    );
    let file = run(directory.path(), &["--pcap", of_run.to_str().unwrap()]);
    let converted = squall(&["trace", "show", &file, "--pcap", of_trace.to_str().unwrap()]);
    assert_eq!(
        (converted.code, converted.out.as_str()),
        (Some(0), ""),
        "{}",
        converted.err
    );
    let capture = fs::read(of_trace).unwrap();
    assert!(
        capture.starts_with(b"\x0a\x0d\x0d\x0a"),
        "a section header of pcapng"
    );
    assert!(capture == fs::read(of_run).unwrap());
}

#[test]
fn what_is_no_trace_is_refused_with_its_line_and_the_mend() {
    let directory = tempfile::tempdir().unwrap();
    let file = run(directory.path(), &[]);
    let other = directory.path().join("other.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&other, text.replacen("\"sent\"", "\"said\"", 1)).unwrap();
    let absent = directory.path().join("absent");
    for (file, more, why) in [
        (other.to_str().unwrap(), &[][..], "line 3: unknown variant `said`"),
        (CUT, &[][..], "line 1: expected"),
        (absent.to_str().unwrap(), &[][..], "No such file"),
        (
            &file,
            &["--client", "nobody"][..],
            "nobody in the trace is called `nobody`",
        ),
        (&file, &["--packet", "PING"][..], "write one of CONNECT"),
        (&file, &["--from", "soon"][..], "write seconds"),
        (
            &file,
            &["--pcap", "/absent/out.pcapng"][..],
            "cannot write /absent/out.pcapng",
        ),
    ] {
        let refused = squall(&[&["trace", "show", file], more].concat());
        assert_eq!(refused.code, Some(2), "{why}");
        assert!(refused.err.contains(why), "{}", refused.err);
    }
}
