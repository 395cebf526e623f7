//! Clients that do anything in any order: whatever they do, the broker keeps to what its owner relies on.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use squall_proto::{
    Ack, Binary, ConnId, Connect, DecodeError, Disconnect, Instant, Packet, PacketRef, Properties, Property,
    Publish, Qos, ReasonCode, SubscriptionOptions, Text, TopicName, Version, Will,
    broker::{Broker, Close, Input, Limits, Note, Output},
};

use crate::table::{delivery, id, publish, subscribe, unsubscribe};

const CONNECTIONS: u32 = 4;
const TOPICS: [&str; 3] = ["t", "t/1", "u"];
const FILTERS: [&str; 4] = ["t", "t/#", "#", "+"];

#[derive(Clone, Debug)]
enum Op {
    Connect {
        version: Version,
        client: u8,
        clean_start: bool,
        expiry: u32,
        will_delay: Option<u32>,
        keep_alive: u16,
        receive_maximum: u16,
        packet_size_max: Option<u32>,
    },
    Publish {
        topic: usize,
        qos: Qos,
        packet_id: u16,
        retain: bool,
        empty: bool,
        expiry: Option<u32>,
    },
    Answer {
        kind: u8,
        packet_id: u16,
        reason_code: ReasonCode,
    },
    Subscribe {
        filter: usize,
        qos: Qos,
        no_local: bool,
    },
    Unsubscribe {
        filter: usize,
    },
    Ping,
    Disconnect {
        reason_code: ReasonCode,
    },
    Malformed,
    Lost,
    Unsent {
        bytes: usize,
    },
    Wait {
        millis: u64,
    },
    Shutdown,
}

fn qos() -> impl Strategy<Value = Qos> {
    prop::sample::select(Qos::ALL.to_vec())
}

fn connect() -> impl Strategy<Value = Op> {
    (
        prop::sample::select(Version::ALL.to_vec()),
        0..3_u8,
        any::<bool>(),
        prop::sample::select(vec![0, 5, u32::MAX]),
        prop::option::of(prop::sample::select(vec![0, 3, 10])),
        prop::sample::select(vec![0, 2, 100]),
        1..4_u16,
        prop::option::of(prop::sample::select(vec![1, 30, 60])),
    )
        .prop_map(
            |(
                version,
                client,
                clean_start,
                expiry,
                will_delay,
                keep_alive,
                receive_maximum,
                packet_size_max,
            )| {
                Op::Connect {
                    version,
                    client,
                    clean_start,
                    expiry,
                    will_delay,
                    keep_alive,
                    receive_maximum,
                    packet_size_max,
                }
            },
        )
}

fn op() -> impl Strategy<Value = Op> {
    let refused = prop::sample::select(vec![ReasonCode::Success, ReasonCode::QuotaExceeded]);
    let goodbye = prop::sample::select(vec![ReasonCode::Success, ReasonCode::DisconnectWithWillMessage]);
    prop_oneof![
        6 => connect(),
        8 => (0..3_usize, qos(), 1..4_u16, any::<bool>(), any::<bool>(), prop::option::of(1..4_u32)).prop_map(
            |(topic, qos, packet_id, retain, empty, expiry)| Op::Publish { topic, qos, packet_id, retain, empty, expiry }
        ),
        8 => (0..4_u8, 1..6_u16, refused)
            .prop_map(|(kind, packet_id, reason_code)| Op::Answer { kind, packet_id, reason_code }),
        4 => (0..4_usize, qos(), any::<bool>())
            .prop_map(|(filter, qos, no_local)| Op::Subscribe { filter, qos, no_local }),
        1 => (0..4_usize).prop_map(|filter| Op::Unsubscribe { filter }),
        1 => Just(Op::Ping),
        1 => goodbye.prop_map(|reason_code| Op::Disconnect { reason_code }),
        1 => Just(Op::Malformed),
        2 => Just(Op::Lost),
        2 => prop::sample::select(vec![0, 50, 500]).prop_map(|bytes| Op::Unsent { bytes }),
        2 => (0..12_000_u64).prop_map(|millis| Op::Wait { millis }),
        1 => Just(Op::Shutdown),
    ]
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
        if !self.wires.0.contains_key(&conn) {
            self.wires.0.insert(conn, Wire::default());
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
            said => self.handle(Input::Received(conn, packet(said))),
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

fn packet(op: Op) -> Packet {
    match op {
        Op::Connect {
            version,
            client,
            clean_start,
            expiry,
            will_delay,
            keep_alive,
            receive_maximum,
            packet_size_max,
        } => {
            let mut properties = Properties::new();
            if version == Version::V5 {
                properties.push(Property::SessionExpiryInterval(expiry));
                properties.push(Property::ReceiveMaximum(receive_maximum.try_into().unwrap()));
                if let Some(size) = packet_size_max {
                    properties.push(Property::MaximumPacketSize(size.try_into().unwrap()));
                }
            }
            Packet::Connect(Box::new(Connect {
                version,
                clean_start,
                keep_alive,
                client_id: Text::new(&format!("client {client}")).unwrap(),
                will: will_delay.map(will),
                user_name: None,
                password: None,
                properties,
            }))
        }
        Op::Publish {
            topic,
            qos,
            packet_id,
            retain,
            empty,
            expiry,
        } => Packet::Publish(Publish {
            retain,
            properties: expiry.map(Property::MessageExpiryInterval).into_iter().collect(),
            ..publish(
                TOPICS[topic],
                if empty { "" } else { "some payload of a few bytes" },
                delivery(qos, packet_id),
            )
        }),
        Op::Answer {
            kind,
            packet_id,
            reason_code,
        } => {
            let ack = Ack::of(id(packet_id), reason_code);
            [Packet::Puback, Packet::Pubrec, Packet::Pubrel, Packet::Pubcomp][usize::from(kind)](ack)
        }
        Op::Subscribe {
            filter,
            qos,
            no_local,
        } => subscribe(
            FILTERS[filter],
            SubscriptionOptions {
                qos,
                no_local,
                ..SubscriptionOptions::default()
            },
        ),
        Op::Unsubscribe { filter } => unsubscribe(FILTERS[filter]),
        Op::Disconnect { reason_code } => Packet::Disconnect(Disconnect::of(reason_code)),
        Op::Ping | Op::Malformed | Op::Lost | Op::Unsent { .. } | Op::Wait { .. } | Op::Shutdown => {
            Packet::Pingreq
        }
    }
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
