//! The simulated world by itself, with an echo server where the broker will be.

use std::{io, thread, time::Duration};

use squall_node::{Acceptor, Connector, Stream};
use squall_sim::world::{
    HostAcceptor, HostConnector, HostStream, OurBroker, World, WorldConfig, simulate, simulate_with,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

const PINGREQ: &[u8] = &[0xc0, 0];

async fn echo(mut acceptor: HostAcceptor) {
    let mut connections = JoinSet::new();
    while let Ok((opening, _)) = acceptor.accept().await {
        connections.spawn(async { echo_one(opening.await.expect("no handshake")).await });
    }
}

async fn echo_one(stream: HostStream) {
    let (mut read, mut write) = stream.split();
    // It may be broken off.
    _ = tokio::io::copy(&mut read, &mut write).await;
}

#[test]
fn a_round_trip_takes_two_latencies_and_a_quiet_hour_no_time() {
    let took = simulate_with(1, echo, async |net| {
        let mut stream = net.connector().connect().await?;
        sleep(Duration::from_secs(3600)).await;
        let began = Instant::now();
        stream.write_all(b"hello").await?;
        stream.read_exact(&mut [0; 5]).await?;
        Ok::<_, io::Error>(began.elapsed())
    });
    assert_eq!(took.unwrap(), Duration::from_millis(2));
}

#[test]
fn our_broker_answers_connect_in_virtual_time_and_closes_at_one_and_a_half_keep_alives() {
    let closed_after = simulate(1, OurBroker::Plain, async |net| {
        let mut stream = net.connector().connect().await?;
        // CONNECT of 3.1.1, Clean Session, Keep Alive 600 s, Client Identifier `a`.
        stream
            .write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x02\x58\x00\x01a")
            .await?;
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).await?;
        assert_eq!(connack, [0x20, 2, 0, 0]);
        let began = Instant::now();
        assert_eq!(stream.read(&mut connack).await?, 0);
        Ok::<_, io::Error>(began.elapsed())
    });
    assert_eq!(closed_after.unwrap(), Duration::from_secs(900));
}

#[test]
fn a_megabyte_through_small_reads_arrives_whole() {
    let echoed = simulate_with(1, echo, async |net| {
        let (mut read, mut write) = net.connector().connect().await?.split();
        let writing = tokio::spawn(async move { write.write_all(&vec![7; 1 << 20]).await });
        sleep(Duration::from_secs(10)).await;
        let mut echoed = 0;
        let mut buffer = [0; 1000];
        while echoed < 1 << 20 {
            echoed += read.read(&mut buffer).await?;
        }
        writing.await??;
        Ok::<_, io::Error>(echoed)
    });
    assert_eq!(echoed.unwrap(), 1 << 20);
}

#[test]
fn nobody_listens_on_another_port_so_the_connection_is_refused() {
    let refused = simulate_with(
        1,
        async |acceptor| drop(acceptor),
        async |net| {
            sleep(Duration::from_secs(1)).await;
            net.connector().connect().await.map(drop)
        },
    );
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn whoever_ends_while_it_connects_leaves_the_port_free_for_the_next_who_listens() {
    let world = World::new(&WorldConfig::default(), &["broker", "a"]);
    let [broker, a] = *world.hosts() else {
        unreachable!()
    };
    let again = world.block_on(async {
        let acceptor = broker.listen(1883).await?;
        let connecting = timeout(Duration::from_millis(1), a.connector("broker:1883").connect()).await;
        assert!(connecting.is_err());
        sleep(Duration::from_secs(1)).await;
        drop(acceptor);
        broker.listen(1883).await.map(drop)
    });
    assert!(again.is_ok(), "{again:?}");
}

#[test]
fn whatever_a_process_had_still_to_send_leaves_the_port_free_for_the_next() {
    let world = World::new(&WorldConfig::default(), &["broker", "a"]);
    let [broker, a] = *world.hosts() else {
        unreachable!()
    };
    let again = world.block_on(async {
        let mut acceptor = broker.listen(1883).await?;
        let _reads_nothing = a.connector("broker:1883").connect().await?;
        let (opening, _) = acceptor.accept().await?;
        let mut stream = opening.await?;
        _ = timeout(Duration::from_secs(1), stream.write_all(&vec![7; 1 << 20])).await;
        drop((stream, acceptor));
        broker.listen(1883).await.map(drop)
    });
    assert!(again.is_ok(), "{again:?}");
}

#[test]
fn a_panic_of_a_task_that_nobody_joins_fails_the_world() {
    let failed = std::panic::catch_unwind(|| {
        simulate_with(1, echo, async |_| {
            drop(tokio::spawn(async { panic!("nobody joins me") }));
            sleep(Duration::from_secs(1)).await;
        });
    });
    let why = failed.unwrap_err();
    assert!(why.downcast_ref::<String>().unwrap().contains("nobody joins me"));
}

/// The whole trace of four clients on links that lose and delay, as text.
fn history(seed: u64) -> String {
    let config = WorldConfig {
        seed,
        latency: "5ms..40ms".parse().expect("a range"),
        loss_percent: 20,
        ..WorldConfig::default()
    };
    let world = World::new(&config, &["broker", "a", "b", "c", "d"]);
    let (broker, clients) = world.hosts().split_first().expect("five hosts");
    let took = world.block_on(async {
        let began = Instant::now();
        let mut server = JoinSet::new();
        server.spawn(echo(broker.listen(1883).await.expect("a free port")));
        let mut talking = JoinSet::new();
        for client in clients {
            talking.spawn(talk(client.connector("broker:1883")));
        }
        talking.join_all().await;
        began.elapsed()
    });
    format!("{took:?} {:#?}", world.take_trace())
}

async fn talk(mut connector: HostConnector) -> io::Result<()> {
    let (mut read, mut write) = connector.connect().await?.split();
    for _ in 0..50 {
        write.write_all(PINGREQ).await?;
        read.read_exact(&mut [0; 2]).await?;
        sleep(Duration::from_millis(7)).await;
    }
    Ok(())
}

#[test]
fn one_seed_is_one_history_and_another_seed_another() {
    // A thread has one world at a time, and hash keys of its own.
    let of = |seed| thread::scope(|scope| scope.spawn(|| history(seed)).join().unwrap());
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}
