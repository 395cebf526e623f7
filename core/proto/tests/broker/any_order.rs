//! Clients that do anything in any order: whatever they do, the broker keeps to what its owner relies on.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use proptest::prelude::*;
use squall_proto::{
    Ack, Binary, ConnId, Connect, DecodeError, Disconnect, Instant, Packet, PacketRef, Properties, Property,
    Publish, Qos, ReasonCode, SubscriptionOptions, Text, TopicName, Version, Will,
    broker::{Broker, Close, Input, Limits, Note, Output},
};

use crate::table::{delivery, id, publish, subscribe, unsubscribe};

const CONNECTIONS: u32 = 4;
const TOPICS: [&str; 3] = ["t", "t/1", "u"];
const FILTERS: [&str; 6] = ["t", "t/#", "#", "+", "$share/g/t", "$share/g/#"];

#[derive(Clone, Debug)]
enum Op {
    Say(Packet),
    Malformed,
    Lost,
    Unsent { bytes: usize },
    Wait { millis: u64 },
    Shutdown,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => connect().prop_map(Op::Say),
        8 => any_publish().prop_map(Op::Say),
        8 => answer().prop_map(Op::Say),
        4 => (prop::sample::select(FILTERS.to_vec()), qos(), any::<bool>()).prop_map(|(filter, qos, no_local)| {
            let no_local = no_local && !filter.starts_with("$share");
            Op::Say(subscribe(filter, SubscriptionOptions { qos, no_local, ..SubscriptionOptions::default() }))
        }),
        1 => prop::sample::select(FILTERS.to_vec()).prop_map(|filter| Op::Say(unsubscribe(filter))),
        1 => Just(Op::Say(Packet::Pingreq)),
        1 => prop::sample::select(vec![ReasonCode::Success, ReasonCode::DisconnectWithWillMessage])
            .prop_map(|reason_code| Op::Say(Packet::Disconnect(Disconnect::of(reason_code)))),
        1 => Just(Op::Malformed),
        2 => Just(Op::Lost),
        2 => prop::sample::select(vec![0, 50, 500]).prop_map(|bytes| Op::Unsent { bytes }),
        2 => (0..12_000_u64).prop_map(|millis| Op::Wait { millis }),
        1 => Just(Op::Shutdown),
    ]
}

fn qos() -> impl Strategy<Value = Qos> {
    prop::sample::select(Qos::ALL.to_vec())
}

fn connect() -> impl Strategy<Value = Packet> {
    (
        prop::sample::select(Version::ALL.to_vec()),
        prop::sample::select(vec!["a", "b", "c"]),
        any::<bool>(),
        prop::sample::select(vec![0, 2, 100]),
        prop::option::of(prop::sample::select(vec![0, 3, 10])),
        connect_properties(),
    )
        .prop_map(
            |(version, client_id, clean_start, keep_alive, will_delay, properties)| {
                Packet::Connect(Box::new(Connect {
                    version,
                    clean_start,
                    keep_alive,
                    client_id: Text::new(client_id).unwrap(),
                    will: will_delay.map(will),
                    user_name: None,
                    password: None,
                    properties: if version == Version::V5 {
                        properties
                    } else {
                        Properties::new()
                    },
                }))
            },
        )
}

fn connect_properties() -> impl Strategy<Value = Properties> {
    let expiry = prop::sample::select(vec![0, 5, u32::MAX]);
    let packet_size_max = prop::option::of(prop::sample::select(vec![1_u32, 30, 60]));
    (expiry, 1..4_u16, packet_size_max).prop_map(|(expiry, receive_maximum, packet_size_max)| {
        let packet_size_max =
            packet_size_max.map(|size| Property::MaximumPacketSize(size.try_into().unwrap()));
        let receive_maximum = Property::ReceiveMaximum(receive_maximum.try_into().unwrap());
        [Property::SessionExpiryInterval(expiry), receive_maximum]
            .into_iter()
            .chain(packet_size_max)
            .collect()
    })
}

fn any_publish() -> impl Strategy<Value = Packet> {
    let topic = prop::sample::select(TOPICS.to_vec());
    let payload = prop::sample::select(vec!["", "some payload of a few bytes"]);
    (
        topic,
        payload,
        qos(),
        1..4_u16,
        any::<bool>(),
        prop::option::of(1..4_u32),
    )
        .prop_map(|(topic, payload, qos, packet_id, retain, expiry)| {
            Packet::Publish(Publish {
                retain,
                properties: expiry.map(Property::MessageExpiryInterval).into_iter().collect(),
                ..publish(topic, payload, delivery(qos, packet_id))
            })
        })
}

fn answer() -> impl Strategy<Value = Packet> {
    let kind = prop::sample::select(vec![
        Packet::Puback,
        Packet::Pubrec,
        Packet::Pubrel,
        Packet::Pubcomp,
    ]);
    let reason_code = prop::sample::select(vec![ReasonCode::Success, ReasonCode::QuotaExceeded]);
    (kind, 1..6_u16, reason_code)
        .prop_map(|(kind, packet_id, reason_code)| kind(Ack::of(id(packet_id), reason_code)))
}

fn will(delay: u32) -> Will {
    Will {
        topic: TopicName::new("t").unwrap(),
        payload: Binary::new("gone").unwrap(),
        qos: Qos::AtLeastOnce,
        retain: true,
        properties: [Property::WillDelayInterval(delay)].into_iter().collect(),
    }
}

/// The owner of the connections, who holds the broker to its word.
struct Owner {
    broker: Broker,
    now: Instant,
    wires: Wires,
}

#[derive(Default)]
struct Wires(BTreeMap<ConnId, Wire>);

#[derive(Default)]
struct Wire {
    connected: bool,
    closed: bool,
    unsent: usize,
}

impl Output for Wires {
    fn send(&mut self, to: ConnId, _: Version, packet: PacketRef<'_>) {
        let wire = self.0.get_mut(&to).expect("only open connections are sent to");
        assert!(!wire.closed, "nothing is sent after a close");
        let is_connack = matches!(packet, PacketRef::Packet(Packet::Connack(_)));
        assert_ne!(wire.connected, is_connack, "CONNACK comes first, and once");
        wire.connected = true;
    }

    fn close(&mut self, conn: ConnId, _: Close) {
        let wire = self.0.get_mut(&conn).expect("only open connections are closed");
        assert!(!wire.closed, "a connection is closed once");
        wire.closed = true;
    }

    fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.0.get(&conn).map_or(0, |wire| wire.unsent)
    }

    fn note(&mut self, _: Note) {}
}

impl Owner {
    fn handle(&mut self, input: Input) {
        self.broker.handle(self.now, input, &mut self.wires);
    }

    fn apply(&mut self, conn: ConnId, op: Op) {
        if let Entry::Vacant(free) = self.wires.0.entry(conn) {
            free.insert(Wire::default());
            self.handle(Input::Opened(conn));
        }
        match op {
            Op::Malformed => self.handle(Input::Malformed(conn, DecodeError::UnsupportedProtocolLevel(9))),
            Op::Lost => self.lose(conn),
            Op::Unsent { bytes } => {
                self.wires.0.entry(conn).or_default().unsent = bytes;
                if bytes == 0 {
                    self.handle(Input::Flushed(conn));
                }
            }
            Op::Wait { millis } => self.wait(Duration::from_millis(millis)),
            Op::Shutdown => self.handle(Input::Shutdown),
            Op::Say(packet) => self.handle(Input::Received(conn, packet)),
        }
    }

    fn lose(&mut self, conn: ConnId) {
        self.handle(Input::Lost(conn));
        self.wires.0.remove(&conn);
    }

    fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.broker.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.handle(Input::Tick);
            assert!(
                self.broker.next_deadline().is_none_or(|next| next > self.now),
                "a tick settles what is due"
            );
        }
        self.now = until;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_owner_can_rely_on_the_broker(ops in prop::collection::vec((0..CONNECTIONS, op()), 1..120)) {
        let limits = Limits {
            queued_messages: 5,
            retained_messages: 2,
            unsent_bytes_soft: 10,
            unsent_bytes: 100,
            receive_maximum: 2,
            subscriptions: 2,
            ..Limits::default()
        };
        let broker = Broker::new(limits, 1);
        let mut owner = Owner { broker, now: Instant::ZERO, wires: Wires::default() };
        for (conn, op) in ops {
            owner.apply(ConnId(conn), op);
        }
        for conn in 0..CONNECTIONS {
            owner.lose(ConnId(conn));
        }
        owner.wait(Duration::from_secs(1000));
    }
}
