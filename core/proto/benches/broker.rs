//! One step of the broker: a message to one subscriber and to 500, at QoS 0 and 1; and the match of a topic among 100,000
//! subscriptions. `cargo bench -p squall-proto --bench broker`

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use squall_proto::{
    Ack, ConnId, Connect, Delivery, Instant, Packet, PacketId, PacketRef, Properties, Publish, Qos,
    Subscribe, SubscriptionOptions, SubscriptionTree, Text, TopicFilter, TopicName, Version,
    broker::{Broker, Close, Input, Limits, Note, Output},
    encode_without_payload,
};

/// Encodes into one buffer, as a connection's owner does, and forgets it.
struct Sink(BytesMut);

impl Output for Sink {
    fn send(&mut self, _: ConnId, version: Version, packet: PacketRef<'_>) {
        if let Some(payload) = encode_without_payload(version, packet, &mut self.0) {
            self.0.extend_from_slice(payload);
        }
    }

    fn close(&mut self, _: ConnId, _: Close) {}

    fn unsent_bytes(&self, _: ConnId) -> usize {
        0
    }

    fn note(&mut self, _: Note) {}
}

/// A broker with a publisher, connection 0, and this many subscribers to `bench/topic`, connections 1 and up.
fn broker(subscribers: u32, qos: Qos) -> (Broker, Sink) {
    let mut broker = Broker::new(Limits::default(), 1);
    let mut sink = Sink(BytesMut::with_capacity(1 << 20));
    for conn in 0..=subscribers {
        let conn = ConnId(conn);
        broker.handle(Instant::ZERO, Input::Opened(conn), &mut sink);
        broker.handle(Instant::ZERO, Input::Received(conn, connect(conn)), &mut sink);
        if conn.0 > 0 {
            broker.handle(Instant::ZERO, Input::Received(conn, subscribe(qos)), &mut sink);
        }
    }
    (broker, sink)
}

fn connect(conn: ConnId) -> Packet {
    Packet::Connect(Box::new(Connect {
        version: Version::V3_1_1,
        clean_start: true,
        keep_alive: 60,
        client_id: Text::new(&format!("client-{}", conn.0)).expect("digits are a legal string"),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }))
}

fn topic() -> TopicName {
    TopicName::from_bytes(Bytes::from_static(b"bench/topic")).expect("a legal topic name")
}

fn subscribe(qos: Qos) -> Packet {
    let filter = TopicFilter::new("bench/topic").expect("a legal filter");
    let options = SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    };
    Packet::Subscribe(Subscribe {
        packet_id: PacketId::MIN,
        filters: vec![(filter, options)],
        properties: Properties::new(),
    })
}

fn publish(delivery: Delivery) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        retain: false,
        delivery,
        topic: Some(topic()),
        payload: Bytes::from_static(&[7; 64]),
        properties: Properties::new(),
    })
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    for subscribers in [1, 500] {
        group.throughput(Throughput::Elements(subscribers.into()));
        let (mut at_most_once, mut sink) = broker(subscribers, Qos::AtMostOnce);
        group.bench_function(format!("qos 0 to {subscribers}"), |bencher| {
            bencher.iter_batched(
                || publish(Delivery::AtMostOnce),
                |packet| deliver(&mut at_most_once, packet, &mut sink),
                BatchSize::SmallInput,
            );
        });
        let (mut at_least_once, mut sink) = broker(subscribers, Qos::AtLeastOnce);
        let mut packet_id = PacketId::MIN;
        group.bench_function(format!("qos 1 to {subscribers}, acknowledged"), |bencher| {
            bencher.iter_batched(
                || publish(Delivery::AtLeastOnce(PacketId::MIN)),
                |packet| {
                    deliver(&mut at_least_once, packet, &mut sink);
                    for conn in 1..=subscribers {
                        let puback = Packet::Puback(Ack::success(packet_id));
                        at_least_once.handle(Instant::ZERO, Input::Received(ConnId(conn), puback), &mut sink);
                    }
                    packet_id = packet_id.following();
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn deliver(broker: &mut Broker, packet: Packet, sink: &mut Sink) {
    sink.0.clear();
    broker.handle(Instant::ZERO, Input::Received(ConnId(0), packet), sink);
    black_box(&sink.0);
}

fn matching(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("match");
    for subscriptions in [100, 100_000] {
        let mut tree = SubscriptionTree::new(1);
        for subscriber in 0..subscriptions {
            let filter = match subscriber % 4 {
                0 => format!("site/{}/device/{subscriber}/+", subscriber % 97),
                1 => format!("site/+/device/{subscriber}/temperature"),
                2 => format!("site/{}/device/{subscriber}/#", subscriber % 97),
                _ => format!("site/{}/device/{subscriber}/temperature", subscriber % 97),
            };
            tree.insert(&filter, subscriber, ());
        }
        group.bench_function(format!("one of {subscriptions} subscriptions"), |bencher| {
            bencher.iter(|| {
                let mut found = 0;
                tree.for_each_match(black_box("site/51/device/51/temperature"), |_, ()| found += 1);
                found
            });
        });
    }
    group.finish();
}

criterion_group!(benches, step, matching);
criterion_main!(benches);
