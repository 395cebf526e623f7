//! What the checks cost, on one core: the history of 500 clients, written by hand, in two lengths. Ten times as long takes about ten
//! times as long.

use std::{collections::BTreeMap, hint::black_box};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use squall_proto::{
    Ack, Connack, Connect, Delivery, Instant, Packet, PacketId, Properties, Publish, Qos, ReasonCode, Suback,
    Subscribe, SubscriptionOptions, Text, TopicFilter, TopicName, Version,
};
use squall_sim::{
    checks::check,
    scenario::Scenario,
    trace::{Event, Side, Trace, What, WireId},
};

const CLIENTS: u32 = 500;
/// Of the clients, so many publish; each topic has so many subscribers.
const PUBLISHERS: u32 = 50;
const SUBSCRIBERS: u32 = 9;

/// A history as it grows.
struct History {
    events: Vec<Event>,
    now: u64,
    /// The last Packet Identifier of each sender on each connection.
    packet_ids: BTreeMap<(u32, Side), u16>,
}

impl History {
    /// Everybody connects, and who does not publish subscribes to the topic of one who does.
    fn new() -> Self {
        let mut history = Self {
            events: Vec::new(),
            now: 0,
            packet_ids: BTreeMap::new(),
        };
        for number in 0..CLIENTS {
            history.connect(number);
            if number >= PUBLISHERS {
                history.subscribe(number);
            }
        }
        history
    }

    fn note(&mut self, what: What) {
        let at = Instant::from_micros(self.now);
        self.events.push(Event { at, what });
    }

    /// Leaves, and arrives a millisecond later.
    fn send(&mut self, wire: u32, from: Side, packet: Packet) {
        let wire = WireId(wire);
        self.note(What::Sent {
            wire,
            from,
            packet: packet.clone(),
        });
        self.now += 1000;
        self.note(What::Arrived { wire, from, packet });
    }

    fn connect(&mut self, number: u32) {
        let client = format!("client-{number}");
        let connect = Connect {
            version: Version::V5,
            clean_start: true,
            keep_alive: 0,
            client_id: Text::new(&client).expect("a short text"),
            will: None,
            user_name: None,
            password: None,
            properties: Properties::new(),
        };
        let wire = WireId(number);
        self.note(What::Opened { wire, client });
        self.send(number, Side::Client, Packet::Connect(Box::new(connect)));
        let connack = Connack {
            session_present: false,
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        };
        self.send(number, Side::Broker, Packet::Connack(connack));
    }

    fn subscribe(&mut self, number: u32) {
        let options = SubscriptionOptions {
            qos: Qos::AtLeastOnce,
            ..SubscriptionOptions::default()
        };
        let filter = TopicFilter::new(&topic(number % PUBLISHERS)).expect("a filter");
        let subscribe = Subscribe {
            packet_id: PacketId::new(1).expect("not zero"),
            filters: vec![(filter, options)],
            properties: Properties::new(),
        };
        let suback = Suback {
            packet_id: subscribe.packet_id,
            reason_codes: vec![ReasonCode::GrantedQos1],
            properties: Properties::new(),
        };
        self.send(number, Side::Client, Packet::Subscribe(subscribe));
        self.send(number, Side::Broker, Packet::Suback(suback));
    }

    /// A message of a publisher reaches those that are subscribed.
    fn publish(&mut self, n: u32) {
        let publisher = n % PUBLISHERS;
        let payload = Bytes::from(format!("client-{publisher}/0/{n}"));
        let name = TopicName::new(&topic(publisher)).expect("a topic");
        self.exchange(publisher, Side::Client, &name, &payload);
        for subscriber in (1..=SUBSCRIBERS).map(|nth| publisher + nth * PUBLISHERS) {
            self.exchange(subscriber, Side::Broker, &name, &payload);
        }
    }

    fn exchange(&mut self, wire: u32, from: Side, topic: &TopicName, payload: &Bytes) {
        let last = self.packet_ids.entry((wire, from)).or_default();
        *last = last.checked_add(1).unwrap_or(1);
        let packet_id = PacketId::new(*last).expect("not zero");
        let publish = Publish {
            dup: false,
            retain: false,
            delivery: Delivery::AtLeastOnce(packet_id),
            topic: Some(topic.clone()),
            payload: payload.clone(),
            properties: Properties::new(),
        };
        self.send(wire, from, Packet::Publish(publish));
        self.send(wire, from.other(), Packet::Puback(Ack::success(packet_id)));
    }
}

fn topic(publisher: u32) -> String {
    format!("site/{publisher}/state")
}

/// At least so many events.
fn history(events: usize) -> Trace {
    let mut history = History::new();
    for n in 0.. {
        if history.events.len() >= events {
            break;
        }
        history.publish(n);
    }
    Trace {
        events: history.events,
    }
}

fn checks(criterion: &mut Criterion) {
    let scenario = Scenario::parse(
        "checks.yaml",
        "name: 500 clients\nwhy: to be measured\npeers: { raw: {} }\n",
    )
    .expect("a scenario");
    let mut group = criterion.benchmark_group("checks of a history of 500 clients");
    group.sample_size(10);
    for events in [100_000, 1_000_000] {
        let trace = history(events);
        let findings = check(&scenario, Version::V5, true, &trace);
        assert!(findings.is_empty(), "{findings:?}");
        group.throughput(Throughput::Elements(trace.events.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(events), &trace, |bencher, trace| {
            bencher.iter(|| black_box(check(&scenario, Version::V5, true, trace)));
        });
    }
    group.finish();
}

criterion_group!(benches, checks);
criterion_main!(benches);
