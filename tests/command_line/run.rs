use std::fs;

use crate::program::{squall, written};

const QUIET: &str = "scenarios/no-will-after-disconnect.yaml";

#[test]
fn a_scenario_that_holds_ends_with_0_in_both_versions() {
    let ran = squall(&["run", QUIET]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2 pass"), "{}", ran.out);
    assert!(ran.out.contains("simulated seconds"), "{}", ran.out);
}

#[test]
fn the_same_seed_gives_the_same_trace_in_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let trace = |name: &str, seed: &str| {
        let file = directory.path().join(name);
        let ran = squall(&["run", QUIET, "--seed", seed, "--trace", file.to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        fs::read_to_string(file).unwrap()
    };
    let first = trace("first", "7");
    assert_eq!(first, trace("second", "7"));
    assert_ne!(first, trace("other", "8"));
    let line: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["scenario"], &line["mqtt"], &line["seed"]),
        (&"no-will-after-disconnect".into(), &"3.1.1".into(), &7.into())
    );
}

#[test]
fn a_slip_is_shown_where_it_stands_with_what_was_meant() {
    let (_directory, file) = written(
        "scenario.yaml",
        "name: a slip\nwhy: a test\nclients: { dev: { keepalive: 10s } }\n",
    );
    let refused = squall(&["run", &file]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .err
            .contains("scenario.yaml:3:19: unknown key `keepalive`"),
        "{}",
        refused.err
    );
    assert!(
        refused.err.contains("did you mean `keep_alive`?"),
        "{}",
        refused.err
    );
}

#[test]
fn a_fault_that_touches_nothing_proves_nothing() {
    let (_directory, file) = written(
        "scenario.yaml",
        "name: nobody is there\nwhy: a test\nclients: { dev: { connect: never } }\nsteps: [ { at: 1s, partition: { between: [dev, broker], for: 5s } } ]\n",
    );
    let ran = squall(&["run", &file]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("touched nothing"), "{}", ran.out);
}

#[test]
fn what_does_not_hold_ends_with_1_and_says_how_to_repeat_it() {
    let (_directory, file) = written(
        "scenario.yaml",
        "name: not so\nwhy: a test\nclients: { dev: {} }\nexpect: [ { connected: { client: dev, times: 2 } } ]\n",
    );
    let ran = squall(&["run", &file, "--mqtt", "5.0", "--seed", "3"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains(&format!("squall run {file} --mqtt 5.0 --seed 3")),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("it connected 1 times"), "{}", ran.out);
}

#[test]
fn wrong_seeds_versions_and_folders_are_wrong_use() {
    for arguments in [
        ["--seeds", "0"],
        ["--seeds", "5..5"],
        ["--mqtt", "4"],
        ["--jobs", "0"],
    ] {
        let refused = squall(&["run", QUIET, arguments[0], arguments[1]]);
        assert_eq!(refused.code, Some(2), "{arguments:?}");
    }
    let refused = squall(&["run", "no-such-folder"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(
        refused.err.contains("cannot read no-such-folder"),
        "{}",
        refused.err
    );
}

#[test]
fn results_as_json_are_nothing_but_json() {
    let ran = squall(&["run", QUIET, "--json", "--seeds", "0..2"]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["groups"][0]["results"].as_array().unwrap().len(), 4);
}

#[test]
fn a_mutant_makes_its_scenario_fail_and_stands_in_the_list() {
    let ran = squall(&[
        "run",
        QUIET,
        "--mutant",
        "broker-does-not-hear-disconnect",
        "--mqtt",
        "5.0",
    ]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("--seed 0 --mutant broker-does-not-hear-disconnect"),
        "{}",
        ran.out
    );
    let list = squall(&["run", "--list-mutants"]);
    assert_eq!(list.code, Some(0), "{}", list.err);
    assert!(
        list.out.contains("broker-does-not-hear-disconnect"),
        "{}",
        list.out
    );
    let unknown = squall(&["run", QUIET, "--mutant", "nobody"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.out);
    assert!(unknown.err.contains("--list-mutants"), "{}", unknown.err);
}

#[test]
fn a_mutant_without_an_occasion_proves_nothing() {
    let ran = squall(&["run", QUIET, "--mutant", "broker-sends-no-pubcomp"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("had no occasion"), "{}", ran.out);
}
