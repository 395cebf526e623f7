//! Expectations about clients: each holds where it is true and is a finding where it is not.

use squall_proto::Version;
use squall_sim::{scenario::Scenario, verdict::judge};

const TALK: &str = "
name: n
why: w
broker: { script: [{ to: SUBSCRIBE, with: [SUBACK, { PUBLISH: { topic: t, payload: a } }, { PUBLISH: { topic: t, payload: b } }] }, { to: PUBLISH, nth: 2, with: [{ PUBACK: { reason: 0x97 } }] }] }
clients: { it: { subscribe: { t: 1 } } }
steps:
  - { at: 1s, id: two, publish: { from: it, topic: t, qos: 1, count: 2 } }
expect:
";

fn holds(expectation: &str) -> bool {
    let yaml = format!("{TALK}  - {expectation}\n");
    let scenario = Scenario::parse("test.yaml", &yaml).expect("a scenario");
    judge(&scenario, Version::V5, 7, true).verdict.holds()
}

#[test]
fn what_is_expected_of_a_client_is_found_where_it_is_not_so() {
    for (so, not_so) in [
        (
            "handed: { to: it, payloads: [a, b] }",
            "handed: { to: it, payloads: [b, a] }",
        ),
        (
            "ended: { of: it, as: acknowledged, messages: 1 }",
            "ended: { of: it, as: acknowledged }",
        ),
        (
            "ended: { of: it, step: two, as: { refused: 0x97 }, messages: 1 }",
            "ended: { of: it, as: failed, messages: 1 }",
        ),
        ("told: { to: it, connected: 1 }", "told: { to: it, connected: 2 }"),
        (
            "told: { to: it, disconnected: { times: 0 } }",
            "told: { to: it, disconnected: { times: 1 } }",
        ),
        (
            "packets: { from: it, only: [PUBLISH], are: [id 2, id 3] }",
            "packets: { from: it, only: [PUBLISH], are: [id 2] }",
        ),
        (
            "packets: { to: it, connection: 1, only: [PUBACK], are: [PUBACK id 2, 0x97] }",
            "packets: { to: it, connection: 2, only: [PUBACK], are: [PUBACK id 2, 0x97] }",
        ),
    ] {
        assert!(holds(so), "{so}");
        assert!(!holds(not_so), "{not_so}");
    }
}
