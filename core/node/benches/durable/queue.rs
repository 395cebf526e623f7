use std::{fs, path::Path, time::Instant};

use squall_proto::{Packet, TopicName};
use tokio::task::JoinSet;

use super::{broker::Broker, client::Client};

const SESSIONS: usize = 100;
const MESSAGES: usize = 1_000_000;
/// Of a publisher, at a time.
const UNDER_WAY: usize = 500;

pub(crate) async fn measure(directory: &Path) {
    println!("{MESSAGES} messages of 256 bytes into {SESSIONS} sessions that are away, each into one");
    let directory = tempfile::tempdir_in(directory).unwrap();
    let file = directory.path().join("broker.redb");
    let mut broker = Broker::start(&file).await;
    for session in 0..SESSIONS {
        Client::absent(broker.address, &name(session), &topic(session)).await;
    }
    for round in 1..=3 {
        let began = Instant::now();
        fill(&broker).await;
        report(&format!("round {round}: queued"), began, &file);
        let began = Instant::now();
        if round == 1 {
            broker.kill().await;
        } else {
            broker.stop().await;
        }
        broker = Broker::start(&file).await;
        assert_eq!(broker.queued(), MESSAGES);
        let how = if round == 1 { "crash" } else { "stop" };
        report(&format!("round {round}: restarted after a {how}"), began, &file);
        let began = Instant::now();
        drain(&broker).await;
        assert_eq!(broker.queued(), 0);
        report(&format!("round {round}: drained"), began, &file);
    }
    let began = Instant::now();
    broker.stop().await;
    let broker = Broker::start(&file).await;
    report("restarted, empty", began, &file);
    broker.kill().await;
}

async fn fill(broker: &Broker) {
    let mut tasks = JoinSet::new();
    for session in 0..SESSIONS {
        let address = broker.address;
        tasks.spawn(async move {
            let topic = TopicName::new(&topic(session)).unwrap();
            let mut client = Client::connect(address, &format!("pub-{session}"), false).await;
            for _ in 0..MESSAGES / SESSIONS / UNDER_WAY {
                for id in 1..=UNDER_WAY {
                    client.publish(&topic, u16::try_from(id).unwrap());
                }
                client.flush().await;
                for _ in 0..UNDER_WAY {
                    assert!(matches!(client.next().await, Packet::Puback(_)));
                }
            }
            client.leave().await;
        });
    }
    tasks.join_all().await;
}

async fn drain(broker: &Broker) {
    let mut tasks = JoinSet::new();
    for session in 0..SESSIONS {
        let address = broker.address;
        tasks.spawn(async move {
            let mut client = Client::connect(address, &name(session), true).await;
            for _ in 0..MESSAGES / SESSIONS {
                let Packet::Publish(publish) = client.next().await else {
                    unreachable!("nothing else is owed")
                };
                client.acknowledge(publish.delivery.packet_id().unwrap());
                if !client.has_more() {
                    client.flush().await;
                }
            }
            client.flush().await;
            client.leave().await;
        });
    }
    tasks.join_all().await;
}

fn report(what: &str, began: Instant, file: &Path) {
    let bytes = fs::metadata(file).unwrap().len();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or("");
    println!(
        "{what:<34} {:>6.1} s, file {:>5} MiB, {resident}",
        began.elapsed().as_secs_f64(),
        bytes >> 20
    );
}

fn name(session: usize) -> String {
    format!("away-{session}")
}

fn topic(session: usize) -> String {
    format!("bench/{session}")
}
