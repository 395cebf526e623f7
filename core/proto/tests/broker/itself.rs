//! Whatever clients do, a broker that is restored from its records is to them the one that went on, and whose connections were lost.

use std::time::Duration;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use squall_proto::{
    Ack, Binary, Connect, Delivery, Disconnect, Packet, Property, Publish, Qos, ReasonCode,
    SubscriptionOptions, TopicName, Version, Will,
    broker::{Counts, Limits},
};

use crate::table::{Seen, Table, ack, delivery, id, publish, subscribe, unsubscribe};

const CLIENTS: [&str; 3] = ["a", "b", "c"];
const TOPICS: [&str; 3] = ["t", "t/1", "u"];
const FILTERS: [&str; 4] = ["t", "t/#", "u", "w/#"];
const PAYLOADS: [&str; 6] = ["one", "two", "three", "four", "five", ""];

/// What a client does, by its place in `CLIENTS`, or how much time passes.
#[derive(Clone, Debug)]
enum Step {
    Connect {
        client: usize,
        clean_start: bool,
        expiry: u32,
        will: Option<u32>,
    },
    Cut(usize),
    Disconnect(usize),
    Subscribe(usize, usize, Qos),
    Unsubscribe(usize, usize),
    Publish {
        client: usize,
        topic: usize,
        payload: usize,
        qos: Qos,
        packet_id: u16,
        retain: bool,
        expiry: Option<u32>,
    },
    Release(usize, u16),
    /// It answers as much of what it was sent.
    Answer(usize, usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS.len();
    let qos = || prop::sample::select(vec![Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce]);
    let publish = (
        client.clone(),
        0..TOPICS.len(),
        0..PAYLOADS.len(),
        qos(),
        1..4_u16,
        any::<bool>(),
        prop::option::weighted(0.3, 1..20_u32),
    );
    let connect = (
        client.clone(),
        prop::bool::weighted(0.2),
        prop::sample::select(vec![0, 10, u32::MAX]),
        prop::option::weighted(0.4, 0..10_u32),
    );
    prop_oneof![
        3 => connect.prop_map(|(client, clean_start, expiry, will)| Step::Connect { client, clean_start, expiry, will }),
        1 => client.clone().prop_map(Step::Cut),
        1 => client.clone().prop_map(Step::Disconnect),
        3 => (client.clone(), 0..FILTERS.len(), qos()).prop_map(|(client, filter, qos)| Step::Subscribe(client, filter, qos)),
        1 => (client.clone(), 0..FILTERS.len()).prop_map(|(client, filter)| Step::Unsubscribe(client, filter)),
        8 => publish.prop_map(|(client, topic, payload, qos, packet_id, retain, expiry)| {
            Step::Publish { client, topic, payload, qos, packet_id, retain, expiry }
        }),
        2 => (client.clone(), 1..4_u16).prop_map(|(client, packet_id)| Step::Release(client, packet_id)),
        4 => (client, 1..4_usize).prop_map(|(client, packets)| Step::Answer(client, packets)),
        1 => (1..15_u64).prop_map(Step::Wait),
    ]
}

/// A table, and who has a connection there.
struct Play {
    t: Table,
    version: Version,
    sits: [bool; CLIENTS.len()],
}

impl Play {
    fn new(version: Version) -> Self {
        let limits = Limits {
            inflight: 2,
            ..Limits::default()
        };
        Self {
            t: Table::with_limits(version, limits),
            version,
            sits: [false; CLIENTS.len()],
        }
    }

    fn carry_out(&mut self, step: &Step) {
        match *step {
            Step::Connect {
                client,
                clean_start,
                expiry,
                will,
            } => {
                let connect = self.connect(client, clean_start, expiry, will);
                self.sit(client, connect);
            }
            Step::Cut(client) if self.sits[client] => self.leave(client),
            Step::Disconnect(client) if self.sits[client] => {
                self.say(client, Packet::Disconnect(Disconnect::of(ReasonCode::Success)));
                self.leave(client);
            }
            Step::Subscribe(client, filter, qos) => {
                let options = SubscriptionOptions {
                    qos,
                    ..SubscriptionOptions::default()
                };
                self.say(client, subscribe(FILTERS[filter], options));
            }
            Step::Unsubscribe(client, filter) => self.say(client, unsubscribe(FILTERS[filter])),
            Step::Publish {
                client,
                topic,
                payload,
                qos,
                packet_id,
                retain,
                expiry,
            } => {
                let expiry = expiry.filter(|_| self.version == Version::V5);
                let packet = Publish {
                    retain,
                    properties: expiry.map(Property::MessageExpiryInterval).into_iter().collect(),
                    ..publish(TOPICS[topic], PAYLOADS[payload], delivery(qos, packet_id))
                };
                self.say(client, Packet::Publish(packet));
            }
            Step::Release(client, packet_id) => self.say(client, Packet::Pubrel(ack(packet_id))),
            Step::Answer(client, packets) => {
                if self.sits[client] {
                    self.answer(client, packets);
                }
            }
            Step::Wait(seconds) => self.t.wait(Duration::from_secs(seconds)),
            Step::Cut(_) | Step::Disconnect(_) => {}
        }
    }

    fn connect(&self, client: usize, clean_start: bool, expiry: u32, will: Option<u32>) -> Connect {
        let name = CLIENTS[client];
        let has_properties = self.version == Version::V5;
        let will = will.map(|delay| Will {
            topic: TopicName::new(&format!("w/{name}")).unwrap(),
            payload: Binary::new("gone").unwrap(),
            qos: Qos::AtLeastOnce,
            retain: delay % 2 == 0,
            properties: has_properties
                .then_some(Property::WillDelayInterval(delay))
                .into_iter()
                .collect(),
        });
        Connect {
            clean_start: clean_start || (expiry == 0 && !has_properties),
            will,
            properties: has_properties
                .then_some(Property::SessionExpiryInterval(expiry))
                .into_iter()
                .collect(),
            ..self.t.clean(name)
        }
    }

    /// Connects, in the place of a connection there is; whether the session was present.
    fn sit(&mut self, client: usize, connect: Connect) -> bool {
        let taken_over = self.sits[client].then(|| self.t.conn(CLIENTS[client]));
        if taken_over.is_some() {
            self.t.rename(CLIENTS[client]);
        }
        self.sits[client] = true;
        let present = self.t.connect_as(CLIENTS[client], connect);
        if let Some(conn) = taken_over {
            self.t.handle(squall_proto::broker::Input::Lost(conn));
        }
        present
    }

    fn leave(&mut self, client: usize) {
        self.t.cut(CLIENTS[client]);
        self.sits[client] = false;
    }

    fn say(&mut self, client: usize, packet: Packet) {
        if self.sits[client] {
            self.t.send(CLIENTS[client], packet);
        }
    }

    /// Takes packets and answers them; what they were, but for the identifiers of what comes for the first time.
    fn answer(&mut self, client: usize, packets: usize) -> Vec<Packet> {
        let name = CLIENTS[client];
        let mut seen = Vec::new();
        while seen.len() < packets
            && let Some(Seen::Packet(mut packet)) = self.t.next(name)
        {
            match &mut packet {
                Packet::Publish(publish) => {
                    match publish.delivery {
                        Delivery::AtMostOnce => {}
                        Delivery::AtLeastOnce(id) => self.t.send(name, Packet::Puback(Ack::success(id))),
                        Delivery::ExactlyOnce(id) => self.t.send(name, Packet::Pubrec(Ack::success(id))),
                    }
                    if !publish.dup {
                        publish.delivery = delivery(publish.delivery.qos(), 99);
                    }
                }
                Packet::Pubrel(ack) => {
                    let answer = Packet::Pubcomp(ack.clone());
                    self.t.send(name, answer);
                    ack.packet_id = id(99);
                }
                _ => {}
            }
            seen.push(packet);
        }
        seen
    }

    /// The process goes on, and everybody's connection is lost.
    fn lose(&mut self) {
        for client in 0..CLIENTS.len() {
            if self.sits[client] {
                self.leave(client);
            }
        }
    }

    /// The process ends, and another begins.
    fn crash(&mut self) {
        self.t.crash(Duration::ZERO);
        self.sits = [false; CLIENTS.len()];
    }

    /// Everything that can be seen of it: now, and later.
    fn observe(&mut self) -> Vec<Observed> {
        let mut observed = Vec::new();
        for seconds in [0, 5, 20] {
            self.t.wait(Duration::from_secs(seconds));
            let Counts {
                sessions,
                subscriptions,
                ..
            } = self.t.counts();
            for client in 0..CLIENTS.len() {
                observed.push(self.come_back(client, (sessions, subscriptions)));
            }
            self.lose();
        }
        observed
    }

    fn come_back(&mut self, client: usize, before: (usize, usize)) -> Observed {
        let connect = self.connect(client, false, 10, None);
        let session_present = self.sit(client, connect);
        let mut packets = self.answer(client, usize::MAX);
        // Which of the identifiers it used are still in use.
        for packet_id in 1..4 {
            let taken = publish("nobody", "", Delivery::ExactlyOnce(id(packet_id)));
            self.say(client, Packet::Publish(Publish { dup: true, ..taken }));
        }
        self.say(client, subscribe("#", SubscriptionOptions::default()));
        packets.extend(self.answer(client, usize::MAX));
        let (wills, packets) = packets.into_iter().partition(is_of_will);
        Observed {
            before,
            session_present,
            packets,
            wills: in_any_order(wills),
        }
    }
}

/// What can be seen of a broker when a client comes back.
#[derive(Debug, PartialEq)]
struct Observed {
    /// Sessions and subscriptions that there were before. What has expired may still be counted.
    before: (usize, usize),
    session_present: bool,
    packets: Vec<Packet>,
    wills: Vec<Packet>,
}

fn is_of_will(packet: &Packet) -> bool {
    let Packet::Publish(publish) = packet else {
        return false;
    };
    publish
        .topic
        .as_ref()
        .is_some_and(|topic| topic.starts_with("w/"))
}

/// Who lost their connections in the same moment have their Wills published in any order, and to who has not lost his yet.
fn in_any_order(mut wills: Vec<Packet>) -> Vec<Packet> {
    for packet in &mut wills {
        if let Packet::Publish(publish) = packet {
            publish.dup = false;
            publish.delivery = delivery(publish.delivery.qos(), 99);
        }
    }
    wills.sort_by_key(|will| format!("{will:?}"));
    wills
}

#[test]
fn a_broker_that_is_restored_is_to_its_clients_the_one_that_went_on() {
    let mut config = Config {
        rng_seed: RngSeed::Fixed(0x5EED),
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 300;
    }
    let version = prop::sample::select(Version::ALL.to_vec());
    let script = (version, vec(step(), 1..60));
    let held = TestRunner::new(config).run(&script, |(version, steps)| {
        let (mut goes_on, mut restored) = (Play::new(version), Play::new(version));
        for step in &steps {
            goes_on.carry_out(step);
            restored.carry_out(step);
        }
        goes_on.lose();
        restored.crash();
        prop_assert_eq!(goes_on.observe(), restored.observe());
        Ok(())
    });
    if let Err(error) = held {
        panic!("{error}");
    }
}
