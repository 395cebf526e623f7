use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use squall_proto::{Packet, TopicName};
use tokio::{task::JoinSet, time::timeout};

use super::{
    broker::Broker,
    client::Client,
    wal::{self, LogStore},
};

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
    println!(
        "           |                     |    the same with a plain log   |  a plain log by itself, with no"
    );
    println!("           |         this broker |    in place of its store      |     broker and no network");
    println!(
        "publishers | messages/s  syncs/s | messages/s  syncs/s    ratio  | messages/s  syncs/s    ratio"
    );
    for publishers in PUBLISHERS {
        let within = tempfile::tempdir_in(directory).unwrap();
        let ours = measured(
            Broker::start(&within.path().join("broker.redb")).await,
            publishers,
        )
        .await;
        let on_log = measured(Broker::on(LogStore::new(directory)).await, publishers).await;
        let plain = wal::measure(directory, publishers, SESSIONS, LASTS).await;
        println!(
            "{publishers:>10} | {ours} | {on_log} {:>8.2}  | {plain} {:>8.2}",
            ours.of(&on_log),
            ours.of(&plain)
        );
    }
}

impl Rate {
    fn per_second(&self, count: usize) -> f64 {
        f64::from(u32::try_from(count).unwrap()) / self.took.as_secs_f64()
    }

    fn of(&self, other: &Self) -> f64 {
        self.per_second(self.messages) / other.per_second(other.messages)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, syncs) = (self.per_second(self.messages), self.per_second(self.syncs));
        write!(f, "{messages:>10.0} {syncs:>8.0}")
    }
}

async fn measured(broker: Broker, publishers: usize) -> Rate {
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
