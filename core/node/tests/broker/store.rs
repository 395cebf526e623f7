//! What a database says when power was lost after a commit is what the records come to.

use std::{sync::Arc, time::Duration};

use squall_node::broker::{DatabaseStore, FileStore, Records, Store, StoreError};
use squall_proto::{
    Ack, ConnId, Connect, Delivery, Disconnect, Instant, Packet, PacketId, PacketRef, Property, Publish, Qos,
    ReasonCode, Subscribe, SubscriptionId, SubscriptionOptions, TopicFilter, TopicName, Unsubscribe, Version,
    broker::{Broker, Close, Input, Note, Output, Record, Rule, Rules, Saved, Settings},
};

use crate::{
    disk::Disk,
    harness::{connect_with_will, plain_connect},
};

/// A broker whose records go to a database and to [`Saved`], each input in a commit of its own.
struct Pair {
    broker: Broker,
    out: Out,
    store: DatabaseStore,
    disk: Disk,
    now: Instant,
    most: usize,
}

#[derive(Default)]
struct Out {
    records: Records,
    saved: Saved,
}

impl Output for Out {
    fn send(&mut self, _: ConnId, _: Version, _: PacketRef<'_>) {}

    fn close(&mut self, _: ConnId, _: Close) {}

    fn unsent_bytes(&self, _: ConnId) -> usize {
        0
    }

    fn note(&mut self, _: Note) {}

    fn persist(&mut self, record: Record<'_>) {
        self.records.push(&record);
        self.saved.apply(&record);
    }
}

impl Pair {
    fn new() -> Self {
        let disk = Disk::default();
        Self {
            broker: Broker::new(tolerant(), 1),
            out: Out::default(),
            store: DatabaseStore::open(disk.clone(), "disk").expect("it is new"),
            disk,
            now: Instant::from_micros(7_000_000),
            most: 0,
        }
    }

    async fn handle(&mut self, input: Input) {
        self.broker.handle(self.now, input, &mut self.out);
        let records = std::mem::take(&mut self.out.records);
        self.store
            .commit(Arc::new(records))
            .await
            .expect("memory has room");
        let mut next = DatabaseStore::open(self.disk.after_power_loss(), "disk").expect("it is whole");
        assert_eq!(
            next.load().expect("it is whole"),
            self.out.saved.clone().outlined()
        );
        self.most = self.most.max(self.out.saved.delivery_count());
    }

    async fn send(&mut self, conn: u32, packet: Packet) {
        self.handle(Input::Received(ConnId(conn), packet)).await;
    }

    async fn open(&mut self, conn: u32, packet: Packet) {
        self.handle(Input::Opened(ConnId(conn))).await;
        self.send(conn, packet).await;
    }

    async fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.handle(Input::Tick).await;
    }
}

/// An acknowledgement of the wrong kind ends no connection.
fn tolerant() -> Settings {
    Settings {
        rules: Rules {
            wrong_acknowledgement: Rule::Tolerant,
            ..Rules::default()
        },
        ..Settings::default()
    }
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not 0")
}

fn persistent(client_id: &str, seconds: u32, version: Version) -> Packet {
    Packet::Connect(Box::new(Connect {
        version,
        clean_start: false,
        properties: match version {
            Version::V3_1_1 => [].into_iter().collect(),
            Version::V5 => [Property::SessionExpiryInterval(seconds)].into_iter().collect(),
        },
        ..plain_connect(client_id)
    }))
}

fn subscribe(filter: TopicFilter, qos: Qos, id: Option<u32>) -> Packet {
    let options = SubscriptionOptions {
        qos,
        no_local: filter.share_name().is_none() && id.is_some(),
        retain_as_published: id.is_none(),
        ..SubscriptionOptions::default()
    };
    let ids = id.and_then(SubscriptionId::new);
    Packet::Subscribe(Subscribe {
        packet_id: PacketId::MIN,
        filters: vec![(filter, options)],
        properties: ids.map(Property::SubscriptionIdentifier).into_iter().collect(),
    })
}

fn publish(
    topic: &str,
    payload: &'static str,
    delivery: Delivery,
    retain: bool,
    expiry: Option<u32>,
) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain,
        delivery,
        topic: Some(TopicName::new(topic).expect("a legal name")),
        payload: payload.into(),
        properties: expiry.map(Property::MessageExpiryInterval).into_iter().collect(),
    })
}

#[tokio::test]
async fn a_database_has_kept_what_the_records_come_to_whenever_power_is_lost_after_a_commit() {
    let mut pair = Pair::new();
    let filter = |filter| TopicFilter::new(filter).unwrap();
    pair.open(0, persistent("five", 100, Version::V5)).await;
    pair.open(1, persistent("three", 0, Version::V3_1_1)).await;
    pair.open(2, connect_with_will("will", "gone")).await;
    let literal = filter("$share/g/t").text().clone();
    for (conn, filter, id) in [
        (0, filter("t/#"), Some(268_435_455)),
        (0, filter("t/+"), Some(7)),
        (0, filter("$share/g/t"), None),
        (1, TopicFilter::not_shared(literal).unwrap(), None),
        (1, filter("will"), None),
        (1, filter("#"), None),
    ] {
        pair.send(conn, subscribe(filter, Qos::ExactlyOnce, id)).await;
    }
    for n in 1..6 {
        for (topic, delivery) in [
            ("t", Delivery::AtLeastOnce(id(n))),
            ("t/1", Delivery::ExactlyOnce(id(n))),
            ("u", Delivery::AtMostOnce),
        ] {
            let expiry = (n % 2 == 0).then_some(60);
            pair.send(0, publish(topic, "x", delivery, n % 2 == 1, expiry))
                .await;
        }
    }
    pair.send(0, publish("t", "", Delivery::AtMostOnce, true, None))
        .await;
    for conn in 0..2 {
        for (n, answer) in [Packet::Puback, Packet::Pubrec, Packet::Pubcomp]
            .into_iter()
            .enumerate()
        {
            for at in 1..6 {
                if usize::from(at) % 3 >= n {
                    pair.send(conn, answer(Ack::success(id(at)))).await;
                }
            }
        }
    }
    pair.send(0, Packet::Pubrel(Ack::success(id(2)))).await;
    pair.handle(Input::Lost(ConnId(1))).await;
    pair.handle(Input::Lost(ConnId(2))).await;
    let filters = vec![filter("t/+")];
    let properties = [].into_iter().collect();
    pair.open(3, persistent("three", 0, Version::V3_1_1)).await;
    pair.send(
        0,
        Packet::Unsubscribe(Unsubscribe {
            packet_id: PacketId::MIN,
            filters,
            properties,
        }),
    )
    .await;
    pair.send(0, Packet::Disconnect(Disconnect::of(ReasonCode::Success)))
        .await;
    assert!(pair.most > 10 && pair.out.saved.retained_count() == 2);
    pair.wait(50).await;
    assert_eq!(pair.out.saved.session_count(), 2);
    pair.wait(51).await;
    assert_eq!(pair.out.saved.session_count(), 1);
}

/// The deliveries of a message are one row, whoever of them is over first.
#[tokio::test]
async fn deliveries_of_one_message_end_one_by_one_in_any_order() {
    let mut pair = Pair::new();
    for conn in 0..20 {
        pair.open(conn, persistent(&format!("c{conn}"), u32::MAX, Version::V5))
            .await;
        let filter = TopicFilter::new(if conn % 3 == 0 { "$share/g/t" } else { "t" }).unwrap();
        pair.send(
            conn,
            subscribe(filter, Qos::AtLeastOnce, (conn % 4 == 1).then_some(conn)),
        )
        .await;
        if conn % 2 == 0 {
            pair.handle(Input::Lost(ConnId(conn))).await;
        }
    }
    for n in 1..4 {
        let delivery = Delivery::AtLeastOnce(id(n));
        pair.send(1, publish("t", "x", delivery, false, None)).await;
    }
    let deliveries = pair.out.saved.delivery_count();
    assert_eq!(deliveries, 3 * 13, "12 subscribers and a group");
    for conn in [19, 5, 7, 1, 17, 11, 13] {
        for n in [2, 3, 1] {
            pair.send(conn, Packet::Puback(Ack::success(id(n)))).await;
        }
    }
    for conn in (0..20).step_by(2) {
        let clean = Packet::Connect(Box::new(plain_connect(&format!("c{conn}"))));
        pair.open(conn, clean).await;
    }
    assert!(pair.out.saved.delivery_count() < 10);
}

#[tokio::test]
async fn a_database_of_a_later_format_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    drop(FileStore::open(&path).unwrap());
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<u8, u64>::new("meta");
    transaction.open_table(meta).unwrap().insert(0, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let refused = FileStore::open(&path).err();
    assert!(
        matches!(refused, Some(StoreError::Newer { format: 2, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broker.redb");
    drop(FileStore::open(&path).unwrap());
    let whole = std::fs::read(&path).unwrap();
    for damaged in [whole[..whole.len() / 2].to_vec(), b"no database".repeat(1000)] {
        std::fs::write(&path, damaged).unwrap();
        let refused = FileStore::open(&path).expect_err("it is damaged");
        assert!(refused.to_string().contains("broker.redb"), "{refused}");
        assert!(matches!(refused, StoreError::Damaged { .. }), "{refused:?}");
        assert!(refused.mend().contains("move it away"));
    }
}
