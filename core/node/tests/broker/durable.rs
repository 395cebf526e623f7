//! A broker with a store: what leaves when, and what is there after a restart.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use squall_node::broker::{Commit, Fetching, FileStore, Records, Server, Store, StoreError};
use squall_proto::{
    Disconnect, Packet, Properties, Property, Qos, ReasonCode, Text,
    broker::{Limits, Saved},
};
use tokio::{sync::Semaphore, time::timeout};

use crate::harness::{Peered, Served, payload, plain_connect, publish, publish_qos1, subscribe};

const A_WHILE: Duration = Duration::from_secs(1);

/// Keeps nothing, and each commit takes until it may end.
struct Slow {
    may_end: Arc<Semaphore>,
    commits: Arc<AtomicUsize>,
}

impl Store for Slow {
    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved::new())
    }

    fn commit(&mut self, records: Arc<Records>) -> Commit<'_> {
        assert!(!records.is_empty());
        self.commits.fetch_add(1, Relaxed);
        Box::pin(async {
            self.may_end.acquire().await.expect("it stays open").forget();
            Ok(())
        })
    }

    fn fetch(&mut self, _: Arc<[u64]>) -> Fetching<'_> {
        unreachable!("nothing waits in it")
    }
}

/// What a test needs to know of a [`Slow`].
struct Pace {
    may_end: Arc<Semaphore>,
    commits: Arc<AtomicUsize>,
}

impl Pace {
    fn commits(&self) -> usize {
        self.commits.load(Relaxed)
    }
}

pub(crate) fn restored(store: impl Store) -> Result<Server, StoreError> {
    restored_at(store, 0)
}

fn restored_at(store: impl Store, seconds: u64) -> Result<Server, StoreError> {
    let now = Duration::from_secs(1_000_000_000 + seconds);
    Server::restored(Limits::default(), 0, None, store, now)
}

/// A broker with a slow store, a subscriber of `t` whose session is kept and who is away, one without, and a publisher.
async fn slow() -> (Served, Pace, Peered, Peered) {
    let pace = Pace {
        may_end: Arc::new(Semaphore::new(2)),
        commits: Arc::default(),
    };
    let store = Slow {
        may_end: Arc::clone(&pace.may_end),
        commits: Arc::clone(&pace.commits),
    };
    let served = Served::over(restored(store).expect("there is nothing to restore"));
    let mut away = persistent(&served, "away", false).await;
    away.send(&subscribe("t", Qos::AtLeastOnce)).await;
    assert!(matches!(away.next().await, Some(Packet::Suback(_))));
    let there = served.subscriber("there", 1 << 20).await;
    let publisher = served.client("pub", 1 << 20).await;
    assert_eq!(pace.commits(), 2);
    (served, pace, there, publisher)
}

/// A client whose session is kept for ever.
pub(crate) async fn persistent(served: &Served, client_id: &str, session_present: bool) -> Peered {
    kept(served, client_id, session_present, u32::MAX).await
}

/// A client whose session is kept for so many seconds.
async fn kept(served: &Served, client_id: &str, session_present: bool, seconds: u32) -> Peered {
    let mut connect = plain_connect(client_id);
    connect.clean_start = false;
    connect.properties = [Property::SessionExpiryInterval(seconds)]
        .into_iter()
        .collect::<Properties>();
    let mut client = served.stream(1 << 20);
    client.send(&Packet::Connect(Box::new(connect))).await;
    match client.next().await {
        Some(Packet::Connack(connack)) => assert_eq!(connack.session_present, session_present),
        other => panic!("{other:?} in place of a CONNACK"),
    }
    client
}

pub(crate) async fn nothing_comes(client: &mut Peered) {
    let came = timeout(A_WHILE, client.next()).await;
    assert!(came.is_err(), "{came:?}");
}

/// [MQTT-4.3.2-4]
#[tokio::test(start_paused = true)]
async fn an_acknowledgement_leaves_when_the_commit_is_over_and_not_before() {
    let (_served, pace, mut there, mut publisher) = slow().await;
    publisher.send(&publish_qos1("t", "x")).await;
    nothing_comes(&mut publisher).await;
    nothing_comes(&mut there).await;
    pace.may_end.add_permits(1);
    assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    assert_eq!(payload(there.next().await), "x");
}

#[tokio::test(start_paused = true)]
async fn qos_0_between_clean_sessions_waits_for_no_commit() {
    let (served, pace, mut there, mut publisher) = slow().await;
    publisher.send(&publish_qos1("t", "kept")).await;
    nothing_comes(&mut publisher).await;
    let mut other = served.client("other", 1 << 20).await;
    let mut quick = served.subscriber("quick", 1 << 20).await;
    other.send(&publish("u", "at once")).await;
    assert_eq!(payload(quick.next().await), "at once");
    // It does not overtake what its receiver was sent before.
    nothing_comes(&mut there).await;
    pace.may_end.add_permits(1);
    assert_eq!(payload(there.next().await), "kept");
    assert_eq!(payload(there.next().await), "at once");
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_commit_is_committed_together() {
    let (served, pace, _there, mut publisher) = slow().await;
    publisher.send(&publish_qos1("t", "first")).await;
    nothing_comes(&mut publisher).await;
    let mut publishers = Vec::new();
    for n in 0..50 {
        let mut publisher = served.client(&format!("pub {n}"), 1 << 16).await;
        publisher.send(&publish_qos1("t", "x")).await;
        publishers.push(publisher);
    }
    nothing_comes(&mut publishers[0]).await;
    assert_eq!(pace.commits(), 3);
    pace.may_end.add_permits(2);
    for publisher in &mut publishers {
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    }
    assert_eq!(pace.commits(), 4);
}

/// While a commit takes long, who makes records is not read for ever; who makes none is.
#[tokio::test(start_paused = true)]
async fn records_that_gather_have_a_bound() {
    let (served, pace, _there, mut publisher) = slow().await;
    let large = vec![b'x'; 1 << 19];
    let mut sent = 0;
    while timeout(A_WHILE, publisher.send(&publish_qos1("t", large.clone())))
        .await
        .is_ok()
    {
        sent += 1;
        assert!(sent < 60, "it is read for ever");
    }
    assert!(sent >= 16, "{sent} messages");
    let mut other = served.client("other", 1 << 20).await;
    other.send(&publish("u", "at once")).await;
    let mut quick = served.subscriber("quick", 1 << 20).await;
    other.send(&publish("u", "at once")).await;
    assert_eq!(payload(quick.next().await), "at once");
    pace.may_end.add_permits(100);
    for _ in 0..sent {
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    }
}

/// Its first commits succeed.
struct Damaged(usize);

impl Store for Damaged {
    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved::new())
    }

    fn commit(&mut self, _: Arc<Records>) -> Commit<'_> {
        let committed = match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(StoreError::Damaged {
                path: "disk".into(),
                why: "it burns".into(),
            }),
        };
        Box::pin(std::future::ready(committed))
    }

    fn fetch(&mut self, _: Arc<[u64]>) -> Fetching<'_> {
        unreachable!("nothing waits in it")
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_never_be_recorded_is_not_acknowledged_and_the_broker_stops() {
    let served = Served::over(restored(Damaged(1)).expect("there is nothing to restore"));
    let mut client = persistent(&served, "c", false).await;
    client.send(&subscribe("t", Qos::AtLeastOnce)).await;
    assert_eq!(client.next().await, None);
    served.task.await.expect("it returns");
    let failure = served.server.failure().expect("it says why").to_string();
    assert_eq!(failure, "disk is damaged: it burns");
}

async fn open(path: &Path) -> Served {
    open_at(path, 0).await
}

/// So many seconds after the first time.
async fn open_at(path: &Path, seconds: u64) -> Served {
    let store = loop {
        match FileStore::open(path) {
            Ok(store) => break store,
            // The thread of a commit outlives the process that a test ends.
            Err(StoreError::InUse(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    };
    Served::over(restored_at(store, seconds).expect("it is whole"))
}

/// The process ends, and what it had open is closed.
async fn kill(served: Served) {
    served.task.abort();
    let _ = served.task.await;
    drop(served.server);
}

/// [MQTT-3.2.2-3] [MQTT-4.4.0-1]
#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    let served = open(&path).await;
    let mut subscriber = persistent(&served, "sub", false).await;
    subscriber.send(&subscribe("t", Qos::AtLeastOnce)).await;
    assert!(matches!(subscriber.next().await, Some(Packet::Suback(_))));
    drop(subscriber);
    let mut publisher = served.client("pub", 1 << 16).await;
    for n in 0..10 {
        publisher.send(&publish_qos1("t", n.to_string())).await;
        assert!(matches!(publisher.next().await, Some(Packet::Puback(_))));
    }
    kill(served).await;
    for dup in [false, true] {
        let served = open(&path).await;
        let mut subscriber = persistent(&served, "sub", true).await;
        for n in 0..10 {
            let Some(Packet::Publish(publish)) = subscriber.next().await else {
                panic!("message {n} is missing")
            };
            assert_eq!((publish.dup, &*publish.payload), (dup, n.to_string().as_bytes()));
        }
        kill(served).await;
    }
}

/// [MQTT-3.1.2-23]
#[tokio::test]
async fn a_session_expires_by_the_wall_clock_while_no_broker_runs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    for (seconds, session_present) in [(0, false), (90, true), (180, true), (300, false)] {
        let served = open_at(&path, seconds).await;
        let mut client = kept(&served, "c", session_present, 100).await;
        client
            .send(&Packet::Disconnect(Disconnect::of(ReasonCode::Success)))
            .await;
        assert_eq!(client.next().await, None);
        kill(served).await;
    }
}

#[tokio::test]
async fn what_was_done_last_before_a_stop_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    let served = open(&path).await;
    let client = persistent(&served, "c", false).await;
    drop(client);
    while served.server.counts().connections > 0 {
        tokio::task::yield_now().await;
    }
    served.server.end_session(&Text::new("c").unwrap());
    served.server.shutdown();
    served.task.await.expect("it returns");
    drop(served.server);
    let saved = FileStore::open(&path).unwrap().load().unwrap();
    assert!(saved.is_empty(), "{saved:?}");
}

/// Stopped in order, it has recorded when the last connection ended.
#[tokio::test]
async fn a_broker_that_is_stopped_tells_its_clients_when_all_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    let served = open(&path).await;
    let mut client = persistent(&served, "c", false).await;
    served.server.shutdown();
    assert!(matches!(client.next().await, Some(Packet::Disconnect(_))));
    drop(client);
    served.task.await.expect("it returns");
    assert!(served.server.failure().is_none());
    drop(served.server);
    let saved = FileStore::open(&path).unwrap().load().unwrap();
    assert!(
        format!("{saved:?}").contains("disconnected_at: Some"),
        "{saved:?}"
    );
}

#[tokio::test]
async fn a_second_broker_is_refused_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    let _served = open(&path).await;
    assert!(matches!(FileStore::open(&path), Err(StoreError::InUse(_))));
}
