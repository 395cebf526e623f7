use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*, sample::Index};
use squall_proto::{
    Connect, Decoder, Instant, Packet, Properties, Qos, ReasonCode, Text, TopicFilter, TopicName, Version,
    encode,
};
use squall_sim::trace::{
    Down, End, Event, Outcome, Recorded, Side, Told, Trace, TraceError, What, WireId, read_json_lines,
    write_json_lines,
};

use crate::{
    bytes::{CONNECT, trace_of},
    strategies::{packet, version},
};

/// What happens on a connection, or beside all.
#[derive(Clone, Debug)]
enum Happening {
    Sent(Side, Packet),
    /// It leaves in two pieces.
    InPieces(Side, Packet, Index),
    Arrived(Side, Packet),
    Unread(Side, Packet),
    Garbage(Side, Vec<u8>),
    Closed(Side, End),
    LetGo(Side),
    Ended(Side, End),
    Beside(What),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Client), Just(Side::Broker)]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Fin), Just(End::Reset)]
}

fn down() -> impl Strategy<Value = Down> {
    prop_oneof![Just(Down::Stopped), Just(Down::Crashed), Just(Down::PowerLost)]
}

fn beside() -> impl Strategy<Value = What> {
    let step = 0_usize..9;
    prop_oneof![
        (".*", down(), any::<bool>()).prop_map(|(host, how, kept)| What::HostDown { host, how, kept }),
        (".*", any::<bool>()).prop_map(|(host, kept)| What::HostUp { host, kept }),
        ".*".prop_map(|host| What::HostPaused { host }),
        ".*".prop_map(|host| What::HostResumed { host }),
        ("[a-z]*", any::<bool>()).prop_map(|(client_id, ends_session)| What::Kicked {
            client_id: Text::new(&client_id).unwrap(),
            ends_session,
        }),
        (step.clone(), ".*").prop_map(|(step, what)| What::FaultBegan { step, what }),
        (step.clone(), any::<u64>()).prop_map(|(step, touched)| What::FaultEnded { step, touched }),
        (step.clone(), ".*").prop_map(|(step, what)| What::Step { step, what }),
        (step, ".*", ".*").prop_map(|(step, expected, got)| What::Missed { step, expected, got }),
        ("[a-z]+", told()).prop_map(|(client, told)| What::Application { client, told }),
        Just(What::Healed),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let payload = || vec(any::<u8>(), 0..9).prop_map(Bytes::from);
    let outcome = prop_oneof![
        Just(Outcome::Answered(ReasonCode::QuotaExceeded)),
        ".*".prop_map(Outcome::Failed),
    ];
    prop_oneof![
        any::<bool>().prop_map(|session_present| Told::Connected { session_present }),
        ".*".prop_map(|why| Told::Disconnected { why }),
        (any::<bool>(), payload()).prop_map(|(retain, payload)| Told::Message {
            topic: TopicName::new("a/é").unwrap(),
            qos: Qos::ExactlyOnce,
            retain,
            payload,
        }),
        ".*".prop_map(|why| Told::StoreFailed { why }),
        Just(Told::SubscriptionLost {
            filter: TopicFilter::new("$share/g/+/#").unwrap(),
        }),
        (0_usize..9, payload(), outcome).prop_map(|(step, payload, outcome)| Told::Published {
            step,
            payload,
            outcome,
        }),
    ]
}

fn happening(version: Version) -> impl Strategy<Value = Happening> {
    let packet = || packet(version);
    prop_oneof![
        4 => (side(), packet()).prop_map(|(from, packet)| Happening::Sent(from, packet)),
        2 => (side(), packet(), any::<Index>()).prop_map(|(from, packet, at)| Happening::InPieces(from, packet, at)),
        4 => (side(), packet()).prop_map(|(from, packet)| Happening::Arrived(from, packet)),
        1 => (side(), packet()).prop_map(|(from, packet)| Happening::Unread(from, packet)),
        2 => (side(), vec(any::<u8>(), 1..12)).prop_map(|(from, bytes)| Happening::Garbage(from, bytes)),
        1 => (side(), end()).prop_map(|(by, how)| Happening::Closed(by, how)),
        1 => side().prop_map(Happening::LetGo),
        1 => (side(), end()).prop_map(|(at, how)| Happening::Ended(at, how)),
        2 => beside().prop_map(Happening::Beside),
    ]
}

/// The story of one connection, as the world would tell it.
fn story(wire: WireId, client: String, version: Version, happenings: Vec<Happening>) -> Vec<What> {
    let connect = Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client_id: Text::new("a").unwrap(),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    };
    let opened = What::Opened { wire, client };
    let connect = Happening::Sent(Side::Client, Packet::Connect(Box::new(connect)));
    let rest = [connect]
        .into_iter()
        .chain(happenings)
        .flat_map(|happening| whats(wire, version, happening));
    [opened].into_iter().chain(rest).collect()
}

fn whats(wire: WireId, version: Version, happening: Happening) -> Vec<What> {
    match happening {
        Happening::Sent(from, packet) => vec![What::Sent { wire, from, packet }],
        Happening::Arrived(from, packet) => vec![What::Arrived { wire, from, packet }],
        Happening::Unread(from, packet) => vec![What::Unread { wire, from, packet }],
        Happening::InPieces(from, packet, at) => {
            let mut whole = BytesMut::new();
            encode(version, (&packet).into(), &mut whole);
            let bytes = whole.split_to(at.index(whole.len())).freeze();
            vec![
                What::Bytes { wire, from, bytes },
                What::Sent { wire, from, packet },
            ]
        }
        Happening::Garbage(from, bytes) => {
            let decoded = Decoder::with_version(version, u32::MAX).decode(&mut BytesMut::from(&*bytes));
            let bytes = Bytes::from(bytes);
            match decoded {
                Err(error) => vec![
                    What::Bytes { wire, from, bytes },
                    What::Malformed { wire, from, error },
                ],
                Ok(_) => Vec::new(),
            }
        }
        Happening::Closed(by, how) => vec![What::Closed { wire, by, how }],
        Happening::LetGo(by) => vec![What::LetGo { wire, by }],
        Happening::Ended(at, how) => vec![What::Ended { wire, at, how }],
        Happening::Beside(what) => vec![what],
    }
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let story = |wire| {
        version().prop_flat_map(move |version| {
            ("[a-z]{1,5}-[0-9]", vec(happening(version), 0..12))
                .prop_map(move |(client, happenings)| story(WireId(wire), client, version, happenings))
        })
    };
    (
        ".*",
        version(),
        any::<u64>(),
        story(0),
        story(7),
        vec(0_u64..5_000, 1..40),
    )
        .prop_map(|(scenario, mqtt, seed, first, second, pauses)| {
            let mut at = 0;
            let mut pauses = pauses.into_iter().cycle();
            let events = first.into_iter().chain(second).map(|what| {
                at += pauses.next().unwrap();
                Event {
                    at: Instant::from_micros(at),
                    what,
                }
            });
            let trace = Trace {
                events: events.collect(),
            };
            Recorded {
                scenario,
                mqtt,
                seed,
                trace,
            }
        })
}

fn written(runs: &[Recorded]) -> Vec<u8> {
    let mut file = Vec::new();
    for run in runs {
        write_json_lines(&mut file, &run.scenario, run.mqtt, run.seed, &run.trace).unwrap();
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read_back_as_it_was(mut runs in vec(recorded(), 1..3)) {
        for (seed, run) in (0..).zip(&mut runs) {
            run.seed = seed;
        }
        let read = read_json_lines(&*written(&runs)).unwrap();
        prop_assert_eq!(read, runs);
    }

    #[test]
    fn no_file_makes_the_reader_panic(run in recorded(), at in any::<Index>(), byte in any::<u8>()) {
        let mut file = written(&[run]);
        let at = at.index(file.len());
        file[at] = byte;
        // It may be a trace still.
        _ = read_json_lines(&*file);
    }
}

#[test]
fn a_real_run_is_read_back_as_it_was() {
    let trace = trace_of(&[CONNECT, b"\x30\x06\x00\x01t", b"\x00hi", b"\xff"]);
    let run = Recorded {
        scenario: "by hand".to_owned(),
        mqtt: Version::V5,
        seed: 1,
        trace,
    };
    let runs = [run];
    assert_eq!(read_json_lines(&*written(&runs)).unwrap(), runs);
}

/// The lines of a run, and one of them changed.
fn refused(line: usize, from: &str, to: &str) -> String {
    let trace = trace_of(&[CONNECT, b"\x30\x06\x00\x01t", b"\x00hi", b"\xff"]);
    let run = Recorded {
        scenario: "by hand".to_owned(),
        mqtt: Version::V5,
        seed: 1,
        trace,
    };
    let file = String::from_utf8(written(&[run])).unwrap();
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    assert!(lines[line - 1].contains(from), "{}", lines[line - 1]);
    lines[line - 1] = lines[line - 1].replace(from, to);
    read_json_lines(lines.join("\n").as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_line_that_is_wrong_is_refused_with_its_number_and_what_is_wrong() {
    let wrong = [
        (1, "\"seed\":1,", "\"seed\":1,\"sede\":1,"),
        (1, "\"event\":\"opened\"", "\"event\":\"open\""),
        (1, "\"mqtt\":\"5.0\"", "\"mqtt\":\"4\""),
        (1, "{", ""),
        (2, "\"wire\":0", "\"wire\":3"),
        (2, "\"wire\":0,", ""),
        (2, "\"from\":\"suite\"", "\"from\":\"suit\""),
        (2, "\"bytes\":\"10", "\"bytes\":\"1"),
        (2, "\"bytes\":\"10", "\"bytes\":\"11"),
        (3, "\"bytes\":\"10", "\"bytes\":\"0010"),
        (4, "\"at_micros\":", "\"at_micros\":0"),
    ];
    let shown: Vec<String> = wrong
        .iter()
        .map(|(line, from, to)| refused(*line, from, to))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert!(matches!(read_json_lines(&b""[..]), Err(TraceError::Empty)));
}
