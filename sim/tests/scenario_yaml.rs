//! A scenario is written as YAML that reads as the same scenario.

use std::{fs, path::PathBuf};

use squall_sim::scenario::{Scenario, find_scenarios};

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");

fn read(text: &str) -> Scenario {
    Scenario::parse("this.yaml", text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

/// As it is written, which must read as the same.
fn written(scenario: &Scenario) -> String {
    let yaml = scenario.to_yaml();
    assert_eq!(read(&yaml), *scenario, "{yaml}");
    yaml
}

#[test]
fn every_scenario_reads_the_same_when_it_is_written_again() {
    let (mut lines_by_hand, mut lines_again) = (0, 0);
    for file in find_scenarios(&[PathBuf::from(SCENARIOS)]).unwrap() {
        let text = fs::read_to_string(&file).unwrap();
        let mut scenarios = Scenario::parse_all("this.yaml", &text).unwrap();
        if scenarios.len() > 1 {
            scenarios
                .into_iter()
                .for_each(|scenario| drop(written(&scenario.alone())));
            continue;
        }
        let yaml = written(&scenarios.remove(0));
        let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
        lines_by_hand += lines(&text);
        lines_again += lines(&yaml);
    }
    assert!(
        lines_again <= lines_by_hand * 11 / 10,
        "{lines_by_hand} lines become {lines_again}: what was left out is written"
    );
}

const UNTIDY: &str = r##"expect:
  - { delivered: { to: sub, of: pub, at_least: once, in_order: true, within: 0h 0m 90s } }
  - session_present:
      client: sub
      at_connect: 2
      is: true
control: true
steps:
  - { publish: { from: pub, topic: "house/{client}/{n}", qos: 1, count: 3, every: 0s, retain: false }, at: 1000ms, id: "true" }
  - { after: "true", wait: 2s..5s, disconnect: { client: pub } }
  - { at: 0s, cut: { when: { packet: PUBREL, from: pub, nth: 1 }, side: before, mode: rst } }
  - { when: { packet: PUBACK, to: pub, nth: 2 }, partition: { between: [pub, broker], for: 30s, one_way: true } }
  - send: { from: raw, hex: "C000", packets: [PINGREQ, { PUBREL: 7 }, { PUBLISH: { topic: t, payload: "12" } }] }
clients:
  pub: { session: persistent, keep_alive: 60s, reconnect: never, will: { topic: house/gone, delay: 10s }, receive_maximum: 5 }
  sub: { session: persistent, subscribe: { "house/#": 2, house: 0, "$share/a b/+": 1 }, connect: { at: 5ms..40ms } }
peers: { raw: { acknowledges: false } }
versions: ["5.0"]
broker: { maximum_qos: 1, durability: memory }
why: >-
  [MQTT-4.3.3-8] says "exactly once": so it does, however often it is cut, and this sentence is so long that no line of a file
  can hold it without being broken somewhere, at a space.
name: "QoS 2: exactly once"
"##;

#[test]
fn a_scenario_is_written_as_a_person_would_write_it() {
    insta::assert_snapshot!(written(&read(UNTIDY)));
}

#[test]
fn texts_that_yaml_could_take_for_something_else_are_quoted() {
    let text = "{ name: n, why: w, clients: { a: {} }, steps: [{ connect: { client: a } }] }";
    let mut scenario = read(text);
    for id in [
        "null",
        "12",
        "1e3",
        "0x10",
        "- a",
        "a: b",
        "a #b",
        "#",
        "",
        " ",
        "a ",
        " a",
        "yes",
        "\n",
        "\u{7f}",
        "\\",
        "é{",
        "~",
        "<<",
        "1s",
        "*a",
        "&a",
        "5s x",
        "line\nline",
        "\u{2028}",
        "\u{85}",
        "\"",
        "'",
        "---",
        "a,b",
    ] {
        scenario.steps[0].id = Some(id.to_owned());
        scenario.why = id.to_owned();
        written(&scenario);
        scenario.why = format!("{id} {}", "word ".repeat(50));
        written(&scenario);
    }
}
