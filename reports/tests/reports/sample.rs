//! A report with each kind of verdict and with names that no renderer may take literally.

use squall_reports::{FORMAT, Group, PacketLine, Report, Statement, TestResult, Verdict};

pub(crate) fn report() -> Report {
    let groups = vec![
        group(
            "3.1 CONNECT",
            vec![result("second_connect_closes 5.0", Verdict::Pass), deviation()],
        ),
        group(
            "3.3 PUBLISH",
            vec![failure(), result("retained_once 3.1.1", Verdict::Pass), hostile()],
        ),
        group("4.8 Shared <subscriptions> & \"more\"", judged_otherwise()),
        group("QoS 2 stays exactly once across a cut", vec![inconclusive()]),
    ];
    report_of("mqtt://127.0.0.1:1883", groups)
}

pub(crate) fn report_of(target: &str, groups: Vec<Group>) -> Report {
    Report {
        format: FORMAT,
        producer: "squall 0.1.0".to_owned(),
        target: target.to_owned(),
        micros: 1_342_000,
        groups,
    }
}

pub(crate) fn group(name: &str, results: Vec<TestResult>) -> Group {
    Group {
        name: name.to_owned(),
        target: None,
        results,
    }
}

pub(crate) fn result(name: &str, verdict: Verdict) -> TestResult {
    TestResult {
        name: name.to_owned(),
        mqtt: "5.0".to_owned(),
        statements: Vec::new(),
        verdict,
        micros: 1_250,
        simulated_micros: None,
        durability: None,
        packets: Vec::new(),
        repeat: None,
    }
}

fn failure() -> TestResult {
    TestResult {
        statements: vec![
            statement(
                "MQTT-3.3.1-5",
                "retain = 1 replaces the retained message of the topic",
            ),
            statement("MQTT-3.3.1-6", ""),
        ],
        packets: vec![
            packet(0, "pub", "broker", "CONNECT client \"pub\" clean start"),
            packet(12_034, "broker", "pub", "CONNACK Success"),
            packet(
                1_000_000,
                "pub",
                "broker",
                "PUBLISH q1 id 1 retain \"t/1\" 5 bytes",
            ),
            packet(1_500_000, "network", "", "partition subscriber <-> broker"),
            packet(
                3_661_000_001,
                "subscriber",
                "pub",
                "a packet between two that are no broker",
            ),
        ],
        repeat: Some("squall conform --target mqtt://127.0.0.1:1883 --filter retained_replaced".to_owned()),
        ..result(
            "retained_replaced 5.0",
            Verdict::Fail {
                expected: vec![
                    "PUBLISH \"t/1\" with \"second\"".to_owned(),
                    "nothing\nfor five seconds".to_owned(),
                ],
                got: "PUBLISH \"t/1\" with \"first\"".to_owned(),
            },
        )
    }
}

fn hostile() -> TestResult {
    TestResult {
        packets: vec![packet(
            5,
            "broker",
            "a",
            "PUBLISH q0 \"\u{1b}[2Jcleared\u{fffe}\"",
        )],
        ..result(
            "<script>alert('x')</script> & ]]> 5.0",
            Verdict::Fail {
                expected: vec!["a topic without \u{0}".to_owned()],
                got: "<b>\u{1b}[31mred\u{1b}[0m</b> ]]> \u{1}".to_owned(),
            },
        )
    }
}

fn deviation() -> TestResult {
    TestResult {
        statements: vec![statement("MQTT-3.1.4-6", "")],
        ..result(
            "refusal_has_a_code 5.0",
            Verdict::Deviation {
                expected: vec!["CONNACK 0x85, then a close".to_owned()],
                got: "a close".to_owned(),
            },
        )
    }
}

fn judged_otherwise() -> Vec<TestResult> {
    let why = |text: &str| text.to_owned();
    vec![
        result(
            "uneven_sharing 5.0",
            Verdict::Choice {
                outcome: why("the first member got all"),
            },
        ),
        result(
            "no_local_shared 5.0",
            Verdict::Unsupported {
                why: why("CONNACK: Shared Subscription Available = 0"),
            },
        ),
        result(
            "session_end_requeues 5.0",
            Verdict::Known {
                why: why("profile: upstream keeps them, reported"),
            },
        ),
    ]
}

fn inconclusive() -> TestResult {
    TestResult {
        simulated_micros: Some(7_500_000_000),
        durability: None,
        repeat: Some("squall run scenarios/qos2-cut.yaml --mqtt 5.0 --seed 7".to_owned()),
        ..result(
            "5.0 seed 7",
            Verdict::Inconclusive {
                why: "step 2, cut: no packet met it".to_owned(),
            },
        )
    }
}

fn statement(id: &str, gist: &str) -> Statement {
    Statement {
        id: id.to_owned(),
        gist: gist.to_owned(),
    }
}

pub(crate) fn packet(at_micros: u64, from: &str, to: &str, text: &str) -> PacketLine {
    PacketLine {
        at_micros,
        from: from.to_owned(),
        to: to.to_owned(),
        text: text.to_owned(),
        mark: None,
    }
}
