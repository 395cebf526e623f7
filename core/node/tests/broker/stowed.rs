//! What waits in the store alone: it is read in batches, and read again where that fails.

use std::{future::ready, sync::Arc, time::Duration};

use squall_node::broker::{Commit, DatabaseStore, Fetching, Records, Server, Store, StoreError};
use squall_proto::{
    Ack, Delivery, Packet, Publish, Qos,
    broker::{Limits, Saved},
};

use crate::{
    disk::Disk,
    durable::{nothing_comes, persistent},
    harness::{Peered, Served, ack, payload, publish, publish_qos1, subscribe},
};

/// More than are fetched at a time.
const MANY: u32 = 700;

/// A store that cannot be read at first.
struct Unreadable {
    below: DatabaseStore,
    /// What it says to those who fetch, the last first.
    troubles: Vec<StoreError>,
}

impl Store for Unreadable {
    fn load(&mut self) -> Result<Saved, StoreError> {
        self.below.load()
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        self.below.commit(records)
    }

    fn fetch(&mut self, messages: Arc<[u64]>) -> Fetching<'_> {
        match self.troubles.pop() {
            Some(trouble) => Box::pin(ready(Err(trouble))),
            None => self.below.fetch(messages),
        }
    }
}

fn failed() -> StoreError {
    StoreError::Failed {
        path: "disk".into(),
        why: "it does not answer".into(),
    }
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        path: "disk".into(),
        why: "it is another's".into(),
    }
}

/// A broker in whose memory nothing waits.
fn served(disk: &Disk, troubles: Vec<StoreError>) -> Served {
    let below = DatabaseStore::open(disk.clone(), "disk").expect("it is whole");
    let limits = Limits {
        queue_in_memory: 0,
        ..Limits::default()
    };
    let now = Duration::from_secs(1_000_000_000);
    let server = Server::restored(limits, 0, None, Unreadable { below, troubles }, now);
    Served::over(server.expect("it is whole"))
}

/// A session that is away and owed messages, and a client that was not connected when it left.
async fn owed(served: &Served, count: u32) -> Peered {
    let mut away = persistent(served, "away", false).await;
    away.send(&subscribe("t", Qos::AtLeastOnce)).await;
    assert!(matches!(away.next().await, Some(Packet::Suback(_))));
    drop(away);
    let mut publisher = served.client("pub", 1 << 20).await;
    while served.server.counts().connections > 1 {
        tokio::task::yield_now().await;
    }
    for n in 0..count {
        publisher.send(&publish_qos1("t", n.to_string())).await;
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    }
    publisher
}

/// The next process, after power was lost.
async fn after_power_loss(served: Served, disk: &Disk) -> Served {
    served.task.abort();
    let _ = served.task.await;
    self::served(&disk.after_power_loss(), Vec::new())
}

async fn next_publish(client: &mut Peered) -> Publish {
    match client.next().await {
        Some(Packet::Publish(publish)) => publish,
        other => panic!("{other:?} in place of a publish"),
    }
}

/// [MQTT-4.4.0-1] [MQTT-4.6.0-6]
#[tokio::test(start_paused = true)]
async fn a_long_queue_is_read_in_its_order_over_a_power_loss_in_the_middle() {
    let disk = Disk::default();
    let served = served(&disk, Vec::new());
    owed(&served, MANY).await;
    let served = after_power_loss(served, &disk).await;
    assert_eq!(served.server.counts().unfinished_messages, MANY as usize);
    let mut away = persistent(&served, "away", true).await;
    let mut seen = 0;
    while seen < MANY / 2 {
        let packet = away.next().await;
        away.send(&ack(packet.as_ref())).await;
        assert_eq!(payload(packet), seen.to_string());
        seen += 1;
    }
    drop(away);
    let served = after_power_loss(served, &disk).await;
    let mut away = persistent(&served, "away", true).await;
    let mut last = None;
    loop {
        let publish = next_publish(&mut away).await;
        let n: u32 = str::from_utf8(&publish.payload).unwrap().parse().unwrap();
        // What is not known to be acknowledged comes again.
        assert!(last.map_or(n <= seen, |last| n == last + 1), "{n} after {last:?}");
        last = Some(n);
        let Delivery::AtLeastOnce(packet_id) = publish.delivery else {
            panic!("it was published at QoS 1")
        };
        away.send(&Packet::Puback(Ack::success(packet_id))).await;
        if n == MANY - 1 {
            break;
        }
    }
    nothing_comes(&mut away).await;
    assert_eq!(served.server.counts().unfinished_messages, 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_read_again_and_qos_0_goes_on_meanwhile() {
    let disk = Disk::default();
    let served = served(&disk, vec![failed(), failed()]);
    let mut publisher = owed(&served, 3).await;
    let mut there = served.subscriber("there", 1 << 20).await;
    let mut away = persistent(&served, "away", true).await;
    while served.server.failure().is_none() {
        tokio::task::yield_now().await;
    }
    let failure = served.server.failure().expect("it says why").to_string();
    assert!(failure.contains("it does not answer"), "{failure}");
    publisher.send(&publish("u", "goes on")).await;
    assert_eq!(payload(there.next().await), "goes on");
    for n in 0..3 {
        assert_eq!(payload(away.next().await), n.to_string());
    }
    assert!(served.server.failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_found_damaged_when_it_is_read_ends_the_broker() {
    let disk = Disk::default();
    let served = served(&disk, vec![damaged()]);
    owed(&served, 3).await;
    let mut away = persistent(&served, "away", true).await;
    assert_eq!(away.next().await, None);
    served.task.await.expect("it returns");
    let failure = served.server.failure().expect("it says why").to_string();
    assert_eq!(failure, "disk is damaged: it is another's");
    // Nothing of it is lost for who mends the file.
    let served = self::served(&disk.after_power_loss(), Vec::new());
    assert_eq!(served.server.counts().unfinished_messages, 3);
}

/// A restart is not to cost the memory that the queues did not.
#[tokio::test(start_paused = true)]
async fn what_is_loaded_of_a_message_that_waits_is_not_what_it_says() {
    let disk = Disk::default();
    let served = served(&disk, Vec::new());
    let mut publisher = owed(&served, 0).await;
    for (retain, body) in [(false, "waits"), (true, "retained")] {
        publisher
            .send(&with_retain(publish_qos1("t", body), retain))
            .await;
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    }
    let mut next = DatabaseStore::open(disk.after_power_loss(), "disk").expect("it is whole");
    let saved = next.load().expect("it is whole");
    assert_eq!((saved.delivery_count(), saved.message_count()), (2, 2));
    let saved = format!("{saved:?}");
    assert!(!saved.contains("waits") && saved.contains("retained"), "{saved}");
    let found = next.fetch(Arc::new([1, 2, 3])).await.expect("it can be read");
    let bodies: Vec<_> = found
        .iter()
        .map(|found| (found.message, &*found.payload))
        .collect();
    assert_eq!(bodies, [(1, b"waits".as_slice()), (2, b"retained".as_slice())]);
}

fn with_retain(packet: Packet, retain: bool) -> Packet {
    let Packet::Publish(publish) = packet else {
        panic!("{packet:?} is no message")
    };
    Packet::Publish(Publish { retain, ..publish })
}
