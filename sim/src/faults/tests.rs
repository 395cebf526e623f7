//! What each fault does to a client and an echo server.

use std::{future::Future, io, sync::Arc, time::Duration};

use squall_node::{Acceptor, Connector, Stream};
use squall_proto::Packet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Fault, Stage, Started};
use crate::{
    trace::{End, Side, Trace, What},
    world::{HostAcceptor, HostConnector, HostStream, World, WorldConfig, generator},
};

/// A client `a` and a server `broker` that echoes, on links of 1 ms.
struct Table {
    stage: Arc<Stage>,
    client: HostConnector,
}

impl Table {
    fn run<T, B: Future<Output = T>>(body: impl FnOnce(Self) -> B) -> (T, Trace) {
        let world = World::new(&WorldConfig::default(), &["broker", "a"]);
        let [broker, a] = *world.hosts() else {
            unreachable!()
        };
        let mut stage = Stage::default();
        let mut down = stage.add(0, "broker", None);
        stage.add(1, "a", None);
        let table = Self {
            stage: Arc::new(stage),
            client: a.connector("broker:1883"),
        };
        let output = world.block_on(async {
            let mut server = JoinSet::new();
            server.spawn(async move {
                while down.wait_for(|down| *down == 0).await.is_ok() {
                    let acceptor = broker.listen(1883).await.unwrap();
                    tokio::select! {
                        biased;
                        _ = down.wait_for(|down| *down > 0) => {}
                        () = echo(acceptor) => {}
                    }
                }
            });
            body(table).await
        });
        (output, world.take_trace())
    }

    /// Starts a fault and heals it in its time. Resolves to what it touched.
    fn fault(&self, yaml: &str) -> tokio::task::JoinHandle<u64> {
        let fault: Fault = serde_saphyr::from_str(yaml).unwrap();
        let fault = fault.drawn(&mut generator(0, "fault"));
        let stage = Arc::clone(&self.stage);
        let started = fault.start(0, &stage);
        tokio::spawn(async move {
            sleep(fault.lasts().unwrap_or_default().max().duration()).await;
            match started {
                Started::Heals(heal) => heal(&stage),
                Started::Happens(happened) => u64::from(happened.await.is_ok()),
            }
        })
    }
}

async fn echo(mut acceptor: HostAcceptor) {
    let mut connections = JoinSet::new();
    while let Ok((opening, _)) = acceptor.accept().await {
        connections.spawn(async move {
            let stream = opening.await.expect("no handshake");
            let (mut read, mut write) = stream.split();
            _ = tokio::io::copy(&mut read, &mut write).await;
        });
    }
}

/// Sends something that is no MQTT and waits for it to come back. Says how long that took, in milliseconds.
async fn round_trip(stream: &mut HostStream) -> io::Result<u128> {
    let began = Instant::now();
    stream.write_all(b"????").await?;
    stream.read_exact(&mut [0; 4]).await?;
    Ok(began.elapsed().as_millis())
}

#[test]
fn every_fault_reads_as_scenarios_write_it() {
    let yaml = "
- crash: { host: broker, down: 3s }
- cut: { when: { packet: PUBREL, from: pub, nth: 3..30 }, side: before, mode: rst }
- hold: { between: [sub, broker], for: 1s }
- latency: { between: [sub, broker], latency: 5ms..40ms, for: 1s }
- loss: { between: [sub, broker], percent: 10..30, for: 1s }
- partition: { between: [sub, broker], one_way: true, for: 8s }
";
    let faults: Vec<Fault> = serde_saphyr::from_str(yaml).unwrap();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "crash broker (process)",
            "cut before PUBREL 3..30 from pub with RST",
            "hold sub <-> broker",
            "latency sub <-> broker 5ms..40ms",
            "loss sub <-> broker 10..30 %",
            "partition sub -> broker",
        ]
    );
    assert!(faults.iter().map(Fault::name).eq(Fault::NAMES.iter().copied()));
}

#[test]
fn an_unknown_key_a_missing_unit_and_an_unknown_packet_are_refused() {
    for yaml in [
        "partition: { between: [sub, broker], for: 8s, foor: 9s }",
        "partition: { between: [sub, broker], for: 8 }",
        "cut: { when: { packet: PUBRELL, from: pub }, side: before, mode: rst }",
    ] {
        assert!(serde_saphyr::from_str::<Fault>(yaml).is_err(), "{yaml}");
    }
}

#[test]
fn what_is_sent_into_a_partition_arrives_with_the_first_retransmission_after_it() {
    let ((took, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("partition: { between: [a, broker], for: 1s }");
        // Sent again after 200, 600 and 1400 ms: the third gets through.
        (round_trip(&mut stream).await.unwrap(), fault.await.unwrap())
    });
    assert_eq!(
        (took, touched),
        (1402, 2),
        "the segment, and the end of the handshake before it"
    );
}

#[test]
fn a_one_way_partition_lets_the_other_way_through() {
    let ((took, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("partition: { between: [broker, a], one_way: true, for: 1s }");
        (round_trip(&mut stream).await.unwrap(), fault.await.unwrap())
    });
    assert_eq!(
        (took, touched),
        (1402, 2),
        "the acknowledgement and the echo, sent after 1 ms"
    );
}

#[test]
fn what_is_sent_into_a_hold_arrives_when_it_ends() {
    let ((took, touched), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("hold: { between: [a, broker], for: 1s }");
        (round_trip(&mut stream).await.unwrap(), fault.await.unwrap())
    });
    assert_eq!((took, touched), (1002, 2));
}

#[test]
fn connecting_into_a_partition_waits_and_who_gives_up_never_connects() {
    let (took, trace) = Table::run(async |table| {
        let fault = table.fault("partition: { between: [a, broker], for: 2500ms }");
        let gave_up = timeout(Duration::from_secs(1), table.client.clone().connect()).await;
        assert!(gave_up.is_err());
        let began = Instant::now();
        table.client.clone().connect().await.unwrap();
        fault.await.unwrap();
        began.elapsed().as_millis()
    });
    // At 1 s; again after one second and three.
    assert_eq!(took, 3002);
    let opened = trace
        .events
        .iter()
        .filter(|event| matches!(event.what, What::Opened { .. }));
    assert_eq!(opened.count(), 2);
}

#[test]
fn an_attempt_to_connect_times_out_like_that_of_a_kernel() {
    let (refused, _) = Table::run(async |table| {
        table.fault("partition: { between: [a, broker], for: 1h }");
        table.client.clone().connect().await.map(drop).unwrap_err()
    });
    assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn lost_segments_arrive_late_and_in_order() {
    let ((received, touched), _) = Table::run(async |table| {
        let (mut read, mut write) = table.client.clone().connect().await.unwrap().split();
        let fault = table.fault("loss: { between: [a, broker], percent: 50, for: 10s }");
        for n in 0..100_u8 {
            write.write_all(&[n]).await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        let mut received = [0; 100];
        read.read_exact(&mut received).await.unwrap();
        (received, fault.await.unwrap())
    });
    assert!((0..100).eq(received));
    assert!(touched > 50, "{touched}");
}

#[test]
fn another_latency_lasts_as_long_as_the_fault() {
    let ((during, after), _) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        let fault = table.fault("latency: { between: [a, broker], latency: 50ms, for: 1s }");
        let during = round_trip(&mut stream).await.unwrap();
        assert!(fault.await.unwrap() >= 2);
        (during, round_trip(&mut stream).await.unwrap())
    });
    assert_eq!((during, after), (100, 2));
}

#[test]
fn a_crash_resets_connections_and_refuses_new_ones_until_the_restart() {
    let (touched, trace) = Table::run(async |table| {
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        let fault = table.fault("crash: { host: broker, down: 3s }");
        let broken = stream.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::ConnectionReset);
        let refused = table.client.clone().connect().await.map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let touched = fault.await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut stream = table.client.clone().connect().await.unwrap();
        round_trip(&mut stream).await.unwrap();
        touched
    });
    assert_eq!(touched, 2);
    let reset_by_broker = |what: &What| {
        matches!(
            what,
            What::Closed {
                by: Side::Broker,
                how: End::Reset,
                ..
            }
        )
    };
    assert!(trace.events.iter().any(|event| reset_by_broker(&event.what)));
}

/// CONNECT of 3.1.1 with Client Identifier `a`.
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const PINGREQ: &[u8] = b"\xc0\x00";

/// How a cut at the second PINGREQ of three, all in one segment, shows: what arrives at the server, and how the client ends.
fn cut(side: &str, mode: &str) -> (usize, Option<io::ErrorKind>, Trace) {
    let (ended, trace) = Table::run(async |table| {
        table.fault(&format!(
            "cut: {{ when: {{ packet: PINGREQ, from: a, nth: 2 }}, side: {side}, mode: {mode} }}"
        ));
        let mut stream = table.client.clone().connect().await.unwrap();
        stream
            .write_all(&[CONNECT, PINGREQ, PINGREQ, PINGREQ].concat())
            .await
            .unwrap();
        let mut buffer = [0; 100];
        let ended = loop {
            match timeout(Duration::from_secs(60), stream.read(&mut buffer)).await {
                Ok(Ok(1..)) => {}
                Ok(Ok(0)) => break None,
                Ok(Err(error)) => break Some(error.kind()),
                Err(_) => break Some(io::ErrorKind::TimedOut),
            }
        };
        sleep(Duration::from_secs(1)).await;
        ended
    });
    let arrived = trace.events.iter().filter(|event| {
        matches!(
            &event.what,
            What::Arrived {
                from: Side::Client,
                packet: Packet::Pingreq,
                ..
            }
        )
    });
    (arrived.count(), ended, trace)
}

#[test]
fn a_cut_before_a_packet_destroys_it_and_what_follows() {
    let (arrived, ended, trace) = cut("before", "rst");
    assert_eq!((arrived, ended), (1, Some(io::ErrorKind::ConnectionReset)));
    let sent = trace.events.iter().filter(|event| {
        matches!(
            &event.what,
            What::Sent {
                from: Side::Client,
                packet: Packet::Pingreq,
                ..
            }
        )
    });
    assert_eq!(sent.count(), 3, "all of them left the client");
    let touched = What::FaultEnded { step: 0, touched: 1 };
    assert!(trace.events.iter().any(|event| event.what == touched));
}

#[test]
fn a_cut_after_a_packet_lets_it_through() {
    assert_eq!(cut("after", "rst").0, 2);
}

#[test]
fn the_ends_of_a_cut_connection_learn_what_the_mode_says() {
    assert_eq!(cut("after", "rst").1, Some(io::ErrorKind::ConnectionReset));
    assert_eq!(cut("after", "fin").1, None);
    assert_eq!(cut("after", "silent").1, Some(io::ErrorKind::TimedOut));
    for (mode, ends) in [("rst", 2), ("fin", 2), ("silent", 0)] {
        let (.., trace) = cut("before", mode);
        let ended = trace
            .events
            .iter()
            .filter(|event| matches!(event.what, What::Ended { .. }));
        assert_eq!(ended.count(), ends, "{mode}");
    }
}

#[test]
fn a_fault_is_drawn_whole_before_it_begins_and_is_no_range_any_more() {
    let mut chance = generator(0, "fault");
    for (yaml, after) in [
        (
            "loss: { between: [a, broker], percent: 10..30, for: 1s..9s }",
            " %",
        ),
        ("crash: { host: broker, down: 1s..9s }", "(process)"),
        (
            "cut: { when: { packet: PUBREL, from: a, nth: 3..30 }, side: before, mode: rst }",
            "with RST",
        ),
    ] {
        let fault: Fault = serde_saphyr::from_str(yaml).unwrap();
        let drawn = fault.drawn(&mut chance);
        assert!(drawn.to_string().ends_with(after), "{drawn}");
        assert!(
            !serde_saphyr::to_string(&drawn).unwrap().contains(".."),
            "{drawn:?}"
        );
        assert_eq!(drawn.drawn(&mut chance), drawn);
    }
}
