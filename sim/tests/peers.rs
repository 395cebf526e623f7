//! Raw peers and scripted brokers: what they do at what they hear.

#[path = "run/both.rs"]
mod both;

use squall_proto::{Packet, ReasonCode};
use squall_sim::{
    run::{Ending, Run},
    trace::{End, Lines, Outcome, Side, Told, What},
};

fn runs(yaml: &str) -> [Run; 2] {
    both::runs(&format!("name: n\nwhy: w\n{yaml}"))
}

/// What of the trace these words pick, in order: `pub PUBREL id 1`.
fn lines(run: &Run, is_wanted: impl Fn(&What) -> bool) -> Vec<String> {
    let lines = Lines::new(&run.trace);
    let events = run.trace.events.iter().enumerate();
    let wanted = events.filter(|(_, event)| is_wanted(&event.what));
    wanted
        .filter_map(|(place, _)| lines.line(place))
        .map(|line| format!("{} {}", line.from, line.text))
        .collect()
}

fn sent_by(run: &Run, side: Side) -> Vec<String> {
    lines(
        run,
        |what| matches!(what, What::Sent { from, .. } if *from == side),
    )
}

const SUBSCRIBED: &str = "
clients: { pub: {} }
steps:
  - open: { peer: raw }
    id: open
  - after: open
    id: connected
    send: { from: raw, packets: [CONNECT, { SUBSCRIBE: { filters: { t: 2 } } }] }
  - at: 1s
    publish: { from: pub, topic: t, qos: QOS, count: 3 }
";

/// The acknowledgements of a peer that has this script, for three messages at this QoS.
fn acknowledgements(qos: u8, script: &str) -> [Vec<String>; 2] {
    let steps = SUBSCRIBED.replace("QOS", &qos.to_string());
    let yaml = format!("peers: {{ raw: {{ acknowledges: true, script: {script} }} }}{steps}");
    runs(&yaml).map(|run| {
        let said = sent_by(&run, Side::Client).into_iter();
        said.filter(|line| line.starts_with("raw PUB"))
            .map(|line| line.replace("raw ", ""))
            .collect()
    })
}

#[test]
fn a_peer_acknowledges_as_its_script_says() {
    let all = ["PUBACK id 1", "PUBACK id 2", "PUBACK id 3"];
    for (script, expected) in [
        ("[]", &all[..]),
        ("[{ to: PUBLISH, with: [] }]", &[]),
        (
            "[{ to: PUBLISH, nth: 2, with: [] }]",
            &["PUBACK id 1", "PUBACK id 3"],
        ),
        (
            "[{ to: PUBLISH, reversed: 3 }]",
            &["PUBACK id 3", "PUBACK id 2", "PUBACK id 1"],
        ),
        (
            "[{ to: PUBLISH, nth: 1, after: 1s }]",
            &["PUBACK id 2", "PUBACK id 3", "PUBACK id 1"],
        ),
        ("[{ to: PUBLISH, connection: 2, with: [] }]", &all),
        ("[{ to: PUBLISH, qos: 2, with: [] }]", &all),
    ] {
        for got in acknowledgements(1, script) {
            assert_eq!(got, expected, "{script}");
        }
    }
}

#[test]
fn a_peer_says_pubcomp_as_its_script_says() {
    let [v3, v5] = acknowledgements(2, "[{ to: PUBREL, reversed: 3 }]");
    for got in [v3, v5] {
        let last: Vec<&str> = got.iter().rev().take(3).map(String::as_str).collect();
        assert_eq!(last, ["PUBCOMP id 1", "PUBCOMP id 2", "PUBCOMP id 3"]);
    }
}

#[test]
fn a_peer_answers_with_whatever_packet_its_script_says() {
    let yaml = format!(
        "versions: [5.0]
peers: {{ raw: {{ script: [{{ to: PUBLISH, nth: 1, with: [{{ PUBREC: {{ reason: 0x80 }} }}, {{ PUBACK: 9 }}, {{ hex: c0 00 }}] }}] }} }}{}",
        SUBSCRIBED.replace("QOS", "1")
    );
    let [_, run] = runs(&yaml);
    let said = sent_by(&run, Side::Client);
    let answers: Vec<&str> = said
        .iter()
        .filter_map(|line| line.strip_prefix("raw P"))
        .collect();
    assert_eq!(
        answers,
        ["UBREC id 1 0x80 Unspecified error", "UBACK id 9", "INGREQ"]
    );
}

#[test]
fn a_group_of_peers_does_each_what_one_does() {
    let yaml = "
peers: { raw: { count: 3 } }
steps:
  - open: { peer: raw }
    id: open
  - after: open
    send: { from: raw, packets: [CONNECT] }
  - at: 1s
    shut: { peer: raw-2, how: rst }
";
    for run in runs(yaml) {
        let connects = lines(&run, |what| {
            matches!(
                what,
                What::Sent {
                    packet: Packet::Connect(_),
                    ..
                }
            )
        });
        assert_eq!(connects.len(), 3, "{connects:?}");
        let resets = lines(&run, |what| matches!(what, What::Closed { how: End::Reset, .. }));
        assert_eq!(resets, ["raw-2 closes with RST"]);
    }
}

#[test]
fn a_peer_pings_while_it_has_a_connection() {
    let yaml = "
peers: { raw: { pings: 2s } }
lasts: 9s
steps:
  - open: { peer: raw }
    id: open
  - after: open
    send: { from: raw, packets: [{ CONNECT: { keep_alive: 2s } }] }
";
    for run in runs(yaml) {
        let events = run.trace.events.iter();
        let pings = events.filter(|event| {
            matches!(
                event.what,
                What::Sent {
                    packet: Packet::Pingreq,
                    ..
                }
            )
        });
        let seconds: Vec<u64> = pings
            .map(|event| event.at.as_micros() / 1_000_000)
            .take(4)
            .collect();
        assert_eq!(seconds, [2, 4, 6, 8]);
        assert!(
            run.trace
                .events
                .iter()
                .all(|event| !matches!(event.what, What::Closed { .. }))
        );
    }
}

#[test]
fn bytes_that_are_sent_in_pieces_leave_in_segments_of_their_own() {
    let yaml = "
peers: { raw: {} }
steps:
  - open: { peer: raw }
    id: open
  - after: open
    send: { from: raw, hex: \"c0 00 # PINGREQ\", packets: [DISCONNECT], times: 2, pieces: { bytes: 3, every: 1s } }
";
    for run in runs(yaml) {
        let moments = run
            .trace
            .events
            .iter()
            .filter(|event| matches!(event.what, What::Sent { .. } | What::Malformed { .. }));
        assert!(moments.count() > 0);
        assert!(run.simulated.as_secs() >= 2, "{:?}", run.simulated);
    }
}

const SCRIPTED: &str = "
clients: { pub: { session: persistent, reconnect: { after: 1s } } }
steps:
  - at: 1s
    publish: { from: pub, topic: t, qos: 2 }
";

#[test]
fn a_scripted_broker_without_rules_is_right() {
    for run in runs(&format!("broker: {{ script: [] }}{SCRIPTED}")) {
        assert_eq!(run.end, Ending::Complete);
        assert_eq!(
            sent_by(&run, Side::Broker),
            [
                "broker CONNACK session present 0",
                "broker PUBREC id 1",
                "broker PUBCOMP id 1"
            ]
        );
    }
}

#[test]
fn a_scripted_broker_knows_its_sessions_until_it_crashes() {
    let crash = "  - at: 5s
    crash: { host: broker, down: 1s }
";
    let script = "broker: { script: [{ to: PUBREL, nth: 1, with: [], then: rst }] }";
    for run in runs(&format!("{script}{SCRIPTED}{crash}")) {
        let connacks = lines(&run, |what| {
            matches!(
                what,
                What::Arrived {
                    packet: Packet::Connack(_),
                    ..
                }
            )
        });
        let said: Vec<bool> = connacks
            .iter()
            .map(|line| line.contains("session present 1"))
            .collect();
        assert_eq!(said, [false, true, false]);
    }
}

#[test]
fn a_client_of_a_broker_that_falls_silent_notices_and_comes_back() {
    let script = "broker: { script: [{ to: PUBLISH, nth: 1, then: silence }] }";
    for run in runs(&format!("{script}{SCRIPTED}")) {
        let told = lines(&run, |what| matches!(what, What::Application { .. }));
        assert_eq!(
            told,
            [
                "pub is connected, session present 0",
                "pub is disconnected: no PINGRESP came in time",
                "pub is connected, session present 1",
                "pub has published `pub/0/1`: 0x00 Success"
            ]
        );
    }
}

#[test]
fn what_a_script_puts_off_is_said_before_the_run_is_over() {
    let script = "broker: { script: [{ to: PUBREL, with: [PUBCOMP, PINGRESP], after: 20s..30s }] }";
    for run in runs(&format!("{script}{SCRIPTED}")) {
        let said = sent_by(&run, Side::Broker);
        assert_eq!(said.last().map(String::as_str), Some("broker PINGRESP"));
        assert!(run.simulated.as_secs() >= 21, "{:?}", run.simulated);
    }
}

#[test]
fn a_scripted_broker_speaks_to_whom_a_step_says() {
    let yaml = "
broker: { script: [] }
clients: { one: {}, two: {} }
steps:
  - at: 1s
    send: { from: broker, to: two, packets: [{ PUBLISH: { topic: t, payload: hello } }] }
  - at: 2s
    shut: { peer: broker, to: one, how: rst }
";
    for run in runs(yaml) {
        let told = |what: &What| {
            matches!(
                what,
                What::Application {
                    told: Told::Message { .. } | Told::Disconnected { .. },
                    ..
                }
            )
        };
        assert_eq!(
            lines(&run, told),
            [
                "two hands over q0 \"t\" `hello`",
                "one is disconnected: the connection was lost"
            ]
        );
    }
}

#[test]
fn a_scripted_broker_speaks_through_every_transport() {
    for transport in ["tls", "ws", "wss"] {
        let scripted = SCRIPTED.replace("pub: {", &format!("pub: {{ transport: {transport},"));
        for run in runs(&format!("broker: {{ script: [] }}{scripted}")) {
            assert_eq!(run.end, Ending::Complete);
            assert_eq!(sent_by(&run, Side::Broker).len(), 3, "{transport}");
        }
    }
}

#[test]
fn what_becomes_of_a_publish_stands_in_the_trace() {
    let script = "broker: { script: [{ to: PUBLISH, with: [{ PUBREC: { reason: 0x97 } }] }] }";
    let [_, run] = runs(&format!("{script}{SCRIPTED}"));
    let outcomes: Vec<&Outcome> = run
        .trace
        .events
        .iter()
        .filter_map(|event| {
            if let What::Application {
                told: Told::Published { outcome, .. },
                ..
            } = &event.what
            {
                Some(outcome)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(outcomes, [&Outcome::Answered(ReasonCode::QuotaExceeded)]);
}

#[test]
fn an_application_is_busy_with_one_message_at_a_time() {
    let yaml = "
clients:
  pub: {}
  sub: { subscribe: { t: 1 }, application: { takes: 2s, acknowledges: handled } }
steps:
  - at: 1s
    publish: { from: pub, topic: t, qos: 1, count: 3 }
";
    for run in runs(yaml) {
        let events = run.trace.events.iter();
        let acknowledged: Vec<u64> = events
            .filter(|event| {
                matches!(
                    &event.what,
                    What::Sent {
                        from: Side::Client,
                        packet: Packet::Puback(_),
                        ..
                    }
                )
            })
            .map(|event| event.at.as_micros() / 1_000_000)
            .collect();
        assert_eq!(acknowledged, [3, 5, 7]);
    }
}
