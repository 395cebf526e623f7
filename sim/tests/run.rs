//! Whole runs: the broker and the clients that ship, in a world, with faults.

#[path = "run/both.rs"]
mod both;

use std::{env, process::Command, time::Duration};

use both::{runs, scenario};

use squall_proto::{Packet, Version};
use squall_reports::Mark;
use squall_sim::{
    run::{Arm, Ending, Run, run},
    trace::{Event, Side, What},
    verdict::judge,
};

fn arrived(run: &Run, what: impl Fn(&Packet) -> bool, at: Side) -> usize {
    let is_it = |event: &&Event| matches!(&event.what, What::Arrived { from, packet, .. } if *from != at && what(packet));
    run.trace.events.iter().filter(is_it).count()
}

const TALK: &str = r#"
name: a talk
why: because
clients:
  pub: { session: persistent }
  sub: { session: persistent, subscribe: { "t/#": 2 } }
steps:
  - at: 1s
    publish: { from: pub, topic: "t/{n}", qos: 2, count: 20, every: 10ms }
"#;

#[test]
fn a_talk_without_faults_is_complete() {
    for run in runs(TALK) {
        assert_eq!(run.end, Ending::Complete);
        assert_eq!(
            arrived(&run, |packet| matches!(packet, Packet::Publish(_)), Side::Client),
            20
        );
        assert!(run.simulated < Duration::from_secs(10), "{:?}", run.simulated);
    }
}

const EVERY_FAULT: &str = r#"
  - cut: { when: { packet: PUBREL, from: pub, nth: 3 }, side: before, mode: rst }
  - cut: { when: { packet: PUBCOMP, to: pub, nth: 5 }, side: after, mode: fin }
  - cut: { when: { packet: PUBLISH, to: sub, nth: 9 }, side: before, mode: silent }
  - at: 1s
    latency: { between: [pub, broker], latency: 20ms..50ms, for: 30s }
  - at: 1s
    loss: { between: [sub, broker], percent: 50, for: 30s }
  - at: 1010ms
    partition: { between: [pub, broker], for: 3s }
  - at: 20s
    hold: { between: [pub, broker], one_way: true, for: 1s }
  - at: 20500ms
    publish: { from: pub, topic: t/late, qos: 1 }
  - at: 40s
    crash: { host: sub, down: 3s }
"#;

#[test]
fn a_talk_through_every_fault_is_complete_and_each_touched_something() {
    for run in runs(&format!("{TALK}{EVERY_FAULT}")) {
        assert_eq!(run.end, Ending::Complete);
        assert_eq!(run.untouched, []);
        assert!(run.trace.events.iter().any(|event| event.what == What::Healed));
    }
}

/// The talk, over these transports.
fn talk_over(publisher: &str, subscriber: &str) -> String {
    TALK.replace("pub: {", &format!("pub: {{ transport: {publisher},"))
        .replace("sub: {", &format!("sub: {{ transport: {subscriber},"))
}

#[test]
fn packets_are_seen_through_every_transport() {
    for transport in ["tls", "ws", "wss"] {
        for run in runs(&talk_over(transport, transport)) {
            assert_eq!(run.end, Ending::Complete);
            for side in [Side::Broker, Side::Client] {
                let is_publish = |packet: &Packet| matches!(packet, Packet::Publish(_));
                assert_eq!(arrived(&run, is_publish, side), 20, "{transport}");
            }
            let malformed = |event: &Event| matches!(event.what, What::Malformed { .. });
            assert!(!run.trace.events.iter().any(malformed), "{transport}");
        }
    }
}

#[test]
fn a_talk_through_every_fault_is_complete_over_every_transport() {
    for (publisher, subscriber) in [("tls", "ws"), ("wss", "tls"), ("ws", "wss")] {
        for run in runs(&format!("{}{EVERY_FAULT}", talk_over(publisher, subscriber))) {
            assert_eq!(run.end, Ending::Complete);
            assert_eq!(run.untouched, []);
        }
    }
}

/// A cut before a packet lets nothing of it through, one behind it all of it, in a TLS record and in a WebSocket frame too.
#[test]
fn a_cut_is_exact_through_every_transport() {
    for transport in ["tcp", "tls", "ws", "wss"] {
        for (side, expected) in [("before", 2), ("after", 3)] {
            let cut = format!(
                "  - cut: {{ when: {{ packet: PUBREL, from: pub, nth: 3 }}, side: {side}, mode: silent }}\n"
            );
            for run in runs(&format!("{}{cut}", talk_over(transport, transport))) {
                let events = &run.trace.events;
                let sent = |event: &Event, wire| matches!(&event.what, What::Arrived { wire: on, from: Side::Client, packet: Packet::Pubrel(_) } if *on == wire);
                let publisher = events.iter().find_map(|event| {
                    if let What::Opened { wire, client } = &event.what {
                        (client == "pub").then_some(*wire)
                    } else {
                        None
                    }
                });
                let publisher = publisher.expect("it connects");
                let arrived = events.iter().filter(|event| sent(event, publisher)).count();
                assert_eq!(arrived, expected, "{transport}, {side}");
            }
        }
    }
}

#[test]
fn a_fault_that_touches_nothing_is_told() {
    let faults = "
  - at: 1h
    partition: { between: [pub, broker], for: 1s }
  - cut: { when: { packet: UNSUBSCRIBE, from: sub }, side: before, mode: rst }
";
    for run in runs(&format!("{TALK}{faults}")) {
        assert_eq!(run.end, Ending::Complete);
        let steps: Vec<usize> = run.untouched.iter().map(|untouched| untouched.step).collect();
        assert_eq!(steps, [1, 2]);
    }
}

#[test]
fn a_run_that_does_not_come_to_its_end_says_what_is_owed() {
    let never = "
settle: 10s
clients: { pub: { connect: never } }
name: n
why: w
steps:
  - publish: { from: pub, topic: t, qos: 1 }
";
    for run in runs(never) {
        assert_eq!(run.end, Ending::Overdue(vec!["step 0 is not over".to_owned()]));
    }
}

#[test]
fn a_run_that_has_more_events_than_it_may_is_ended() {
    let yaml = format!("events_max: 20\n{TALK}");
    for run in runs(&yaml) {
        assert_eq!(run.end, Ending::Endless);
    }
    let judged = judge(&scenario(&yaml), Version::V5, 1, false);
    let verdict = format!("{:?}", judged.verdict);
    assert!(verdict.contains("an end within 20 events"), "{verdict}");
}

#[test]
fn the_control_arm_takes_its_time_and_touches_nothing() {
    let yaml = format!("{TALK}\n  - at: 1s\n    crash: {{ host: broker, down: 1m }}\n");
    let run = run(&scenario(&yaml), Version::V5, 7, Arm::Control);
    assert_eq!((run.end, run.untouched), (Ending::Complete, vec![]));
    assert!(run.simulated >= Duration::from_secs(61));
    let is_down = |what: &What| matches!(what, What::HostDown { .. });
    assert!(!run.trace.events.iter().any(|event| is_down(&event.what)));
}

#[test]
fn clients_come_back_to_a_broker_that_was_restarted() {
    let yaml = r#"
name: n
why: w
clients:
  swarm: { count: 20, subscribe: { "t": 1 }, reconnect: { after: 1s..3s } }
steps:
  - at: 2s
    crash: { host: broker, down: 5s }
"#;
    for run in runs(yaml) {
        assert_eq!((run.end, run.untouched), (Ending::Complete, vec![]));
        let connacks = |packet: &Packet| matches!(packet, Packet::Connack(_));
        assert_eq!(
            run.trace
                .events
                .iter()
                .filter(|event| { matches!(&event.what, What::Arrived { packet, .. } if connacks(packet)) })
                .count(),
            40
        );
    }
}

#[test]
fn a_peer_says_what_its_steps_say_and_nothing_else() {
    let yaml = r#"
name: n
why: w
peers: { raw: {} }
steps:
  - open: { peer: raw }
    id: opened
  - after: opened
    id: sent
    send: { from: raw, packets: [{ CONNECT: { client_id: raw } }, { SUBSCRIBE: { filters: { t: 1 } } }, { PUBLISH: { topic: t, qos: 1, payload: x } }] }
  - when: { packet: PUBLISH, to: raw }
    shut: { peer: raw, how: rst }
"#;
    for run in runs(yaml) {
        assert_eq!(run.end, Ending::Complete);
        assert_eq!(
            arrived(&run, |packet| matches!(packet, Packet::Puback(_)), Side::Broker),
            0
        );
    }
}

/// In the parent it starts itself again; in the child, known by the variable, it prints.
#[test]
fn one_seed_is_one_history_in_another_process_with_another_environment() {
    const NAME: &str = "one_seed_is_one_history_in_another_process_with_another_environment";
    let history = || {
        let runs = ["tcp", "wss"].map(|transport| {
            let scenario = scenario(&format!("{}{EVERY_FAULT}", talk_over(transport, transport)));
            run(&scenario, Version::V5, 7, Arm::Faults)
        });
        format!("<<<{runs:?}>>>")
    };
    if env::var_os("SQUALL_PRINT_HISTORY").is_some() {
        print!("{}", history());
        return;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture", "--test-threads", "3"])
        .env_clear()
        .env("SQUALL_PRINT_HISTORY", "1")
        .env("TZ", "Asia/Kathmandu")
        .current_dir("/")
        .output()
        .unwrap();
    let printed = String::from_utf8(child.stdout).unwrap();
    assert!(printed.contains(&history()), "another history");
}

#[test]
fn a_client_that_reads_slowly_gets_everything_in_its_time() {
    let yaml = r#"
name: n
why: w
clients:
  pub: {}
  slow: { subscribe: { t: 1 }, keep_alive: 0s, reads: { bytes: 100, every: 1s } }
steps:
  - at: 10s
    publish: { from: pub, topic: t, qos: 1, count: 10, size: 1000 }
"#;
    for run in runs(yaml) {
        assert_eq!(run.end, Ending::Complete);
        assert_eq!(
            arrived(&run, |packet| matches!(packet, Packet::Puback(_)), Side::Broker),
            10
        );
        assert!(run.simulated > Duration::from_secs(110), "{:?}", run.simulated);
    }
}

#[test]
fn a_fault_that_names_a_group_is_for_each_of_it() {
    let yaml = r#"
name: n
why: w
clients:
  swarm: { count: 5, keep_alive: 10s }
steps:
  - at: 2s
    crash: { host: swarm, down: 1s }
"#;
    for run in runs(yaml) {
        assert_eq!((&run.end, &run.untouched), (&Ending::Complete, &vec![]));
        assert_eq!(
            arrived(&run, |packet| matches!(packet, Packet::Connect(_)), Side::Broker),
            10
        );
    }
}

#[test]
fn a_peer_that_acknowledges_finishes_exchanges() {
    let yaml = r#"
name: n
why: w
clients: { pub: {} }
peers: { raw: { acknowledges: true } }
steps:
  - open: { peer: raw }
    id: opened
  - after: opened
    send: { from: raw, packets: [{ CONNECT: { client_id: raw } }, { SUBSCRIBE: { filters: { t: 2 } } }] }
  - at: 1s
    publish: { from: pub, topic: t, qos: 2, count: 3 }
"#;
    for run in runs(yaml) {
        assert_eq!(run.end, Ending::Complete);
        assert_eq!(
            arrived(&run, |packet| matches!(packet, Packet::Pubcomp(_)), Side::Client),
            3
        );
        assert_eq!(
            arrived(&run, |packet| matches!(packet, Packet::Pubcomp(_)), Side::Broker),
            3
        );
    }
}

#[test]
fn a_client_that_crashes_before_it_connects_first_connects_when_it_is_back() {
    let crash = "name: n\nwhy: w\nclients: { a: { connect: { at: 2s }, reconnect: never } }\nsteps: [{ at: 1s, crash: { host: a, down: 1s } }]\n";
    for run in runs(crash) {
        let connects = arrived(&run, |packet| matches!(packet, Packet::Connack(_)), Side::Client);
        assert_eq!((run.end, connects), (Ending::Complete, 1));
    }
}

#[test]
fn a_process_that_starts_again_in_the_moment_of_its_crash_has_forgotten_all() {
    let restart = "name: n\nwhy: w\nclients: { a: { session: persistent } }\nsteps: [{ at: 1s, restart: { host: broker, state: lost } }]\n";
    for run in runs(restart) {
        let present = arrived(
            &run,
            |packet| matches!(packet, Packet::Connack(connack) if connack.session_present),
            Side::Client,
        );
        let connects = arrived(&run, |packet| matches!(packet, Packet::Connack(_)), Side::Client);
        assert_eq!((run.end, connects, present), (Ending::Complete, 2, 0));
    }
}

#[test]
fn who_gets_nothing_more_to_say_is_not_waited_for() {
    let gone = "
name: n
why: w
clients: { rival: { reconnect: never, subscribe: { t: 0 } } }
steps:
  - subscribe: { client: rival, filters: { u: 0 } }
  - publish: { from: rival, topic: v, qos: 1 }
  - cut: { when: { packet: SUBSCRIBE, from: rival }, side: before, mode: rst }
";
    for run in runs(gone) {
        assert_eq!(run.end, Ending::Complete);
        assert!(run.simulated < Duration::from_secs(60));
    }
}

#[test]
fn the_last_heal_is_where_the_time_to_settle_begins() {
    let cut_late = "
name: n
why: w
settle: 1m
clients: { a: { keep_alive: 40s } }
steps:
  - publish: { from: a, topic: t, qos: 1 }
  - cut: { when: { packet: PUBLISH, from: a }, times: 2, side: before, mode: silent }
";
    for run in runs(cut_late) {
        assert_eq!(run.end, Ending::Complete);
    }
}

#[test]
fn what_comes_after_a_fault_that_never_has_its_moment_is_not_waited_for() {
    let never = "
name: n
why: w
clients: { a: {} }
steps:
  - { id: cut, cut: { when: { packet: PUBREC, from: a }, side: before, mode: rst } }
  - { after: cut, id: then, note: then }
  - { after: then, note: at last }
";
    for run in runs(never) {
        assert_eq!(run.end, Ending::Complete);
    }
}

#[test]
fn the_packets_of_a_finding_begin_with_the_fault_that_lasts() {
    let text = r#"
name: a message is awaited while its reader is cut off
why: because
clients:
  pub: { session: persistent }
  sub: { session: persistent, keep_alive: 10s, subscribe: { "t/#": 1 } }
steps:
  - at: 1s
    partition: { between: [sub, broker], for: 25s }
  - at: 2s
    publish: { from: pub, topic: "t/{n}", qos: 1, count: 40, every: 100ms }
  - at: 2s
    await: { delivered: { to: sub, topic: "t/#", count: 3 }, within: 5s }
"#;
    let judged = judge(&scenario(text), Version::V5, 1, false);
    let first = judged.packets.first().unwrap();
    assert_eq!(first.mark, Some(Mark::FaultBegan(0)), "{:#?}", judged.packets);
    assert_eq!(first.text, "fault: partition sub <-> broker");
    assert!(judged.packets[1].at_micros > first.at_micros + 1_000_000);
}
