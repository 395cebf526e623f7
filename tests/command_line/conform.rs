//! `squall conform --target` with profiles.

use crate::program::{squall, written};

/// Our own broker as somebody else's, with more in its profile.
fn profile(more: &str) -> (tempfile::TempDir, String) {
    let ours = include_str!("../../conformance/targets/squall.toml");
    written("other.toml", &format!("{ours}\n{more}"))
}

#[test]
fn a_case_runs_in_the_configuration_in_which_it_makes_sense() {
    let ran = squall(&[
        "conform",
        "--target",
        "squall",
        "--filter",
        "wrong_proof_is_refused",
        "--filter",
        "retained_publish_is_refused_where_nothing_is_retained",
        "--filter",
        "3.12",
    ]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("4 results: 4 pass"), "{}", ran.out);
}

#[test]
fn an_expected_failure_that_passes_fails_the_run() {
    let (_directory, profile) = profile(
        "\
[[conformance.failures]]
cases = [\"pingreq_is_answered_with_pingresp\"]
why = \"it is thought to\"
",
    );
    let ran = squall(&["conform", "--target", &profile, "--filter", "3.12"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("it is to be expected no more"), "{}", ran.out);
}

#[test]
fn what_a_profile_says_that_the_broker_lacks_is_not_asked_of_it() {
    let (_directory, profile) = profile("[conformance.lacks]\nretain = \"it has no room\"\n");
    let ran = squall(&["conform", "--target", &profile, "--filter", "3.3.1.3"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("unsupported"), "{}", ran.out);
}

#[test]
fn a_case_that_ends_the_brokers_process_fails() {
    let text = include_str!("../../conformance/targets/squall.toml").replace(
        "command = [\"{squall}\",",
        &format!(
            "command = [\"timeout\", \"2\", {:?},",
            env!("CARGO_BIN_EXE_squall")
        ),
    );
    let (_directory, profile) = written("mortal.toml", &text);
    let ran = squall(&[
        "conform",
        "--target",
        &profile,
        "--filter",
        "3.12",
        "--filter",
        "silence_past_one_and_a_half_keep_alives_is_closed",
    ]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("2 pass, 2 fail")
            && ran
                .out
                .contains("its process ended: it ended with exit status: 124"),
        "{}",
        ran.out
    );
}

#[test]
fn what_is_known_of_a_version_is_expected_of_that_one_alone() {
    for (said, code, verdict) in [("other@1.2.3", 1, "1 fail"), ("other 1.2.4", 0, "1 pass")] {
        let text = include_str!("../../conformance/targets/squall.toml")
            .replace("\"{squall}\", \"--version\"", &format!("\"echo\", \"{said}\""));
        let known = "[[conformance.failures]]\nof = [\"1.2.3\"]\ncases = [\"pingreq_is_answered_with_pingresp\"]\nwhy = \"a bug\"\n";
        let (_directory, profile) = written("other.toml", &format!("{text}\n{known}"));
        let ran = squall(&[
            "conform", "--target", &profile, "--mqtt", "5.0", "--filter", "3.12",
        ]);
        assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
        assert!(
            ran.out.contains(verdict) && ran.out.contains("1.2."),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_probe_tells_what_a_broker_can_do() {
    let ran = squall(&["conform", "--probe"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let found = |what: &str| {
        let what = format!("# {what} ");
        let line = ran.out.lines().find_map(|line| line.strip_prefix(&what));
        line.unwrap_or_default()
            .split("  ")
            .filter(|word| !word.is_empty())
            .map(str::trim)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("Receive Maximum"), ["-", "1024"], "{}", ran.out);
    assert_eq!(found("Maximum Packet Size"), ["-", "1048576"]);
    assert_eq!(found("Highest QoS"), ["2", "2"]);
    assert_eq!(found("Shared Subscriptions"), ["no", "yes"]);
    assert_eq!(found("Levels of a Topic Name"), ["128", "128"]);
    assert_eq!(found("Bytes of a payload"), ["1048548", "1048547"]);
    assert!(!ran.out.contains("[conformance"), "it lacks nothing: {}", ran.out);
}

#[test]
fn a_broker_that_is_started_is_reached_over_any_transport_that_its_profile_has() {
    let conform = |target: &str| {
        let filter = ["--filter", "6", "--filter", "3.12", "--segment", "1"];
        squall(
            &[
                &["conform", "--target", target, "--transport", "wss"],
                &filter[..],
            ]
            .concat(),
        )
    };
    let ran = conform("squall");
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(" over wss tested by"), "{}", ran.out);
    assert!(
        !ran.out.contains("unsupported"),
        "WebSocket has cases of its own: {}",
        ran.out
    );

    let (_directory, profile) = profile_without_transports();
    let ran = conform(&profile);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("has no `transports.wss`"), "{}", ran.err);
    let ran = conform("ws://localhost:1");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("is not started here"), "{}", ran.err);
}

/// Our own broker, which can be set to TCP alone.
fn profile_without_transports() -> (tempfile::TempDir, String) {
    let ours = include_str!("../../conformance/targets/squall.toml");
    let (before, after) = ours.split_once("[transports]").unwrap();
    let (transports, after) = after.split_once("[durability.memory]").unwrap();
    let tcp = transports
        .lines()
        .find_map(|line| line.strip_prefix("tcp = '"))
        .unwrap();
    let before = before.replace("{listener}", tcp.trim_end_matches('\''));
    written("tcp.toml", &format!("{before}\n[durability.memory]{after}"))
}

#[test]
fn what_is_put_to_several_processes_one_by_one_comes_to_the_same() {
    let summary = |more: &str| {
        let (_directory, profile) = profile(more);
        let ran = squall(&[
            "conform", "--target", &profile, "--jobs", "3", "--filter", "3.12", "--filter", "3.14",
        ]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        let summary = ran.out.lines().last().unwrap_or_default();
        summary.split(" in ").next().unwrap_or_default().to_owned()
    };
    assert_eq!(summary("[conformance]\nalone = true\n"), summary(""));
}

#[test]
fn a_broker_that_takes_nobody_it_does_not_know_is_asked_as_somebody_it_knows() {
    let ours = include_str!("../../conformance/targets/squall.toml");
    let (plain, groups) = ours.split_once("# Other configurations").unwrap();
    let users = groups
        .lines()
        .find_map(|line| line.strip_prefix("files.users = "))
        .unwrap();
    let closed = plain
        .replace(
            "[limits]",
            "[authentication]\nusers = \"{directory}/users\"\nanonymous = false\n[limits]",
        )
        .replace("[transports]", &format!("files.users = {users}\n\n[transports]"));
    let conform = |text: &str| {
        let (_directory, profile) = written("closed.toml", text);
        let sections = [
            "--filter", "2.1", "--filter", "3.1.3", "--filter", "3.1.4", "--filter", "4.13",
        ];
        squall(&[&["conform", "--target", &profile], &sections[..]].concat())
    };
    let nobody = conform(&closed);
    assert_eq!(nobody.code, Some(2), "{}", nobody.out);
    assert!(
        nobody.err.contains("--username and --pw say whom it knows"),
        "{}",
        nobody.err
    );
    let somebody = conform(&format!(
        "user = {{ name = \"user\", password = \"pencil\" }}\n{closed}"
    ));
    assert_eq!(somebody.code, Some(0), "{}{}", somebody.out, somebody.err);
    assert!(
        somebody.out.contains("2.1 Fixed header  14 pass"),
        "{}",
        somebody.out
    );
}
