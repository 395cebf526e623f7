//! What a world costs, on one core: a run, a result (which is two runs that must be the same and one without faults, and the checks),
//! a quiet hour, and building one.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use squall_node::{Acceptor, Connector, Stream};
use squall_proto::Version;
use squall_reports::Verdict;
use squall_sim::{
    run::{Arm, Ending, run},
    scenario::Scenario,
    verdict::judge,
    world::{HostAcceptor, World, WorldConfig},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::sleep,
};

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

/// Four clients that each send something and wait for it `rounds` times, every `pause`.
fn ping(rounds: u32, pause: Duration) {
    let world = World::new(&WorldConfig::default(), &["broker", "a", "b", "c", "d"]);
    let (broker, clients) = world.hosts().split_first().expect("five hosts");
    world.block_on(async {
        let acceptor = broker.listen(1883).await.expect("a free port");
        let mut server = JoinSet::new();
        server.spawn(echo(acceptor));
        let mut pinging = JoinSet::new();
        for client in clients {
            let mut connector = client.connector("broker:1883");
            pinging.spawn(async move {
                let mut stream = connector.connect().await.expect("somebody listens");
                for _ in 0..rounds {
                    sleep(pause).await;
                    stream.write_all(b"????").await.expect("a living connection");
                    stream.read_exact(&mut [0; 4]).await.expect("an echo");
                }
            });
        }
        pinging.join_all().await;
    });
    black_box(world.take_trace());
}

const FOUR_CLIENTS: &str = r#"
name: four clients talk for two seconds
why: to be measured
clients:
  pub: { count: 2, session: persistent }
  sub: { count: 2, session: persistent, subscribe: { "t/#": 2 } }
steps:
  - at: 1s
    publish: { from: pub, topic: "t/{client}", qos: 2, count: 10, every: 100ms }
  - cut: { when: { packet: PUBREL, from: pub, nth: 3 }, side: before, mode: rst }
"#;

const QUIET_HOUR: &str = r#"
name: four clients keep alive for an hour
why: to be measured
lasts: 1h
clients:
  quiet: { count: 4, keep_alive: 10s }
"#;

fn runs(criterion: &mut Criterion) {
    for (name, yaml) in [
        ("a run of 4 clients", FOUR_CLIENTS),
        ("a run of a quiet hour", QUIET_HOUR),
    ] {
        let scenario = Scenario::parse(name, yaml).expect("a scenario");
        criterion.bench_function(name, |bencher| {
            let mut seed = 0;
            bencher.iter(|| {
                seed += 1;
                let run = run(&scenario, Version::V5, seed, Arm::Faults);
                assert_eq!(run.end, Ending::Complete);
            });
        });
    }
}

fn results(criterion: &mut Criterion) {
    let name = "a result of 4 clients";
    let scenario = Scenario::parse(name, FOUR_CLIENTS).expect("a scenario");
    let mut group = criterion.benchmark_group("results");
    group.throughput(Throughput::Elements(3));
    group.bench_function(name, |bencher| {
        let mut seed = 0;
        bencher.iter(|| {
            seed += 1;
            let judged = judge(&scenario, Version::V5, seed, true);
            assert_eq!((judged.verdict, judged.runs), (Verdict::Pass, 3));
        });
    });
    group.finish();
}

fn worlds(criterion: &mut Criterion) {
    criterion.bench_function("one hour of 4 clients that ping every 60 s", |bencher| {
        bencher.iter(|| ping(60, Duration::from_secs(60)));
    });
    criterion.bench_function("4 clients of 1,000 echoes each", |bencher| {
        bencher.iter(|| ping(1_000, Duration::from_millis(1)));
    });
    criterion.bench_function("a world of 4 clients and one echo each", |bencher| {
        bencher.iter(|| ping(1, Duration::from_millis(1)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = runs, results, worlds
}
criterion_main!(benches);
