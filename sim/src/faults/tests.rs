//! What each fault does to clients and an echo server, one file a kind of fault; here what they stand on, and how faults read.

mod cuts;
mod hosts;
mod links;
mod narrow;

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
    trace::{Side, Trace, What},
    world::{HostAcceptor, HostConnector, HostStream, World, WorldConfig, generator},
};

/// Clients `a` and `b` and a server `broker` that echoes, on links of 1 ms.
struct Table {
    stage: Arc<Stage>,
    client: HostConnector,
    other: HostConnector,
}

impl Table {
    fn run<T, B: Future<Output = T>>(body: impl FnOnce(Self) -> B) -> (T, Trace) {
        let world = World::new(&WorldConfig::default(), &["broker", "a", "b"]);
        let [broker, a, b] = *world.hosts() else {
            unreachable!()
        };
        let mut stage = Stage::default();
        let power = stage.add(0, "broker", None);
        stage.add(1, "a", None);
        stage.add(2, "b", None);
        let table = Self {
            stage: Arc::new(stage),
            client: a.connector("broker:1883"),
            other: b.connector("broker:1883"),
        };
        let output = world.block_on(async {
            let mut server = JoinSet::new();
            server.spawn(async move {
                loop {
                    power.on().await;
                    let acceptor = broker.listen(1883).await.unwrap();
                    let stopped = async {
                        tokio::select! {
                            biased;
                            () = power.stop() => {}
                            () = echo(acceptor) => {}
                        }
                    };
                    if power.run(stopped).await.is_some() {
                        power.has_stopped(false);
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
                Started::Ends(ends) => {
                    let mut touched = 0;
                    for end in ends {
                        touched += end.await.unwrap();
                    }
                    touched
                }
            }
        })
    }
}

/// CONNECT of 3.1.1 with Client Identifier `a`.
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";

async fn echo(mut acceptor: HostAcceptor) {
    let mut connections = JoinSet::new();
    while let Ok((opening, _)) = acceptor.accept().await {
        connections.spawn(acceptor.task(async move {
            let stream = opening.await.expect("no handshake");
            let (mut read, mut write) = stream.split();
            _ = tokio::io::copy(&mut read, &mut write).await;
        }));
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
- bandwidth: { between: [sub, broker], bytes_per_second: 100..2000, for: 1s }
- blackhole: { between: [sub, broker], for: 1s }
- clock_step: { host: sub, by: -1h..1h }
- coalesce: { between: [sub, broker], within: 10ms..50ms, for: 1s }
- crash: { host: broker, down: 3s }
- cut: { when: { packet: PUBREL, from: pub, nth: 3..30 }, side: before, mode: rst }
- disk: { host: pub, kind: slow_sync, takes: 1ms..2s, for: 1s }
- hold: { between: [sub, broker], for: 1s }
- kick: { client: sub }
- latency: { between: [sub, broker], latency: 5ms..40ms, for: 1s }
- loss: { between: [sub, broker], percent: 10..30, for: 1s }
- partition: { between: [sub, broker], one_way: true, for: 8s }
- pause: { host: sub }
- restart: { host: pub, state: torn }
- resume: { host: sub }
- revoke: { client: sub, for: 5s }
- segment: { between: [sub, broker], bytes: 1..3, for: 1s }
- slow_read: { host: sub, bytes: 10..100, for: 5s }
- stop: { host: broker, down: 2s }
";
    let faults: Vec<Fault> = serde_saphyr::from_str(yaml).unwrap();
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "bandwidth sub <-> broker 100..2000 B/s",
            "blackhole sub <-> broker",
            "clock_step sub by -1h..1h",
            "coalesce sub <-> broker within 10ms..50ms",
            "crash broker (process)",
            "cut before PUBREL 3..30 from pub with RST",
            "disk of pub: slow sync",
            "hold sub <-> broker",
            "kick sub",
            "latency sub <-> broker 5ms..40ms",
            "loss sub <-> broker 10..30 %",
            "partition sub -> broker",
            "pause sub",
            "restart pub (torn)",
            "resume sub",
            "revoke sub",
            "segment sub <-> broker into 1..3 B",
            "slow_read sub, 10..100 bytes every 1s",
            "stop broker",
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
fn what_a_fault_may_say_besides_is_in_its_words() {
    for (yaml, shown) in [
        (
            "cut: { when: { packet: PUBREL, to: sub }, times: 3, mode: silent }",
            "cut before PUBREL 1 to sub in silence, 3 times",
        ),
        (
            "cut: { between: [sub, broker], which: newest, mode: fin }",
            "cut sub <-> broker (newest) with FIN",
        ),
        (
            "latency: { between: [sub, broker], spikes: { every: 5s, latency: 1s..3s }, for: 1m }",
            "latency sub <-> broker, every 5s a spike of 1s..3s",
        ),
        (
            "partition: { groups: [[a, b], [c, broker]], for: 8s }",
            "partition a, b | c, broker",
        ),
    ] {
        let fault: Fault = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(fault.to_string(), shown);
        let written = serde_saphyr::to_string(&fault).unwrap();
        assert_eq!(
            serde_saphyr::from_str::<Fault>(&written).unwrap(),
            fault,
            "{written}"
        );
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
