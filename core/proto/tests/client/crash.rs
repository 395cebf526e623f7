//! The process dies at each packet of each exchange, and the next one begins with what the records came to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use squall_proto::{
    Ack, Delivery, Instant, Packet, PacketId, PacketRef, Properties, Qos, ReasonCode, Version,
    client::{Acknowledge, Client, Event, Input, Options, Output, Receipt, Record, Saved, Ticket},
};

use crate::rig::{connack, id, incoming, message, text};

const PAYLOADS: [&str; 3] = ["from server 1", "from server 2", "from server 3"];

/// A server that keeps its session and its word.
struct Server {
    has_session: bool,
    /// QoS 2 messages that came whose PUBREL has not, and every Packet Identifier that is in use.
    unreleased: BTreeSet<PacketId>,
    came: Vec<(Qos, String)>,
    /// Its own QoS 2 messages: without PUBREC, or with.
    outbound: BTreeMap<PacketId, (&'static str, bool)>,
}

impl Server {
    fn new() -> Self {
        let outbound = (1..).map(id).zip(PAYLOADS.map(|payload| (payload, false)));
        Self {
            has_session: false,
            unreleased: BTreeSet::new(),
            came: Vec::new(),
            outbound: outbound.collect(),
        }
    }

    fn connect(&mut self) -> Vec<Packet> {
        let first = !std::mem::replace(&mut self.has_session, true);
        let accepted = connack(!first, ReasonCode::Success, Properties::new());
        let again = self.outbound.iter().map(|(&packet_id, &(payload, received))| {
            if received {
                return Packet::Pubrel(Ack::success(packet_id));
            }
            let mut publish = incoming(Delivery::ExactlyOnce(packet_id), payload);
            publish.dup = !first;
            Packet::Publish(publish)
        });
        [accepted].into_iter().chain(again).collect()
    }

    fn answer(&mut self, packet: &Packet) -> Vec<Packet> {
        match packet {
            Packet::Connect(connect) => {
                assert!(!connect.clean_start, "a kept session is taken up");
                self.connect()
            }
            Packet::Publish(publish) => {
                let payload = String::from_utf8(publish.payload.to_vec()).expect("text");
                match publish.delivery {
                    Delivery::AtMostOnce => Vec::new(),
                    Delivery::AtLeastOnce(packet_id) => {
                        self.came.push((Qos::AtLeastOnce, payload));
                        vec![Packet::Puback(Ack::success(packet_id))]
                    }
                    Delivery::ExactlyOnce(packet_id) => {
                        if self.unreleased.insert(packet_id) {
                            self.came.push((Qos::ExactlyOnce, payload));
                        } else {
                            assert!(publish.dup, "[MQTT-3.3.1-1] what is sent again says so");
                        }
                        vec![Packet::Pubrec(Ack::success(packet_id))]
                    }
                }
            }
            Packet::Pubrel(ack) => {
                self.unreleased.remove(&ack.packet_id);
                vec![Packet::Pubcomp(Ack::success(ack.packet_id))]
            }
            Packet::Pubrec(ack) => {
                self.outbound.get_mut(&ack.packet_id).expect("its own").1 = true;
                vec![Packet::Pubrel(Ack::success(ack.packet_id))]
            }
            Packet::Pubcomp(ack) => {
                self.outbound.remove(&ack.packet_id);
                Vec::new()
            }
            Packet::Connack(_)
            | Packet::Puback(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => panic!("not expected of this client: {packet:?}"),
        }
    }
}

/// When the process dies.
#[derive(Clone, Copy, Debug)]
struct Death {
    /// So many packets leave before it.
    packets: usize,
    /// Whether what it had recorded for the next packet is on the disk by then.
    recorded: bool,
}

/// CONNECT, two packets of each QoS 2 message in either direction, one of each QoS 1 message.
const PACKETS: usize = 15;
const NONE: Death = Death {
    packets: PACKETS,
    recorded: false,
};

/// What a client put out until it died, in order.
struct Life<'a> {
    left: Option<Death>,
    dead: bool,
    saved: &'a mut Saved,
    /// Records and events that no packet has followed yet.
    pending: Vec<(Option<Saved>, Option<String>)>,
    told: &'a mut Vec<String>,
    wire: VecDeque<Packet>,
}

impl Life<'_> {
    fn settle(&mut self) {
        for (saved, told) in self.pending.drain(..) {
            if let Some(saved) = saved {
                *self.saved = saved;
            }
            self.told.extend(told);
        }
    }

    fn latest(&self) -> Saved {
        let last = self.pending.iter().rev().find_map(|(saved, _)| saved.clone());
        last.unwrap_or_else(|| self.saved.clone())
    }
}

impl Output for Life<'_> {
    fn send(&mut self, packet: PacketRef<'_>) {
        let PacketRef::Packet(packet) = packet else {
            panic!("the client sends whole packets")
        };
        if self.dead {
            return;
        }
        match &mut self.left {
            Some(Death { packets: 0, recorded }) => {
                self.dead = true;
                if *recorded {
                    self.settle();
                }
                self.pending.clear();
            }
            Some(Death { packets, .. }) => {
                *packets -= 1;
                self.settle();
                self.wire.push_back(packet.clone());
            }
            None => {
                self.settle();
                self.wire.push_back(packet.clone());
            }
        }
    }

    fn close(&mut self) {}

    fn event(&mut self, event: Event) {
        if let Event::Message { message, .. } = event
            && !self.dead
        {
            let payload = String::from_utf8(message.payload.to_vec()).expect("text");
            self.pending.push((None, Some(payload)));
        }
    }

    fn persist(&mut self, record: Record<'_>) {
        if !self.dead {
            let mut saved = self.latest();
            saved.apply(&record);
            self.pending.push((Some(saved), None));
        }
    }
}

/// One process against the server, until it has nothing to do or dies; says whether it died.
fn live(client: &mut Client, server: &mut Server, life: &mut Life<'_>, inputs: Vec<Input>) -> bool {
    for input in [Input::Opened].into_iter().chain(inputs) {
        client.handle(Instant::ZERO, input, life);
    }
    while let Some(packet) = life.wire.pop_front() {
        for answer in server.answer(&packet) {
            if !life.dead {
                client.handle(Instant::ZERO, Input::Received(answer), life);
            }
        }
    }
    if !life.dead {
        life.settle();
    }
    life.dead
}

fn publishes() -> Vec<Input> {
    let qos = [
        Qos::ExactlyOnce,
        Qos::AtLeastOnce,
        Qos::ExactlyOnce,
        Qos::ExactlyOnce,
        Qos::AtLeastOnce,
    ];
    let publish = |(n, qos)| Input::Publish(Ticket(n), message(n, qos));
    (1..).zip(qos).map(publish).collect()
}

/// Runs with these deaths and a life after them; says how many came about.
fn run(version: Version, deaths: [Death; 2]) -> usize {
    let mut options = Options::persistent(version, text("c"));
    options.inflight = 2;
    options.adopt_session = true;
    let (mut server, mut saved, mut told) = (Server::new(), Saved::new(), Vec::new());
    let mut died = 0;
    for left in deaths.map(Some).into_iter().chain([None]) {
        let mut client = Client::restore(options.clone(), saved.clone(), Instant::ZERO).expect("its own");
        // What an application asked for, but was never recorded, it asks for again.
        let inputs = if saved.message_count() == 0 && server.came.is_empty() {
            publishes()
        } else {
            Vec::new()
        };
        let (pending, wire) = (Vec::new(), VecDeque::new());
        let mut life = Life {
            left,
            dead: false,
            saved: &mut saved,
            pending,
            told: &mut told,
            wire,
        };
        let dead = live(&mut client, &mut server, &mut life, inputs);
        died += usize::from(dead);
        assert!(dead || client.is_idle(), "{version:?} {deaths:?}: {saved:?}");
    }
    assert_eq!(told, PAYLOADS, "{version:?} {deaths:?}");
    let of = |qos| {
        server
            .came
            .iter()
            .filter(move |(of, _)| *of == qos)
            .map(|(_, payload)| &**payload)
    };
    assert_eq!(
        of(Qos::ExactlyOnce).collect::<Vec<_>>(),
        ["1", "3", "4"],
        "{version:?} {deaths:?}"
    );
    let mut at_least_once: Vec<_> = of(Qos::AtLeastOnce).collect();
    at_least_once.dedup();
    assert_eq!(at_least_once, ["2", "5"], "{version:?} {deaths:?}");
    assert!(
        server.outbound.is_empty() && server.unreleased.is_empty(),
        "{version:?} {deaths:?}"
    );
    died
}

/// [MQTT-4.1.0-1] [MQTT-4.4.0-1] [MQTT-4.3.3-6] [MQTT-4.3.3-10] [v3 MQTT-4.1.0-1] [v3 MQTT-4.4.0-1]
#[test]
fn a_process_that_dies_at_any_packet_is_followed_by_one_that_delivers_exactly_once() {
    for version in Version::ALL {
        let deaths = |packets| [false, true].map(|recorded| Death { packets, recorded });
        let all: Vec<_> = (0..PACKETS).flat_map(deaths).collect();
        for first in &all {
            assert_ne!(run(version, [*first, NONE]), 0, "{first:?}");
            for second in &all {
                run(version, [*first, *second]);
            }
        }
        assert_eq!(run(version, [NONE, NONE]), 0);
    }
}

/// [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] The server sends it again, because its PUBREC never left.
#[test]
fn what_an_application_took_after_its_connection_was_lost_is_not_handed_over_by_the_next_process() {
    for version in Version::ALL {
        let mut options = Options::persistent(version, text("c"));
        options.acknowledge = Acknowledge::Manual;
        options.adopt_session = true;
        let mut process = Process::new(&options, Saved::new());
        let receipt = process.gets(false).expect("it is a new message");
        process.handle(Input::Lost);
        process.handle(Input::Acknowledge(receipt, Ok(())));
        let mut next = Process::new(&options, process.saved);
        assert_eq!(next.gets(true), None, "{version:?}");
    }
}

/// A client with what it has recorded, and whose messages wait for an answer.
struct Process {
    client: Client,
    saved: Saved,
    receipts: Vec<Receipt>,
}

impl Process {
    fn new(options: &Options, saved: Saved) -> Self {
        Self {
            client: Client::restore(options.clone(), saved.clone(), Instant::ZERO).expect("its own"),
            saved,
            receipts: Vec::new(),
        }
    }

    fn handle(&mut self, input: Input) {
        let Self {
            client,
            saved,
            receipts,
        } = self;
        client.handle(Instant::ZERO, input, &mut Kept { saved, receipts });
    }

    /// Connects, and gets a QoS 2 message: for the application, if it is new.
    fn gets(&mut self, again: bool) -> Option<Receipt> {
        let mut publish = incoming(Delivery::ExactlyOnce(id(1)), "x");
        publish.dup = again;
        self.handle(Input::Opened);
        self.handle(Input::Received(connack(
            again,
            ReasonCode::Success,
            Properties::new(),
        )));
        self.handle(Input::Received(Packet::Publish(publish)));
        self.receipts.pop()
    }
}

/// Where its records and receipts go.
struct Kept<'a> {
    saved: &'a mut Saved,
    receipts: &'a mut Vec<Receipt>,
}

impl Output for Kept<'_> {
    fn send(&mut self, _: PacketRef<'_>) {}

    fn close(&mut self) {}

    fn event(&mut self, event: Event) {
        if let Event::Message { receipt, .. } = event {
            self.receipts.extend(receipt);
        }
    }

    fn persist(&mut self, record: Record<'_>) {
        self.saved.apply(&record);
    }
}
