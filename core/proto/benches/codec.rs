//! Decode and encode of PUBLISH, 64 B and 4 KiB, both versions, at QoS 0 and 1; and of PUBACK. `cargo bench -p squall-proto
//! --bench codec`

use std::hint::black_box;

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use squall_proto::{
    Ack, Decoder, Delivery, Packet, PacketId, PacketRef, Properties, PublishRef, TopicName, Version, encode,
    encode_without_payload,
};

/// Packets decoded or encoded into one buffer before it is emptied, as of one read or write.
const BATCH: u64 = 128;
const TOPIC: &str = "sensors/kitchen/temperature";

fn topic() -> TopicName {
    TopicName::new(TOPIC).expect("the name has no wildcard")
}

fn delivery(qos: u8) -> Delivery {
    if qos == 0 {
        Delivery::AtMostOnce
    } else {
        Delivery::AtLeastOnce(PacketId::MIN)
    }
}

fn publish<'a>(
    delivery: Delivery,
    topic: &'a TopicName,
    properties: &'a Properties,
    payload: &'a Bytes,
) -> PublishRef<'a> {
    PublishRef {
        dup: false,
        retain: false,
        delivery,
        topic: Some(topic),
        topic_alias: None,
        message_expiry_interval: None,
        properties,
        subscription_identifiers: &[],
        payload,
    }
}

/// What to call a measurement: `3.1.1 qos 0 64 B`.
fn name(version: Version, qos: u8, size: usize) -> String {
    format!("{version} qos {qos} {size} B")
}

/// Each version, QoS 0 and 1, each size.
fn each_publish(mut measure: impl FnMut(Version, u8, usize)) {
    for version in Version::ALL {
        for qos in [0, 1] {
            for size in [64, 4096] {
                measure(version, qos, size);
            }
        }
    }
}

/// Reads [`BATCH`] of these packets from a buffer like one that a socket was read into, drops each, and asserts that all came.
fn decode_batch(decoder: &mut Decoder, mut input: BytesMut) -> BytesMut {
    for _ in 0..BATCH {
        let packet = decoder.decode(&mut input).expect("the bytes are packets");
        black_box(packet.expect("the packet is whole"));
    }
    assert!(input.is_empty());
    input
}

fn batch_of(version: Version, packet: PacketRef<'_>) -> BytesMut {
    let mut batch = BytesMut::new();
    for _ in 0..BATCH {
        encode(version, packet, &mut batch);
    }
    batch
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(BATCH));
    let (topic, properties) = (topic(), Properties::new());
    each_publish(|version, qos, size| {
        let payload = Bytes::from(vec![7; size]);
        let publish = publish(delivery(qos), &topic, &properties, &payload);
        let batch = batch_of(version, PacketRef::Publish(publish));
        let mut decoder = Decoder::with_version(version, 1 << 20);
        group.bench_function(name(version, qos, size), |bencher| {
            bencher.iter_batched(
                || batch.clone(),
                |input| decode_batch(&mut decoder, input),
                BatchSize::SmallInput,
            );
        });
    });
    let batch = batch_of(Version::V5, (&Packet::Puback(Ack::success(PacketId::MIN))).into());
    let mut decoder = Decoder::with_version(Version::V5, 1 << 20);
    group.bench_function("5.0 puback", |bencher| {
        bencher.iter_batched(
            || batch.clone(),
            |input| decode_batch(&mut decoder, input),
            BatchSize::SmallInput,
        );
    });
}

/// Into a buffer with room, as a connection's owner does: its bytes and then the payload's.
fn encode_into(buffer: &mut BytesMut, version: Version, publish: PublishRef<'_>) {
    if let Some(payload) = encode_without_payload(version, PacketRef::Publish(black_box(publish)), buffer) {
        buffer.put_slice(payload);
    }
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(BATCH));
    let (topic, properties) = (topic(), Properties::new());
    each_publish(|version, qos, size| {
        let payload = Bytes::from(vec![7; size]);
        let publish = publish(delivery(qos), &topic, &properties, &payload);
        let mut buffer = BytesMut::with_capacity(1 << 20);
        group.bench_function(name(version, qos, size), |bencher| {
            bencher.iter(|| {
                buffer.clear();
                for _ in 0..BATCH {
                    encode_into(&mut buffer, version, publish);
                }
            });
        });
    });
}

criterion_group!(benches, decode, encoding);
criterion_main!(benches);
