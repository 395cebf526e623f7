//! What a user sees who wrote a scenario wrong: where, what, and the mend.

#[macro_use]
#[path = "scenario_errors/shown.rs"]
mod shown;

#[path = "scenario_errors/hosts.rs"]
mod hosts;
#[path = "scenario_errors/speech.rs"]
mod speech;

use shown::show;
use squall_sim::scenario::Scenario;

const GOOD: &str = "\
name: every message arrives once
why: MQTT-4.3.3
clients:
  pub: { keep_alive: 10s }
  sub: { subscribe: { \"t/#\": 2 } }
steps:
  - at: 1s
    publish: { from: pub, topic: \"t/{n}\", qos: 2, count: 3 }
  - cut: { when: { packet: PUBREL, from: pub }, side: before, mode: rst }
expect:
  - delivered: { to: sub, of: pub, exactly: once }
";

#[test]
fn a_right_file_is_read() {
    let scenario = Scenario::parse("good.yaml", GOOD).unwrap();
    assert_eq!(scenario.clients.len(), 2);
    assert_eq!(scenario.steps.len(), 2);
    assert!(scenario.has_faults() && scenario.control);
}

wrong! {
    an_unknown_key_names_the_nearest_right_one: GOOD, "keep_alive" => "keepalive";
    an_unknown_key_of_a_step_names_the_nearest_right_one: GOOD, "publish:" => "publsh:";
    an_unknown_section_names_the_nearest_right_one: GOOD, "clients:" => "client:";
    an_unknown_client_names_the_nearest_right_one: GOOD, "from: pub, topic" => "from: pubb, topic";
    a_client_that_only_an_expectation_knows_is_unknown: GOOD, "to: sub" => "to: subscriber-of-old";
    a_cut_of_two_kinds_is_refused: GOOD, "side: before" => "between: [pub, broker]";
    a_cut_without_a_packet_has_no_side: GOOD, "when: { packet: PUBREL, from: pub }" => "between: [pub, broker]";
    a_partition_that_parts_nobody_from_the_broker_is_refused: GOOD,
        "cut: { when: { packet: PUBREL, from: pub }, side: before, mode: rst }" => "partition: { groups: [[pub], [sub]], for: 1s }";
    a_range_that_begins_before_the_first_packet_is_refused: GOOD, "from: pub }" => "from: pub, nth: 0..3 }";
    a_cut_at_an_unknown_clients_packet_is_refused: GOOD, "from: pub }" => "from: publisher }";
    a_missing_unit_says_how_to_write_one: GOOD, "keep_alive: 10s" => "keep_alive: 10";
    an_unknown_packet_names_the_nearest_right_one: GOOD, "PUBREL" => "PUBRELL";
    a_wrong_version_names_the_right_ones: GOOD, "clients:" => "versions: [3.1]\nclients:";
    a_key_that_comes_twice_is_refused: GOOD, "why: MQTT-4.3.3" => "why: MQTT-4.3.3\nwhy: MQTT-4.3.2";
    a_missing_key_is_named: GOOD, "name: every message arrives once\n" => "";
    two_actions_in_a_step_are_refused: GOOD, "    publish" => "    disconnect: { client: pub }\n    publish";
    a_step_that_does_nothing_is_refused: GOOD, "  - cut: { when: { packet: PUBREL, from: pub }, side: before, mode: rst }" => "  - at: 2s";
    a_packet_of_nobody_is_refused: GOOD, ", from: pub }" => " }";
    an_unsaid_number_of_times_is_refused: GOOD, ", exactly: once" => "";
    a_broken_quote_is_refused: GOOD, "\"t/{n}\"" => "\"t/{n}";
    a_qos_of_3_is_refused: GOOD, "qos: 2" => "qos: 3";
    a_wildcard_in_a_topic_name_is_refused: GOOD, "t/{n}" => "t/#";
    a_keep_alive_of_half_a_second_is_refused: GOOD, "10s" => "500ms";
}

#[test]
fn an_empty_file_is_refused() {
    insta::assert_snapshot!(show(""));
}

/// YAML breaks lines there, editors do not.
#[test]
fn a_lone_carriage_return_does_not_move_the_place() {
    let text = GOOD.replacen("keep_alive: 10s", "keep_alive:\r10", 1);
    let error = Scenario::parse("wrong.yaml", &text).expect_err("no unit");
    assert!(error.to_string().starts_with("wrong.yaml:4:"), "{error}");
}

#[test]
fn a_key_that_begins_with_a_character_of_several_bytes_is_shown_whole() {
    let text = GOOD.replacen("name", "\u{FFFD}e", 1);
    assert!(show(&text).contains("`\u{FFFD}e`"), "{}", show(&text));
}

#[test]
fn a_file_of_comments_is_refused() {
    insta::assert_snapshot!(show("# nothing yet\n"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Scenario::read("not-there.yaml".as_ref()).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot read not-there.yaml: "),
        "{error}"
    );
}
