use squall_reports::{Crash, Duplicate, Durability, Lost, Options, TestResult, Verdict, terminal};

use crate::sample::{group, report, report_of, result};

#[test]
fn passes_are_folded_and_what_did_not_hold_is_explained() {
    insta::assert_snapshot!(terminal(&report(), Options::default()));
}

#[test]
fn verbose_shows_every_result() {
    insta::assert_snapshot!(terminal(
        &report(),
        Options {
            verbose: true,
            colour: false
        }
    ));
}

#[test]
fn what_a_broker_lost_is_summed_up_and_listed_as_far_as_fits() {
    let lost = |n: usize| Lost {
        topic: "t".to_owned(),
        message: format!("`pub/0/{n}`"),
        publisher: "pub".to_owned(),
        to: "sub".to_owned(),
        acknowledged_micros: 900_000,
        crash: Some(1),
    };
    let told = TestResult {
        durability: Some(Durability {
            acknowledged_qos1: 300,
            acknowledged_qos2: 200,
            crashes: vec![Crash {
                at_micros: 1_000_000,
                after: "broker PUBACK id 7".to_owned(),
            }],
            lost: (0..12).map(lost).collect(),
            duplicates: vec![Duplicate {
                topic: "t".to_owned(),
                message: "`pub/1/3`".to_owned(),
                to: "sub".to_owned(),
                times: 1,
            }],
        }),
        ..result("5.0 seed 7", Verdict::Pass)
    };
    let report = report_of("another broker", vec![group("under load", vec![told])]);
    insta::assert_snapshot!(terminal(&report, Options::default()));
}

#[test]
fn colours_stand_around_words_and_never_inside_them() {
    let plain = terminal(&report(), Options::default());
    let coloured = terminal(
        &report(),
        Options {
            colour: true,
            verbose: false,
        },
    );
    assert_ne!(plain, coloured);
    assert!(coloured.contains("\u{1b}[32m2 pass\u{1b}[0m") || coloured.contains("\u{1b}[32m1 pass\u{1b}[0m"));
    assert_eq!(without_escapes(&coloured), plain);
}

#[test]
fn a_peer_cannot_move_the_cursor() {
    assert!(
        !terminal(
            &report(),
            Options {
                verbose: true,
                colour: false
            }
        )
        .contains(['\u{1b}', '\u{0}', '\u{1}'])
    );
}

#[test]
fn a_thousand_failures_fit_a_few_screens() {
    let fail = Verdict::Fail {
        expected: vec!["a close".to_owned()],
        got: "silence".to_owned(),
    };
    let results = (0..1_000)
        .map(|seed| result(&format!("5.0 seed {seed}"), fail.clone()))
        .collect();
    let shown = terminal(
        &report_of("the simulated broker", vec![group("a scenario", results)]),
        Options::default(),
    );
    assert!(shown.lines().count() < 100, "{} lines", shown.lines().count());
    assert!(shown.contains("993 more like these"));
    assert!(shown.contains("990 more did not hold"));
    assert!(shown.contains("1000 results: 1000 fail"));
}

#[test]
fn a_long_history_shows_its_end() {
    let mut report = report();
    let failure = &mut report.groups[1].results[0];
    let line = failure.packets[0].clone();
    failure.packets.splice(0..0, vec![line; 100]);
    let shown = terminal(&report, Options::default());
    assert!(shown.contains(".. 65 earlier; --verbose shows all"), "{shown}");
    assert!(shown.contains("partition subscriber <-> broker"));
}

fn without_escapes(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}
