use std::{io, path::Path, sync::Arc, time::Duration};

use squall_node::client::{
    Client, Commit, DatabaseStore, Event, Events, FileStore, MemoryStore, Message, Qos, RestoreError, Store,
    StoreError, Version,
    protocol::{Record, Saved},
};
use squall_proto::{
    Ack, Delivery, Packet, PacketId, Properties, Property, Publish, ReasonCode, Text, TopicName,
};

use crate::peer::{Listener, line, message, options, seconds};

fn begin(version: Version, store: impl Store) -> (Client, Events, Listener, tokio::task::JoinHandle<()>) {
    let (line, listener) = line(4096);
    let (client, events, runner) = Client::restore(options(version), line, store).expect("what was kept");
    (client, events, listener, tokio::spawn(runner.run()))
}

fn open(path: &Path) -> FileStore {
    FileStore::open(path).expect("a file of ours")
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not zero")
}

/// A process publishes at QoS 2, gets one PUBREC of two, takes a QoS 2 message, and dies.
async fn first_life(version: Version, store: impl Store) {
    let (client, mut events, mut listener, process) = begin(version, store);
    let mut peer = listener.connected(false).await;
    for n in 1..=2 {
        drop(
            client
                .enqueue(message(n, Qos::ExactlyOnce))
                .await
                .expect("it lives"),
        );
        assert_eq!(peer.publish().await, (Some(id(n)), false, n.to_string()));
    }
    peer.send(Packet::Pubrec(Ack::success(id(1)))).await;
    assert_eq!(peer.next().await, Some(Packet::Pubrel(Ack::success(id(1)))));
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));
    peer.send(from_server(false)).await;
    assert!(matches!(events.next().await, Some(Event::Message { .. })));
    assert_eq!(peer.next().await, Some(Packet::Pubrec(Ack::success(id(9)))));
    drop(peer);
    assert!(matches!(events.next().await, Some(Event::Disconnected { .. })));
    drop(
        client
            .enqueue(message(3, Qos::AtLeastOnce))
            .await
            .expect("it lives"),
    );
    // Virtual time passes when the process has nothing more to do, its disk included.
    tokio::time::sleep(Duration::from_millis(1)).await;
    process.abort();
    let _ = process.await;
}

/// The next process goes on where it stood.
async fn second_life(version: Version, store: impl Store) {
    let (client, mut events, mut listener, _process) = begin(version, store);
    let mut peer = listener.connected(true).await;
    assert_eq!(peer.next().await, Some(Packet::Pubrel(Ack::success(id(1)))));
    assert_eq!(peer.publish().await, (Some(id(2)), true, "2".to_owned()));
    let (third, dup, payload) = peer.publish().await;
    assert_eq!((dup, payload), (false, "3".to_owned()));
    peer.send(from_server(true)).await;
    assert_eq!(peer.next().await, Some(Packet::Pubrec(Ack::success(id(9)))));
    peer.send(Packet::Pubrel(Ack::success(id(9)))).await;
    assert_eq!(peer.next().await, Some(Packet::Pubcomp(Ack::success(id(9)))));
    peer.send(Packet::Pubcomp(Ack::success(id(1)))).await;
    peer.send(Packet::Pubrec(Ack::success(id(2)))).await;
    assert_eq!(peer.next().await, Some(Packet::Pubrel(Ack::success(id(2)))));
    peer.send(Packet::Pubcomp(Ack::success(id(2)))).await;
    assert!(!client.flush(seconds(1)).await, "the third has no PUBACK yet");
    peer.puback(third).await;
    assert!(client.flush(seconds(1)).await);
    assert!(matches!(
        events.next().await,
        Some(Event::Connected {
            session_present: true,
            ..
        })
    ));
    assert!(events.try_next().is_none(), "the message is not told twice");
}

fn from_server(dup: bool) -> Packet {
    Packet::Publish(Publish {
        dup,
        retain: false,
        delivery: Delivery::ExactlyOnce(id(9)),
        topic: Some(TopicName::new("t").expect("a legal name")),
        payload: "x".into(),
        properties: Properties::new(),
    })
}

/// [MQTT-4.1.0-1] [MQTT-4.4.0-1] [v3 MQTT-4.1.0-1] [v3 MQTT-4.4.0-1]
#[tokio::test(start_paused = true)]
async fn a_restarted_process_goes_on_where_the_last_one_stood() {
    for version in Version::ALL {
        let store = MemoryStore::new();
        first_life(version, store.clone()).await;
        second_life(version, store.clone()).await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("session.redb");
        first_life(version, open(&path)).await;
        second_life(version, open(&path)).await;
    }
}

/// [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] Its PUBREC can leave no more.
#[tokio::test(start_paused = true)]
async fn what_an_application_takes_while_its_client_ends_is_not_handed_over_again() {
    for version in Version::ALL {
        let store = MemoryStore::new();
        let (client, mut events, mut listener, process) = begin(version, store.clone());
        let mut peer = listener.connected(false).await;
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        peer.send(from_server(false)).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        tokio::join!(client.disconnect(), async {
            assert!(matches!(peer.next().await, Some(Packet::Disconnect(_))));
            assert!(matches!(events.next().await, Some(Event::Message { .. })));
            drop(peer);
        });
        process.await.expect("it ends by itself");

        let (_client, mut events, mut listener, _process) = begin(version, store);
        let mut peer = listener.connected(true).await;
        peer.send(from_server(true)).await;
        assert_eq!(peer.next().await, Some(Packet::Pubrec(Ack::success(id(9)))));
        assert!(matches!(events.next().await, Some(Event::Connected { .. })));
        assert!(events.try_next().is_none(), "{version:?}");
    }
}

/// Every kind of record, and messages in every stage.
fn records<'a>(client_id: &'a Text, message: &'a Message) -> Vec<Record<'a>> {
    let waited = Duration::ZERO;
    let queued = |order| Record::Queued {
        order,
        message,
        waited,
    };
    let sent = |order, value| Record::Sent {
        order,
        packet_id: id(value),
    };
    let received = |value| Record::Received { packet_id: id(value) };
    vec![
        received(3),
        Record::Session { client_id },
        queued(1),
        queued(2),
        queued(3),
        queued(4),
        sent(1, 1),
        sent(2, 2),
        sent(3, 3),
        Record::Released {
            order: 2,
            packet_id: id(2),
            reason_code: ReasonCode::NoMatchingSubscribers,
            released: 9,
        },
        Record::Finished { order: 3 },
        received(7),
        received(8),
        Record::Completed { packet_id: id(7) },
        queued(1),
    ]
}

#[tokio::test]
async fn a_file_holds_what_the_records_come_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("session.redb");
    let text = |text| Text::new(text).unwrap();
    let mut rich = message("5", Qos::ExactlyOnce);
    rich.retain = true;
    rich.properties.push(Property::ContentType(text("text")));
    let mut expected = Saved::new();
    for records in records(&text("c"), &rich).chunks(2) {
        let mut store = open(&path);
        for record in records {
            store.append(record);
            expected.apply(record);
        }
        store.commit().await.unwrap();
        drop(store);
        let saved = open(&path).load().unwrap();
        assert_eq!(without_ages(&saved), without_ages(&expected), "after {records:?}");
    }
}

/// A message in a file has waited for the milliseconds of this test.
fn without_ages(saved: &Saved) -> String {
    let text = format!("{saved:?}");
    let mut pieces = text.split("waited: ");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| {
        all + piece.split_once(' ').map_or(piece, |(_, rest)| rest)
    })
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash_and_what_was_not_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let [path, crashed] = ["session.redb", "crashed.redb"].map(|name| directory.path().join(name));
    let mut store = open(&path);
    for order in 1..=20 {
        let kept = message(order, Qos::AtLeastOnce);
        store.append(&Record::Queued {
            order,
            message: &kept,
            waited: Duration::ZERO,
        });
        store.commit().await.unwrap();
        store.append(&Record::Finished { order });
        // The disk as it is, without the words of a clean end.
        std::fs::copy(&path, &crashed).unwrap();
        assert_eq!(open(&crashed).load().unwrap().message_count(), 1, "{order}");
        store.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_in_use_or_damaged_is_an_error_that_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("session.redb");
    let mut store = open(&path);
    let kept = message("x".repeat(10_000), Qos::AtLeastOnce);
    store.append(&Record::Queued {
        order: 1,
        message: &kept,
        waited: Duration::ZERO,
    });
    store.commit().await.unwrap();
    assert!(matches!(FileStore::open(&path), Err(StoreError::InUse(_))));
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let x = whole
        .windows(100)
        .position(|bytes| bytes == [b'x'; 100])
        .expect("it is written as it is");
    for at in [0, x + 50] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = FileStore::open(&path)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.contains("Move it away to begin anew"),
            "byte {at}: {error:?}"
        );
    }
    for length in [whole.len() / 2, 100_000, 5000, 20] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let opened = FileStore::open(&path);
        assert!(
            matches!(opened, Err(StoreError::Damaged { .. })),
            "{length} bytes"
        );
    }
}

#[tokio::test]
async fn a_file_whose_making_was_cut_short_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("session.redb");
    for length in [1, 8, 9, 100_000] {
        std::fs::write(&path, vec![0; length]).unwrap();
        let mut store = open(&path);
        assert_eq!(store.load().unwrap().message_count(), 0, "{length} bytes");
        drop(store);
        // Not by mistake: it is there, and stays.
        assert!(open(&path).load().is_ok());
    }
}

/// The wall clock alone goes on between two processes.
#[tokio::test]
async fn a_message_in_a_database_ages_by_the_wall_clock_and_never_becomes_younger_than_new() {
    let backend = Memory::default();
    let at = |seconds| move || Duration::from_secs(seconds);
    let mut store = DatabaseStore::open(backend.clone(), "memory", at(1000)).unwrap();
    let kept = message("1", Qos::AtLeastOnce);
    store.append(&Record::Queued {
        order: 1,
        message: &kept,
        waited: Duration::from_secs(5),
    });
    store.commit().await.unwrap();
    drop(store);
    for (now, waited) in [(1000, 5), (1010, 15), (100, 0)] {
        let mut store = DatabaseStore::open(backend.clone(), "memory", at(now)).unwrap();
        let text = format!("{:?}", store.load().unwrap());
        assert!(
            text.contains(&format!("waited: {:?}", Duration::from_secs(waited))),
            "{text}"
        );
    }
}

/// A backend that outlives its database.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<redb::backends::InMemoryBackend>);

impl redb::StorageBackend for Memory {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

struct Full;

impl Store for Full {
    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved::new())
    }

    fn append(&mut self, _: &Record<'_>) {}

    fn commit(&mut self) -> Commit<'_> {
        Box::pin(async { Err(StoreError::Failed("the disk is full".into())) })
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_not_sent_and_the_client_ends_with_the_reason() {
    let (_client, mut events, mut listener, _process) = begin(Version::V5, Full);
    let mut peer = listener.connected(false).await;
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));
    let event = events.next().await;
    assert!(
        matches!(event, Some(Event::StoreFailed(StoreError::Failed(_)))),
        "{event:?}"
    );
    assert!(events.next().await.is_none());
    assert_eq!(peer.next().await, None);
}

#[test]
fn what_was_kept_for_another_client_is_refused() {
    let mut store = MemoryStore::new();
    let client_id = Text::new("other").unwrap();
    store.append(&Record::Session {
        client_id: &client_id,
    });
    let restored = Client::restore(options(Version::V5), line(1).0, store);
    assert!(matches!(restored, Err(RestoreError::Misuse(_))));
}
