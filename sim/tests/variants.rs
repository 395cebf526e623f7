//! One file that stands for many scenarios: which they are, what they are called, and what a user sees who wrote one wrong.

#[macro_use]
#[path = "scenario_errors/shown.rs"]
mod shown;

use squall_proto::Version;
use squall_sim::{scenario::Scenario, span::Span, verdict::judge};

const SWEPT: &str = "\
name: every message arrives
why: MQTT-4.3.3
sweep: { qos: [0, 2], alive: [10s, 20s] }
clients:
  pub: { keep_alive: $alive }
  sub: { subscribe: { \"t/$qos/#\": $qos } }
steps:
  - publish: { from: pub, topic: \"t/$qos/x\", qos: $qos }
expect:
  - delivered: { to: sub, of: pub, exactly: once }
";

fn variants(text: &str) -> Vec<Scenario> {
    Scenario::parse_all("test.yaml", text).expect("it is right")
}

fn names(scenarios: &[Scenario]) -> Vec<&str> {
    scenarios
        .iter()
        .map(|scenario| scenario.variant.as_str())
        .collect()
}

#[test]
fn a_sweep_is_every_combination_in_the_order_of_its_lists() {
    let all = variants(SWEPT);
    assert_eq!(
        names(&all),
        [
            "qos=0,alive=10s",
            "qos=0,alive=20s",
            "qos=2,alive=10s",
            "qos=2,alive=20s"
        ]
    );
    let last = all.last().unwrap();
    assert_eq!(last.clients["pub"].keep_alive, Span::from_millis(20_000));
    assert_eq!(&**last.clients["sub"].subscribe.0[0].0.text(), "t/2/#");
}

#[test]
fn a_file_without_tables_is_one_scenario_without_a_name() {
    let all = variants("{ name: a, why: b, clients: { a: {} } }");
    assert_eq!(names(&all), [""]);
}

#[test]
fn a_list_of_rows_is_a_table_and_what_a_row_lacks_is_left_out() {
    let rows = "sweep: [ { qos: 1, alive: 30s }, { name: \"the other\", qos: 2 } ]";
    let all = variants(&SWEPT.replace("sweep: { qos: [0, 2], alive: [10s, 20s] }", rows));
    assert_eq!(names(&all), ["qos=1,alive=30s", "the other"]);
    assert_eq!(all[1].clients["pub"].keep_alive, Span::from_millis(60_000));
}

/// A list that a parameter stands for is put in item by item, and a map is asked for what is in it.
#[test]
fn parameters_stand_for_lists_and_maps_too() {
    let text = "
name: a
why: b
sweep:
  case:
    - { name: calm, steps: [], end: { after: 1s } }
    - { name: rough, steps: [ { crash: { host: broker, down: 1s } } ], end: never }
clients: { a: { reconnect: $case.end } }
steps:
  - $case.steps
  - publish: { from: a, topic: t }
";
    let all = variants(text);
    assert_eq!(names(&all), ["case=calm", "case=rough"]);
    assert_eq!([all[0].steps.len(), all[1].steps.len()], [1, 2]);
}

const PATHS: &str = "\
name: two ways are one
why: MQTT-4.3.3
paths: { live: { at: 0s }, late: { at: 2s } }
versions: [5.0]
clients:
  pub: {}
  sub: {}
steps:
  - at: $at
    subscribe: { client: sub, filters: { t: 1 } }
  - at: 1s
    id: traffic
    publish: { from: pub, topic: t, qos: 1, count: 2 }
";

#[test]
fn a_path_that_delivers_less_is_found_and_the_message_named() {
    let all = variants(PATHS);
    assert_eq!(names(&all), ["live", "late"]);
    assert!(all[0].reference.is_none() && all[1].reference.is_some());
    assert!(judge(&all[0], Version::V5, 1, true).verdict.holds());
    let judged = judge(&all[1], Version::V5, 1, true);
    insta::assert_snapshot!(format!(
        "{}\n{}",
        judged.verdict.expected().join("; "),
        judged.verdict.got()
    ));
}

#[test]
fn paths_that_deliver_the_same_pass() {
    for scenario in variants(&PATHS.replace("at: 2s", "at: 500ms")) {
        let judged = judge(&scenario, Version::V5, 1, true);
        assert!(
            judged.verdict.holds(),
            "{}: {:?}",
            scenario.variant,
            judged.verdict
        );
    }
}

wrong! {
    an_unknown_parameter_names_the_nearest_right_one: SWEPT, "$alive" => "$aliv";
    a_value_of_a_table_that_fits_nowhere_is_shown_in_the_table: SWEPT, "20s" => "20";
    a_parameter_that_stands_nowhere_is_refused: SWEPT, "keep_alive: $alive" => "keep_alive: 5s";
    a_parameter_without_values_is_refused: SWEPT, "[10s, 20s]" => "[]";
    a_value_that_is_no_list_is_refused: SWEPT, "[10s, 20s]" => "10s";
    an_unknown_client_beside_a_sweep_is_shown_where_it_stands: SWEPT, "from: pub" => "from: pubb";
    an_unknown_key_beside_a_sweep_names_the_nearest_right_one: SWEPT, "keep_alive:" => "keepalive:";
    a_misspelt_table_is_recognised: SWEPT, "sweep:" => "sweeps:";
    variants_of_the_same_name_are_refused: SWEPT, "[10s, 20s]" => "[10s, 10s]";
    one_path_is_nothing_to_compare: PATHS, ", late: { at: 2s }" => "";
    nothing_to_be_the_same_is_refused: SWEPT, "steps:" => "same: {}\nsteps:";
    somebody_unknown_to_compare_is_refused: PATHS, "steps:" => "same: { to: [subb] }\nsteps:";
}
