//! What one message costs in allocations, decode to encode.

use bytes::{BufMut, BytesMut};
use squall_proto::{
    ConnId, Decoder, Instant, PacketRef, Version,
    broker::{Broker, Close, Input, Limits, Note, Output},
    encode_without_payload,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// One output buffer for all.
struct Sink(BytesMut);

impl Output for Sink {
    fn send(&mut self, _: ConnId, version: Version, packet: PacketRef<'_>) {
        if let Some(payload) = encode_without_payload(version, packet, &mut self.0) {
            self.0.extend_from_slice(payload);
        }
    }

    fn close(&mut self, conn: ConnId, close: Close) {
        panic!("{conn} was closed: {close:?}");
    }

    fn unsent_bytes(&self, _: ConnId) -> usize {
        0
    }

    fn note(&mut self, _: Note) {}
}

/// CONNECT of client `a`, and SUBSCRIBE to `t`, by itself or shared, at the QoS in its last byte.
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const SUBSCRIBE: &[u8] = b"\x82\x06\x00\x01\x00\x01t";
const SUBSCRIBE_SHARED: &[u8] = b"\x82\x0f\x00\x01\x00\x0a$share/g/t";
const MESSAGES: u64 = 1000;

/// Decodes and handles everything in `bytes`.
fn feed(broker: &mut Broker, decoder: &mut Decoder, bytes: &mut BytesMut, sink: &mut Sink) {
    while let Some(packet) = decoder.decode(bytes).expect("the bytes are packets") {
        sink.0.clear();
        broker.handle(Instant::ZERO, Input::Received(ConnId(0), packet), sink);
    }
}

/// The least of three counts: the harness has a thread of its own, which may allocate meanwhile.
fn allocations_a_message(subscribe: &[u8], qos: u8) -> u64 {
    let counts = (0..3).map(|_| count_allocations(subscribe, qos));
    counts.min().unwrap_or(u64::MAX)
}

/// Allocations for each of a thousand messages that a client sends itself. At QoS 1 each is acknowledged before the next.
fn count_allocations(subscribe: &[u8], qos: u8) -> u64 {
    let limits = Limits {
        shared_subscriptions_v3: true,
        ..Limits::default()
    };
    let mut broker = Broker::new(limits, 1);
    let mut decoder = Decoder::new(1 << 20);
    let mut sink = Sink(BytesMut::with_capacity(1 << 16));
    broker.handle(Instant::ZERO, Input::Opened(ConnId(0)), &mut sink);
    let mut bytes = BytesMut::from([CONNECT, subscribe, &[qos]].concat().as_slice());
    feed(&mut broker, &mut decoder, &mut bytes, &mut sink);

    let mut messages = BytesMut::with_capacity(1 << 20);
    for packet_id in 1..=u16::try_from(MESSAGES + 1).expect("a thousand identifiers") {
        put_publish(&mut messages, qos, packet_id);
    }
    let first = 69 + if qos > 0 { 6 } else { 0 };
    let mut warm_up = messages.split_to(first);
    feed(&mut broker, &mut decoder, &mut warm_up, &mut sink);

    let before = dhat::HeapStats::get().total_blocks;
    feed(&mut broker, &mut decoder, &mut messages, &mut sink);
    (dhat::HeapStats::get().total_blocks - before).div_ceil(MESSAGES)
}

/// PUBLISH of 64 bytes to `t`; at QoS 1 followed by PUBACK of what the broker sends back.
fn put_publish(buffer: &mut BytesMut, qos: u8, packet_id: u16) {
    buffer.put_u8(0x30 | qos << 1);
    buffer.put_u8(3 + 64 + if qos > 0 { 2 } else { 0 });
    buffer.put_slice(b"\x00\x01t");
    if qos > 0 {
        buffer.put_u16(packet_id);
    }
    buffer.put_bytes(7, 64);
    if qos > 0 {
        buffer.put_slice(&[0x40, 2]);
        buffer.put_u16(packet_id);
    }
}

#[test]
fn a_qos_0_message_allocates_nothing_and_a_qos_1_message_what_is_kept_of_it() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for subscribe in [SUBSCRIBE, SUBSCRIBE_SHARED] {
        assert_eq!(allocations_a_message(subscribe, 0), 0);
        // The message itself, its topic and its payload, until PUBACK.
        assert_eq!(allocations_a_message(subscribe, 1), 3);
    }
}
