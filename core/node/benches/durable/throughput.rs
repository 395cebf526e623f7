use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use squall_proto::{Packet, TopicName};
use tokio::{task::JoinSet, time::timeout};

use super::{broker::Broker, client::Client, wal};

const SESSIONS: usize = 100;
const PUBLISHERS: [usize; 4] = [1, 10, 100, 1000];
const LASTS: Duration = Duration::from_secs(4);

/// What was acknowledged, and how often something was synced for it.
pub(crate) struct Rate {
    pub(crate) messages: usize,
    pub(crate) syncs: usize,
    pub(crate) took: Duration,
}

pub(crate) async fn measure(directory: &Path) {
    println!("QoS 1 into {SESSIONS} sessions that are away; one message at a time for each publisher");
    println!("publishers | messages/s  syncs/s | write-ahead file: messages/s  syncs/s | ratio");
    for publishers in PUBLISHERS {
        let ours = broker(directory, publishers).await;
        let plain = wal::measure(directory, publishers, SESSIONS, LASTS).await;
        let ratio = ours.per_second(ours.messages) / plain.per_second(plain.messages);
        println!(
            "{publishers:>10} | {:>10.0} {:>8.0} | {:>28.0} {:>8.0} | {ratio:.2}",
            ours.per_second(ours.messages),
            ours.per_second(ours.syncs),
            plain.per_second(plain.messages),
            plain.per_second(plain.syncs),
        );
    }
}

impl Rate {
    fn per_second(&self, count: usize) -> f64 {
        f64::from(u32::try_from(count).unwrap()) / self.took.as_secs_f64()
    }
}

async fn broker(directory: &Path, publishers: usize) -> Rate {
    let directory = tempfile::tempdir_in(directory).unwrap();
    let broker = Broker::start(&directory.path().join("broker.redb")).await;
    for n in 0..SESSIONS {
        Client::absent(broker.address, &format!("away-{n}"), "bench/topic").await;
    }
    let topic = TopicName::new("bench/topic").unwrap();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for n in 0..publishers {
        clients.push(Client::connect(broker.address, &format!("pub-{n}"), false).await);
    }
    let before = broker.commits.load(Relaxed);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for mut client in clients {
        let (acknowledged, topic) = (Arc::clone(&acknowledged), topic.clone());
        tasks.spawn(async move {
            loop {
                client.publish(&topic, 1);
                client.flush().await;
                assert!(matches!(client.next().await, Packet::Puback(_)));
                acknowledged.fetch_add(1, Relaxed);
            }
        });
    }
    let _ = timeout(LASTS, tasks.join_next()).await;
    let rate = Rate {
        messages: acknowledged.load(Relaxed),
        syncs: broker.commits.load(Relaxed) - before,
        took: began.elapsed(),
    };
    drop(tasks);
    broker.kill().await;
    rate
}
