use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use crate::program::{Ended, command, squall};

const QUIET: &str = "scenarios/no-will-after-disconnect.yaml";

/// A scenario that expects what cannot be, among much that has nothing to do with it.
const FAILS: &str = "\
name: a client connects five times
why: a test
versions: [5.0]
clients:
  pub: { keep_alive: 7s }
  dev: { session: persistent, receive_maximum: 3 }
steps:
  - { at: 1234ms, publish: { from: pub, topic: a/b, qos: 2, count: 3 } }
  - { at: 3s, partition: { between: [pub, broker], for: 1s } }
expect:
  - connected: { client: dev, times: 5 }
  - connected: { client: pub, times: 1 }
";

fn in_folder(folder: &Path, text: &str, options: &[&str]) -> Ended {
    let file = folder.join("fails.yaml");
    fs::write(&file, text).unwrap();
    let found = folder.join("found");
    let paths = [
        "sweep",
        file.to_str().unwrap(),
        "--found",
        found.to_str().unwrap(),
    ];
    squall(&[&paths, options].concat())
}

fn found(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.join("found")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_sweep_that_holds_ends_with_0_and_counts_its_runs() {
    let ran = squall(&["sweep", QUIET, "--seeds", "3"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("a second") && ran.out.contains("0 failed"),
        "{}",
        ran.out
    );
}

#[test]
fn what_fails_is_shrunk_and_written_as_a_scenario_that_fails_alike() {
    let folder = tempfile::tempdir().unwrap();
    let ran = in_folder(folder.path(), FAILS, &["--seeds", "20..23"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let files = found(folder.path());
    let [file] = files.as_slice() else {
        panic!("{files:?}\n{}", ran.out)
    };
    let text = fs::read_to_string(file).unwrap();
    let says = |words: &str| assert!(text.contains(words), "{text}");
    says("expect:\n  - connected: { client: dev, times: ");
    says("--mqtt 5.0 --seed 0\n");
    assert!(
        !text.contains("pub")
            && !text.contains("steps")
            && text.lines().filter(|line| !line.starts_with("  0.")).count() <= 12,
        "{text}"
    );
    assert!(ran.out.contains(file.to_str().unwrap()), "{}", ran.out);
    assert!(
        ran.out.contains("; 3 runs of ") && ran.out.contains("; 3 failed in 1 way\n"),
        "{}",
        ran.out
    );
    let again = squall(&["run", file.to_str().unwrap(), "--mqtt", "5.0", "--seed", "0"]);
    assert_eq!(again.code, Some(1), "{}{}", again.out, again.err);
}

#[test]
fn failures_may_be_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let ran = in_folder(folder.path(), FAILS, &["--seeds", "1", "--no-shrink"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        found(folder.path()).is_empty() && ran.out.contains("--seed 0"),
        "{}",
        ran.out
    );
}

#[test]
fn the_reports_of_all_shards_are_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for part in ["1", "2", "3"] {
        let file = folder.path().join(part).to_str().unwrap().to_owned();
        let (report, shard) = (format!("json={file}"), format!("{part}/3"));
        let ran = squall(&[
            "sweep", QUIET, "--seeds", "4", "--shard", &shard, "--report", &report,
        ]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        files.push(file);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let merged = squall(&[&["report"], files.as_slice()].concat());
    assert_eq!(merged.code, Some(0), "{}{}", merged.out, merged.err);
}

#[test]
fn a_swarm_draws_the_same_from_a_seed_each_time() {
    let sweep = |seeds: &str| {
        let ran = squall(&[
            "sweep",
            "--swarm",
            "--seeds",
            seeds,
            "--twice",
            "--no-shrink",
            "--json",
        ]);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        report["groups"][0]["results"][0]["simulated_micros"].clone()
    };
    assert_eq!(sweep("7..8"), sweep("7..8"));
    assert_ne!(sweep("7..8"), sweep("8..9"));
}

#[test]
fn a_sweep_without_an_end_or_without_anything_to_run_is_refused() {
    let no_end = squall(&["sweep", QUIET]);
    assert!(
        no_end.code == Some(2) && no_end.err.contains("--seeds"),
        "{}",
        no_end.err
    );
    let nothing = squall(&["sweep", "--seeds", "3"]);
    assert!(
        nothing.code == Some(2) && nothing.err.contains("SCENARIO"),
        "{}",
        nothing.err
    );
    let shard = squall(&["sweep", QUIET, "--seeds", "3", "--shard", "4/3"]);
    assert!(
        shard.code == Some(2) && shard.err.contains("1/8"),
        "{}",
        shard.err
    );
}

#[test]
fn a_sweep_for_some_time_ends_after_it() {
    let ran = squall(&["sweep", QUIET, "--for", "1ms"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    // However fast the machine: at least one run, and all of them hold.
    assert!(
        ran.out.contains("0 failed") && !ran.out.contains("\n0 runs"),
        "{}",
        ran.out
    );
}

#[test]
fn an_interrupted_sweep_still_says_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fails.yaml");
    fs::write(&file, FAILS).unwrap();
    let mut sweep = command(&[
        "sweep",
        file.to_str().unwrap(),
        "--seeds",
        "1000000",
        "--json",
        "--found",
    ])
    .arg(folder.path().join("found"))
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let mut said = BufReader::new(sweep.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("shrinking") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended by itself");
    }
    let mut kill = Command::new("kill");
    assert!(
        kill.args(["-INT", &sweep.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let ended = sweep.wait_with_output().unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(
        ended.status.code() == Some(1) && rest.contains("interrupted"),
        "{rest}"
    );
    let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert!(report.to_string().contains("connects"), "{report}");
}
