//! Scenarios that are put to a broker in processes of its own: this program's.

use std::{fs, process::Command, sync::mpsc, thread, time::Duration};

use crate::program::{squall, written};

const CONVERSATION: &str = "\
name: what is published arrives at once, and after its connection was cut
why: a test
clients:
  pub: { session: persistent, reconnect: { after: 100ms } }
  sub: { subscribe: { \"t/#\": 2 } }
steps:
  - { at: 500ms, publish: { from: pub, topic: t/1, qos: 2, count: 5 } }
  - { at: 400ms, cut: { when: { packet: PUBREL, from: pub, nth: 2 }, mode: rst } }
expect: [ { received: { client: sub, topic: t/1, messages: 5 } } ]
";

#[test]
fn a_scenario_holds_with_a_broker_of_its_own_as_in_the_simulated_world() {
    let (_directory, file) = written("scenario.yaml", CONVERSATION);
    for arguments in [&["run", &file][..], &["run", &file, "--target", "squall"]] {
        let ran = squall(arguments);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("2 pass"), "{}", ran.out);
    }
}

#[test]
fn what_is_wrong_with_the_broker_of_a_target_is_found() {
    let text = CONVERSATION.replace("messages: 5", "messages: 6");
    let (_directory, file) = written("scenario.yaml", &text);
    let ran = squall(&["run", &file, "--target", "squall", "--mqtt", "5.0"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let repeat = format!("squall run {file} --mqtt 5.0 --seed 0 --target squall");
    assert!(ran.out.contains(&repeat), "{}", ran.out);
}

#[test]
fn a_crash_of_the_broker_is_that_of_its_process() {
    let (_directory, file) = written(
        "scenario.yaml",
        "\
name: a broker without a disk has forgotten its sessions after a crash
why: a test
clients: { dev: { session: persistent, reconnect: { after: 100ms } } }
steps: [ { at: 500ms, crash: { host: broker, down: 200ms } } ]
expect: [ { session_present: { client: dev, at_connect: 2, is: false } } ]
",
    );
    let ran = squall(&["run", &file, "--target", "squall", "--mqtt", "5.0"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn a_scenario_that_no_process_can_play_is_refused_with_the_reason() {
    for (step, why) in [
        (
            "crash: { host: broker, kind: power, down: 1s }",
            "cannot be made to lose its power",
        ),
        ("kick: { client: dev }", "kick or revoke"),
        (
            "partition: { between: [dev, broker], for: 2h }",
            "takes 2h of real time, and --longest is 1m",
        ),
    ] {
        let (_directory, file) = written(
            "scenario.yaml",
            &format!(
                "name: a test\nwhy: a test\nclients: {{ dev: {{}} }}\nsteps: [ {{ at: 0s, {step} }} ]\n"
            ),
        );
        let refused = squall(&["run", &file, "--target", "squall"]);
        assert_eq!(refused.code, Some(2), "{}{}", refused.out, refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
    }
}

#[test]
fn targets_are_listed_with_what_they_declare() {
    let list = squall(&["run", "--list-targets"]);
    assert_eq!(list.code, Some(0), "{}", list.err);
    assert!(
        list.out.contains("disk (declares memory)")
            && list.out.contains("durability memory, disk\n")
            && list
                .out
                .contains("EMQX, MQTT 3.1.1 and 5.0; started by somebody else"),
        "{}",
        list.out
    );
}

const PROFILE: &str = "\
name = \"other\"
about = \"another broker\"
versions = [\"5.0\"]
command = [\"no-such-broker\", \"{config}\"]
install = \"install it from its own site\"
config = { file = \"other.conf\", text = \"port {port}\" }
durability.memory = { config = \"\", declares = \"memory\" }
";

#[test]
fn a_profile_that_is_wrong_or_starts_nothing_is_wrong_use() {
    let (_scenario, scenario) = written("scenario.yaml", CONVERSATION);
    for (text, why) in [
        (PROFILE.to_owned(), "install it from its own site"),
        (PROFILE.replace("install", "instal"), "unknown field `instal`"),
        (PROFILE.replace("port {port}", ""), "has a `{port}`"),
        (
            PROFILE.replace("port {port}", "{listener} {port}"),
            "`transports.tcp` is what goes there",
        ),
        (
            format!("{PROFILE}transports.tcp = \"{{port}}\"\n"),
            "`{listener}` stands in",
        ),
        (
            format!("{PROFILE}settings.speed = \"fast\"\n"),
            "`settings.speed` is no setting",
        ),
    ] {
        let (_profile, profile) = written("other.toml", &text);
        let refused = squall(&["run", &scenario, "--target", &profile]);
        assert_eq!(refused.code, Some(2), "{}{}", refused.out, refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
    }
    let unknown = squall(&["run", &scenario, "--target", "nobody"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.err);
    assert!(unknown
            .err
            .contains("there are activemq, aedes, amqtt, aws-iot, emqx, flashmq, hivemq, mosquitto, nanomq, nats-server, rabbitmq, rmqttd, rumqttd, squall, vernemq; another"), "{}", unknown.err);
}

#[test]
fn a_broker_that_does_not_start_proves_nothing_and_is_quoted() {
    let (_scenario, scenario) = written("scenario.yaml", CONVERSATION);
    let text = PROFILE
        .replace("no-such-broker", "/bin/cat")
        .replace("{config}", "/no/such/file");
    let (_profile, profile) = written("other.toml", &text);
    let ran = squall(&["run", &scenario, "--target", &profile, "--mqtt", "5.0"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("the broker did not start") && ran.out.contains("/no/such/file"),
        "{}",
        ran.out
    );
}

/// What the script starts holds a pipe open for as long as it lives.
#[test]
fn what_a_broker_starts_has_its_environment_and_ends_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let held = directory.path().join("held");
    assert!(Command::new("mkfifo").arg(&held).status().unwrap().success());
    let text = PROFILE
        .replace(
            r#""no-such-broker", "{config}""#,
            r#""sh", "-c", 'exec 3>"$HELD"; "$BROKER" broker --config "$CONFIG" & wait'"#,
        )
        .replace(
            "port {port}",
            r#"listeners = [{ tcp = { address = \"127.0.0.1:{port}\" } }]"#,
        );
    let (_profile, profile) = written(
        "script.toml",
        &format!(
            "{text}environment = {{ HELD = {held:?}, BROKER = {:?}, CONFIG = \"{{config}}\" }}\n",
            env!("CARGO_BIN_EXE_squall")
        ),
    );
    let (ended, all_ended) = mpsc::channel();
    thread::spawn(move || ended.send(fs::read_to_string(held)));
    let ran = squall(&["conform", "--target", &profile, "--filter", "3.12"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let read = all_ended.recv_timeout(Duration::from_secs(30));
    read.expect("nobody to hold the pipe any more").unwrap();
}

const KILLED: &str = "\
name: what was acknowledged is there after a kill
why: a test
broker: { durability: disk }
clients:
  pub: { session: persistent, reconnect: { after: 100ms } }
  sub: { session: persistent, subscribe: { \"t/#\": 1 } }
  dev: { will: { topic: w, qos: 2 }, reconnect: never }
  watch: { subscribe: { w: 2 }, reconnect: { after: 100ms } }
steps:
  - { at: 300ms, disconnect: { client: sub } }
  - { at: 400ms, publish: { from: pub, topic: t/1, qos: 1, count: 3 } }
  - { at: 900ms, crash: { host: broker, down: 0s } }
  - { at: 1500ms, connect: { client: sub } }
  - { at: 300ms, cut: { between: [dev, broker], mode: rst } }
";

#[test]
fn what_survives_a_kill_is_what_the_target_declares_or_it_is_blamed() {
    let (_scenario, scenario) = written("scenario.yaml", KILLED);
    let kept = squall(&["run", &scenario, "--target", "squall"]);
    assert_eq!(kept.code, Some(0), "{}{}", kept.out, kept.err);
    assert!(
        kept.out.contains("6 messages acknowledged, 6 at QoS 1")
            && kept.out.contains("crashes: 2, at ")
            && kept.out.contains("lost: 0, QoS 2 duplicates: 0"),
        "{}",
        kept.out
    );
    for (declares, code, said) in [
        ("memory", 0, "2 choice"),
        ("disk", 1, "`sub` to get `pub/1/1`, which was acknowledged"),
    ] {
        let text = format!(
            "\
name = \"forgetful\"
about = \"a broker that says disk and means memory\"
versions = [\"3.1.1\", \"5.0\"]
command = [\"{{squall}}\", \"broker\", \"--config\", \"{{config}}\"]
install = \"it is this program\"
config = {{ file = \"broker.toml\", text = 'listeners = [{{ tcp = {{ address = \"127.0.0.1:{{port}}\" }} }}]' }}
durability.disk = {{ config = \"\", declares = \"{declares}\" }}
"
        );
        let (_profile, profile) = written("forgetful.toml", &text);
        let ran = squall(&["run", &scenario, "--target", &profile]);
        assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
        assert!(
            ran.out.contains(said) && ran.out.contains("lost: 6"),
            "{}",
            ran.out
        );
    }
}
