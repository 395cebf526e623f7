//! Steps that stand for several, and steps that wait: what they become, and what a user sees who wrote one wrong.

#[macro_use]
#[path = "scenario_errors/shown.rs"]
mod shown;

use squall_proto::{Packet, Version};
use squall_sim::{
    run::{Arm, run},
    scenario::{Scenario, Step},
    trace::{Side, Trace, What},
    verdict::judge,
};

fn parse(steps: &str) -> Vec<Scenario> {
    Scenario::parse_all("test.yaml", &file(steps)).unwrap_or_else(|error| panic!("{error}"))
}

fn file(steps: &str) -> String {
    NO_STEPS.replace("steps: []\n", steps)
}

fn only(steps: &str) -> Scenario {
    let mut all = parse(steps);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// When each step began: its words, and whole seconds.
fn played(scenario: &Scenario) -> Vec<(String, u64)> {
    let run = run(scenario, Version::V5, 3, Arm::Faults);
    began(&run.trace)
}

fn began(trace: &Trace) -> Vec<(String, u64)> {
    let began = trace.events.iter().filter_map(|event| {
        let What::Step { what, .. } = &event.what else {
            return None;
        };
        Some((what.clone(), event.at.as_micros() / 1_000_000))
    });
    began.collect()
}

#[test]
fn a_repeat_goes_round_when_the_round_before_is_over() {
    let scenario = only(
        "steps:
  - at: 1s
    repeat: 3
    steps:
      - { id: first, at: 1s, note: \"first $n\" }
      - { after: first, wait: 2s, note: \"second $n\" }
",
    );
    let notes: Vec<_> = played(&scenario)
        .into_iter()
        .filter(|(what, _)| what.starts_with("first") || what.starts_with("second"))
        .collect();
    let expected = [
        ("first 1", 2),
        ("second 1", 4),
        ("first 2", 5),
        ("second 2", 7),
        ("first 3", 8),
        ("second 3", 10),
    ];
    assert_eq!(notes, expected.map(|(what, at)| (what.to_owned(), at)));
}

#[test]
fn a_repeat_every_so_often_does_not_wait_for_the_round_before() {
    let scenario = only("steps: [ { repeat: 2, every: 1s, steps: [ { at: 5s, note: x$n } ] } ]");
    let notes: Vec<_> = played(&scenario)
        .into_iter()
        .filter(|(what, _)| what.starts_with('x'))
        .collect();
    assert_eq!(notes, [("x1".to_owned(), 5), ("x2".to_owned(), 6)]);
}

#[test]
fn what_comes_after_a_block_comes_after_all_of_it() {
    let scenario = only(
        "steps:
  - id: both
    for_each: { who: [pub, sub] }
    steps:
      - { at: 2s, disconnect: { client: $who } }
  - { after: both, wait: 1s, note: end }
",
    );
    let played = played(&scenario);
    assert!(played.contains(&("disconnect sub".to_owned(), 2)), "{played:?}");
    assert_eq!(played.last().unwrap(), &("end".to_owned(), 3));
}

#[test]
fn phases_come_one_after_the_other_and_a_fault_ends_with_its_phase() {
    let scenario = only(
        "phases:
  calm: [ { at: 1s, publish: { from: pub, topic: t } } ]
  storm: [ { at: 1s, partition: { between: [pub, broker], for: 3s } }, { publish: { from: pub, topic: t } } ]
  after: [ { note: end } ]
",
    );
    let played = played(&scenario);
    let end = played.iter().find(|(what, _)| what == "end");
    assert_eq!(end.unwrap().1, 5, "{played:?}");
}

/// A cut in the second phase counts from there.
#[test]
fn a_packet_in_a_phase_is_counted_from_where_the_phase_begins() {
    let scenario = only(
        "phases:
  before: [ { at: 1s, publish: { from: pub, topic: t, qos: 1, count: 3 } } ]
  then:
    - when: { packet: PUBLISH, from: pub, nth: 2 }
      note: the second
    - at: 2s
      publish: { from: pub, topic: t, qos: 1, count: 2, every: 1s }
",
    );
    let played = played(&scenario);
    assert!(played.contains(&("the second".to_owned(), 4)), "{played:?}");
}

#[test]
fn a_race_is_run_in_both_orders_and_at_once() {
    let all = parse(
        "steps:
  - at: 1s
    apart: 2s
    race: { leave: { disconnect: { client: sub } }, publish: [ { publish: { from: pub, topic: t } } ] }
",
    );
    let names: Vec<_> = all.iter().map(|scenario| scenario.variant.as_str()).collect();
    assert_eq!(names, ["race=leave first", "race=publish first", "race=together"]);
    let moments = |scenario: &Scenario| {
        let played = played(scenario);
        let of = |name: &str| played.iter().find(|(what, _)| what.starts_with(name)).unwrap().1;
        [of("disconnect"), of("publish")]
    };
    assert_eq!(
        all.iter().map(moments).collect::<Vec<_>>(),
        [[1, 3], [3, 1], [1, 1]]
    );
    assert!(all.iter().all(|scenario| scenario.reference.is_none()));
}

#[test]
fn the_orders_of_a_race_are_compared_when_they_must_be_the_same() {
    let text = "same: {}
steps:
  - at: 1s
    race: { a: { publish: { from: pub, topic: t, qos: 1 } }, b: { disconnect: { client: sub } } }
";
    let all = parse(text);
    assert!(judge(&all[0], Version::V5, 1, true).verdict.holds());
    let judged = judge(&all[1], Version::V5, 1, true);
    assert!(
        judged.verdict.got().contains("not at all"),
        "{:?}",
        judged.verdict
    );
}

#[test]
fn steps_of_a_block_have_ids_that_read_well() {
    let scenario = only("steps: [ { id: storm, repeat: 2, steps: [ { note: a }, { id: x, note: b } ] } ]");
    let ids: Vec<_> = scenario
        .steps
        .iter()
        .filter_map(|step: &Step| step.id.clone())
        .collect();
    assert_eq!(
        ids,
        [
            "storm begins",
            "storm round 1 begins",
            "storm round 1/1",
            "x-1",
            "storm round 2 begins",
            "storm round 2/1",
            "x-2",
            "storm"
        ]
    );
}

#[test]
fn an_await_ends_when_what_it_waits_for_comes() {
    let scenario = only(
        "steps:
  - { at: 1s, publish: { from: pub, topic: a/b, qos: 1, count: 3, every: 2s } }
  - { id: third, await: { delivered: { to: sub, topic: a/+, count: 3 } } }
  - { after: third, note: end }
  - { id: there, await: { connected: sub } }
  - { after: there, note: there }
",
    );
    let played = played(&scenario);
    assert!(played.contains(&("end".to_owned(), 5)), "{played:?}");
    assert!(played.contains(&("there".to_owned(), 0)), "{played:?}");
}

fn finding(steps: &str) -> String {
    let judged = judge(&only(steps), Version::V5, 1, true);
    format!(
        "{}; {}",
        judged.verdict.expected().join(" "),
        judged.verdict.got()
    )
}

#[test]
fn what_is_awaited_and_does_not_come_is_found() {
    insta::assert_snapshot!(finding(
        "steps: [ { at: 1s, await: { packet: { packet: PUBACK, to: pub }, within: 5s } } ]"
    ));
}

#[test]
fn what_must_not_come_and_comes_is_found() {
    insta::assert_snapshot!(finding(
        "steps: [ { at: 1s, expect_none: { delivered: { to: sub }, for: 5s } }, { at: 2s, publish: { from: pub, topic: t } } ]"
    ));
}

#[test]
fn nothing_is_found_where_nothing_must_come_and_nothing_does() {
    let scenario = only(
        "steps: [ { at: 3s, expect_none: { packet: { packet: PUBLISH, to: sub }, for: 5s } }, { publish: { from: pub, topic: t } } ]",
    );
    assert!(judge(&scenario, Version::V5, 1, true).verdict.holds());
}

#[test]
fn traffic_is_as_much_as_it_says_of_all_kinds_it_says() {
    let scenario = only(
        "steps:
  - at: 1s
    traffic: { publishers: [pub], topics: [\"t/{1..3}\"], size: 20..90, retain: 50, for: 2s, rate: 40, subscribers: { clients: [pub] } }
",
    );
    let run = run(&scenario, Version::V5, 3, Arm::Faults);
    let mut kinds = std::collections::BTreeSet::new();
    let mut sent = 0;
    for event in &run.trace.events {
        if let What::Sent {
            packet: Packet::Publish(publish),
            from: Side::Client,
            ..
        } = &event.what
        {
            sent += 1;
            assert!((20..=90).contains(&publish.payload.len()));
            kinds.insert((
                publish.topic.as_ref().map(ToString::to_string),
                publish.delivery.qos(),
                publish.retain,
            ));
        }
    }
    assert_eq!(sent, 80);
    assert!(kinds.len() > 15, "{kinds:?}");
    assert!(judge(&scenario, Version::V5, 3, true).verdict.holds());
}

const NO_STEPS: &str = "\
name: a
why: b
versions: [5.0]
clients:
  pub: {}
  sub: { subscribe: { \"#\": 2 } }
steps: []
";

wrong! {
    a_race_of_three_is_refused: NO_STEPS, "steps: []" => "steps: [ { race: { a: { note: a }, b: { note: b }, c: { note: c } } } ]";
    a_repeat_without_a_number_is_refused: NO_STEPS, "steps: []" => "steps: [ { repeat: often, steps: [ { note: a } ] } ]";
    a_repeat_without_steps_is_refused: NO_STEPS, "steps: []" => "steps:\n  - repeat: 3\n    publish: { from: pub, topic: t }";
    an_unknown_key_of_a_block_names_the_nearest_right_one: NO_STEPS, "steps: []" => "steps: [ { repeat: 3, evry: 1s, steps: [ { note: a } ] } ]";
    an_unknown_client_in_a_block_is_shown_where_it_stands: NO_STEPS, "steps: []" => "steps: [ { repeat: 3, steps: [ { publish: { from: pubb, topic: t } } ] } ]";
    an_unknown_parameter_in_a_block_is_shown_where_it_stands: NO_STEPS, "steps: []" => "steps: [ { for_each: { who: [pub] }, steps: [ { publish: { from: $wo, topic: $who } } ] } ]";
    after_an_unknown_step_of_a_block_is_refused: NO_STEPS, "steps: []" => "phases: { a: [ { id: x, note: x } ], b: [ { after: y, note: y } ] }";
    at_and_after_are_not_both: NO_STEPS, "steps: []" => "steps: [ { id: a, note: a }, { after: a, at: 1s, note: b } ]";
    at_and_wait_in_a_block_are_not_both: NO_STEPS, "steps: []" => "steps: [ { repeat: 2, steps: [ { at: 1s, wait: 2s, note: a } ] } ]";
    after_nothing_is_refused: NO_STEPS, "steps: []" => "steps: [ { after: [], note: a } ]";
    an_await_of_two_things_is_refused: NO_STEPS, "steps: []" => "steps: [ { await: { connected: pub, packet: { packet: PUBACK, to: pub } } } ]";
    an_await_of_nothing_is_refused: NO_STEPS, "steps: []" => "steps: [ { await: { within: 5s } } ]";
    traffic_of_nobody_is_refused: NO_STEPS, "steps: []" => "steps: [ { traffic: { publishers: [], topics: [t], count: 5 } } ]";
    traffic_that_never_ends_is_refused: NO_STEPS, "steps: []" => "steps: [ { traffic: { publishers: [pub], topics: [t] } } ]";
    traffic_to_a_wildcard_is_refused: NO_STEPS, "steps: []" => "steps: [ { traffic: { publishers: [pub], topics: [\"t/#\"], count: 5 } } ]";
    traffic_of_a_qos_that_is_none_is_refused: NO_STEPS, "steps: []" => "steps: [ { traffic: { publishers: [pub], topics: [t], qos: any, count: 5 } } ]";
    a_misspelt_block_is_recognised: NO_STEPS, "steps: []" => "steps: [ { repet: 3, steps: [ { note: a } ] } ]";
}
