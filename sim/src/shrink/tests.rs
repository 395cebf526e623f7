use super::*;
use crate::{scenario::Action, span::Span};

/// As a swarm might draw it.
const DRAWN: &str = r##"
name: drawn
why: drawn
versions: [5.0]
broker: { receive_maximum: 7 }
network: { latency: 5ms..40ms, loss_percent: 3 }
clients:
  a: { session: persistent, keep_alive: 17s, will: { topic: a/b/c, qos: 1 }, subscribe: { "a/#": 1, "b/+": 2 } }
  b: { count: 5, connect: { at: 137ms..2s }, reconnect: { after: 20ms..31ms }, subscribe: { "#": 2 } }
  c: { session: persistent, receive_maximum: 3 }
steps:
  - { at: 2713ms, id: first, publish: { from: a, topic: "a/b/{n}", qos: 2, count: 17, every: 23ms, size: 300 } }
  - { after: first, wait: 31ms..77ms, disconnect: { client: a } }
  - { at: 3s, partition: { between: [b, broker], for: 7s } }
  - { at: 9117ms, id: gone, disconnect: { client: c } }
  - { after: gone, wait: 3s, connect: { client: c, session: clean } }
  - { at: 12s, publish: { from: c, topic: x/y/z, qos: 1, retain: true, count: 4 } }
  - { at: 14s, loss: { between: [c, broker], percent: 31, for: 5s } }
expect:
  - connected: { client: c, times: 2 }
"##;

fn drawn() -> Scenario {
    Scenario::parse("drawn.yaml", DRAWN).expect("a right scenario")
}

/// A planted failure: a client that left comes back with a clean session, and a retained message of at least 2 copies is published.
fn planted(scenario: &Scenario) -> bool {
    let comes_back = scenario
        .steps
        .iter()
        .any(|step| matches!(&step.action, Action::Connect(connect) if connect.session.is_some()));
    let publishes = scenario
        .steps
        .iter()
        .any(|step| matches!(&step.action, Action::Publish(publish) if publish.retain && publish.count >= 2));
    comes_back && publishes
}

#[test]
fn a_planted_failure_is_shrunk_to_what_it_needs() {
    assert!(planted(&drawn()));
    let shrunk = shrink(&drawn(), 10_000, planted);
    assert!(planted(&shrunk.scenario));
    insta::assert_snapshot!(shrunk.scenario.to_yaml());
    assert!(shrunk.tried < 300, "{}", shrunk.tried);
}

#[test]
fn shrinking_the_same_gives_the_same_and_nothing_smaller_is_left() {
    let once = shrink(&drawn(), 10_000, planted);
    assert_eq!(once, shrink(&drawn(), 10_000, planted));
    let again = shrink(&once.scenario, 10_000, planted);
    assert_eq!(again.scenario, once.scenario);
}

#[test]
fn nothing_is_asked_more_often_than_it_may_be() {
    for at_most in [0, 1, 7, 30] {
        let mut asked = 0;
        let shrunk = shrink(&drawn(), at_most, |scenario| {
            asked += 1;
            planted(scenario)
        });
        assert!(planted(&shrunk.scenario) && asked <= at_most && asked == shrunk.tried);
    }
}

#[test]
fn what_never_fails_stays_as_it_is() {
    assert_eq!(shrink(&drawn(), 10_000, |_| false).scenario, drawn());
}

#[test]
fn gaps_close_without_changing_what_comes_first() {
    let order = |scenario: &Scenario| {
        let places: Vec<bool> = scenario
            .steps
            .iter()
            .map(|step| matches!(step.action, Action::Publish(_)))
            .collect();
        scenario.steps.len() == 7 && places[0] && places[5]
    };
    let yaml = shrink(&drawn(), 10_000, order).scenario.to_yaml();
    assert!(!yaml.contains("at: 12s"), "{yaml}");
}

/// The second path subscribes a moment late; all else that differs, and all that is the same, has nothing to do with it.
const PATHS: &str = r##"
name: two ways are one
why: w
paths: { live: { at: 0s, alive: 10s, extra: [] }, late: { at: 3s, alive: 20s, transport: tls, extra: [ { at: 1s, kick: { client: other } } ] } }
versions: [5.0]
clients:
  pub: { keep_alive: $alive, transport: $transport }
  sub: { keep_alive: $alive }
  other: { subscribe: { "#": 1 } }
steps:
  - { at: $at, subscribe: { client: sub, filters: { "t/#": 1, u: 0 } } }
  - $extra
  - { at: 2s, publish: { from: pub, topic: t/a, qos: 1, count: 3 } }
  - { at: 3s, loss: { between: [other, broker], percent: 17, for: 2s } }
same: { to: [sub, other] }
"##;

#[test]
fn paths_that_differ_are_shrunk_together_to_a_file_that_shows_the_difference() {
    let late = Scenario::parse_all("paths.yaml", PATHS).unwrap().pop().unwrap();
    let judged = judge_by(&late, Version::V5, 4, Judging::ONCE, None);
    let failure = judged.failures.first().expect("one misses the messages").clone();
    assert_eq!(failure.what, "two_paths");
    let finder = Finder::new(&late, failure, Version::V5, 4);
    let shrunk = shrink(&finder.part(&late), 400, |scenario| finder.fails(scenario));
    let found = finder.found(shrunk.scenario).expect("it fails alike");
    let yaml = found.to_yaml("found.yaml");
    let read = Scenario::parse_all("found.yaml", &yaml).unwrap();
    let again = judge_by(&read[1], found.version, found.seed, Judging::ONCE, None);
    assert!(
        !again.verdict.holds()
            && judge_by(&read[0], found.version, found.seed, Judging::ONCE, None)
                .verdict
                .holds()
    );
    insta::assert_snapshot!(yaml);
}

/// A message that waits for its publisher's connection is owed; that the publisher could be sent away for good instead shows nothing.
#[test]
fn who_comes_back_is_not_sent_away_for_good_by_shrinking() {
    let yaml = "
name: n
why: w
settle: 5s
broker: { script: [{ to: PUBLISH, with: [] }] }
clients: { pub: {} }
steps:
  - { id: gone, disconnect: { client: pub } }
  - { after: gone, connect: { client: pub } }
  - { at: 1s, publish: { from: pub, topic: t, qos: 1 } }
";
    let scenario = Scenario::parse("away.yaml", yaml).unwrap();
    let judged = judge_by(&scenario, Version::V5, 1, Judging::ONCE, None);
    let failure = judged.failures.first().expect("nobody answers").clone();
    assert_eq!(failure.what, "overdue");
    let finder = Finder::new(&scenario, failure, Version::V5, 1);
    let without_connect = yaml.replace("  - { after: gone, connect: { client: pub } }\n", "");
    assert!(finder.fails(&scenario));
    assert!(!finder.fails(&Scenario::parse("away.yaml", &without_connect).unwrap()));
}

#[test]
fn steps_that_only_happen_give_their_time_to_those_that_wait_for_them() {
    let yaml = "
name: n
why: w
clients: { pub: {} }
steps:
  - { at: 2s, id: it begins, note: it begins }
  - { after: it begins, wait: 1s, id: round 1, note: round 1 }
  - { after: round 1, publish: { from: pub, topic: t } }
";
    let scenario = Scenario::parse("notes.yaml", yaml).unwrap();
    let late = |scenario: &Scenario| {
        let mut steps = scenario.steps.iter();
        let publish = steps.find(|step| matches!(step.action, Action::Publish(_)));
        publish.is_some_and(|step| step.wait == Span::from_millis(1000).into())
            || scenario
                .steps
                .iter()
                .any(|step| step.wait == Span::from_millis(1000).into())
                && publish.is_some()
    };
    let shrunk = shrink(&scenario, 1000, late).scenario.to_yaml();
    assert!(
        shrunk.contains("- { wait: 1s, publish: { from: pub, topic: t } }") && !shrunk.contains("note"),
        "{shrunk}"
    );
}
