//! Every fault, begun in every way a step may begin: each does something, and the talk it disturbs is whole all the same.

use squall_proto::Version;
use squall_sim::{faults::Fault, scenario::Scenario, verdict::judge};

/// A fault in the middle of a talk that goes on for 13 s: its name, and how it is written.
const FAULTS: &[(&str, &str)] = &[
    (
        "bandwidth",
        "{ between: [pub, broker], bytes_per_second: 100..200, for: 3s..8s }",
    ),
    ("blackhole", "{ between: [pub, broker], for: 3s..8s }"),
    (
        "blackhole",
        "{ between: [broker, sub], one_way: true, for: 3s..8s }",
    ),
    ("clock_step", "{ host: broker, by: -1h..1h }"),
    (
        "coalesce",
        "{ between: [sub, broker], within: 200ms..900ms, for: 3s..8s }",
    ),
    ("crash", "{ host: sub, down: 1s..3s }"),
    ("crash", "{ host: sub, kind: power, down: 1s..3s }"),
    ("cut", "{ between: [sub, broker], mode: rst }"),
    ("cut", "{ between: [sub, broker], which: oldest, mode: fin }"),
    ("cut", "{ between: [pub, broker], which: newest, mode: silent }"),
    (
        "cut",
        "{ when: { packet: PUBREL, from: pub, nth: 1..5 }, side: before, mode: rst }",
    ),
    (
        "cut",
        "{ when: { packet: PUBREC, to: pub, nth: 1..5 }, side: after, times: 1..3, mode: fin }",
    ),
    ("cut", "{ when: { packet: PUBLISH, to: sub }, mode: silent }"),
    (
        "disk",
        "{ host: sub, kind: slow_sync, takes: 100ms..500ms, for: 3s..8s }",
    ),
    ("disk", "{ host: sub, kind: sync_error, next: 1 }"),
    ("hold", "{ between: [sub, broker], for: 3s..8s }"),
    ("kick", "{ client: sub }"),
    (
        "latency",
        "{ between: [sub, broker], latency: 50ms..300ms, for: 3s..8s }",
    ),
    (
        "latency",
        "{ between: [sub, broker], spikes: { every: 1s..2s, latency: 1s..3s }, for: 3s..8s }",
    ),
    ("loss", "{ between: [sub, broker], percent: 20..60, for: 3s..8s }"),
    (
        "partition",
        "{ between: [sub, broker], one_way: true, for: 3s..8s }",
    ),
    ("partition", "{ groups: [[sub], [pub, broker]], for: 3s..8s }"),
    ("pause", "{ host: sub, for: 3s..8s }"),
    ("pause", "{ host: broker, for: 1s..3s }"),
    ("restart", "{ host: sub, state: torn }"),
    ("restart", "{ host: broker, state: kept, down: 0s..2s }"),
    ("resume", "{ host: idle }"),
    ("revoke", "{ client: idle, for: 1s..3s }"),
    ("segment", "{ between: [sub, broker], bytes: 1..3, for: 3s..8s }"),
    ("slow_read", "{ host: sub, bytes: 20, every: 100ms, for: 3s..8s }"),
    ("stop", "{ host: sub, down: 1s..3s }"),
];

fn scenario(fault: &str, start: &str) -> Scenario {
    let before = if fault.starts_with("resume") {
        "- { at: 1200ms, pause: { host: idle } }"
    } else {
        ""
    };
    // It takes its time to run.
    let has_disk = ["disk", "torn", "power"].iter().any(|word| fault.contains(word));
    let store = if has_disk { "store: disk," } else { "" };
    let yaml = format!(
        r#"
name: a talk that a fault disturbs
why: MQTT-4.3.3
clients:
  pub: {{ session: persistent, keep_alive: 5s, reconnect: {{ after: 1s }} }}
  sub: {{ session: persistent, {store} keep_alive: 5s, reconnect: {{ after: 1s }}, subscribe: {{ "t/#": 2 }} }}
  idle: {{ keep_alive: 5s, reconnect: {{ after: 1s }}, subscribe: {{ "t/#": 0 }} }}
steps:
  {before}
  - at: 1s
    publish: {{ from: pub, topic: "t/{{n}}", qos: 2, count: 25, every: 500ms }}
  - id: hello
    at: 2s
    publish: {{ from: sub, topic: hello, qos: 1 }}
  - {start}
    {fault}
expect:
  - delivered: {{ to: sub, of: pub, exactly: once, in_order: true }}
"#
    );
    Scenario::parse("test.yaml", &yaml).unwrap_or_else(|error| panic!("{error}: {yaml}"))
}

fn outlives_every_fault(start: &str) {
    for (name, parameters) in FAULTS {
        let scenario = scenario(&format!("{name}: {parameters}"), start);
        for version in Version::ALL {
            let judged = judge(&scenario, version, 7, false);
            let got = judged.verdict.got();
            assert!(judged.verdict.holds(), "{name}: {parameters} {version}: {got}");
        }
    }
}

#[test]
fn a_talk_outlives_every_fault_at_a_time() {
    outlives_every_fault("at: 3s..5s");
}

#[test]
fn a_talk_outlives_every_fault_after_a_step() {
    outlives_every_fault("after: hello");
}

#[test]
fn a_talk_outlives_every_fault_at_a_packet() {
    outlives_every_fault("when: { packet: PUBLISH, from: pub, nth: 2..9 }");
}

#[test]
fn the_list_above_has_every_fault() {
    let mut names: Vec<&str> = FAULTS.iter().map(|(name, _)| *name).collect();
    names.dedup();
    assert_eq!(names, Fault::NAMES);
}
