//! The broker's process dies at each packet of each exchange, with a publisher and a subscriber who keep their sessions, and the next
//! one begins with what the records came to.

use std::collections::VecDeque;

use bytes::Bytes;
use squall_proto::{
    ConnId, Instant, Packet, PacketRef, Qos, Text, TopicFilter, TopicName, Version,
    broker::{self, Broker, Close, Limits, Note, Record, Saved},
    client::{self, Client, Event, Options, Subscription, Ticket},
};

use crate::table::owned;

/// What is published, in order.
const MESSAGES: [(Qos, &str); 5] = [
    (Qos::ExactlyOnce, "1"),
    (Qos::AtLeastOnce, "2"),
    (Qos::ExactlyOnce, "3"),
    (Qos::ExactlyOnce, "4"),
    (Qos::AtLeastOnce, "5"),
];

/// What the broker sends for them: four packets for each of QoS 2, two for each of QoS 1.
const PACKETS: usize = 16;

/// When the process dies.
#[derive(Clone, Copy, Debug)]
struct Death {
    /// So many packets leave before it.
    packets: usize,
    disk: Disk,
}

/// What is on the disk when no packet of an input has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    /// The records of that input.
    All,
    /// Those of the inputs before.
    BeforeInput,
    /// Those that a packet depended on which has left.
    BeforePacket,
}

const NEVER: Death = Death {
    packets: usize::MAX,
    disk: Disk::All,
};

/// What the broker puts out for one input: nothing of it leaves before its records are on the disk.
#[derive(Default)]
struct Out {
    sent: Vec<(ConnId, Packet)>,
    saved: Saved,
}

impl broker::Output for Out {
    fn send(&mut self, to: ConnId, _: Version, packet: PacketRef<'_>) {
        self.sent.push((to, owned(packet)));
    }

    fn close(&mut self, conn: ConnId, close: Close) {
        panic!("{conn} was closed: {close:?}");
    }

    fn unsent_bytes(&self, _: ConnId) -> usize {
        0
    }

    fn note(&mut self, _: Note) {}

    fn persist(&mut self, record: Record<'_>) {
        self.saved.apply(&record);
    }
}

/// What a client was told, and what it has sent that the broker has not had.
struct Told {
    conn: ConnId,
    came: Vec<(Qos, String)>,
    published: usize,
    session_present: bool,
    sent: VecDeque<(ConnId, Packet)>,
}

impl client::Output for Told {
    fn send(&mut self, packet: PacketRef<'_>) {
        self.sent.push_back((self.conn, owned(packet)));
    }

    fn close(&mut self) {
        panic!("the client has nothing to complain about");
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Message { message, .. } => {
                let payload = String::from_utf8(message.payload.to_vec()).unwrap();
                self.came.push((message.qos, payload));
            }
            Event::Published { result, .. } => {
                assert!(result.is_ok(), "{result:?}");
                self.published += 1;
            }
            Event::Connected { session_present, .. } => self.session_present = session_present,
            Event::Subscribed { .. } | Event::Disconnected(_) => {}
            other => panic!("{other:?} is not expected"),
        }
    }
}

/// The broker, its disk, and two clients: the first publishes, the second is subscribed.
struct World {
    broker: Broker,
    out: Out,
    /// What is on the disk if no packet of the next input leaves, at the least and at the most.
    needed: Saved,
    before: Saved,
    clients: [(Client, Told); 2],
    conns: u32,
    seen: Vec<Bytes>,
}

impl World {
    fn new(version: Version) -> Self {
        let client = |client_id| {
            let mut options = Options::persistent(version, Text::new(client_id).unwrap());
            options.inflight = 2;
            let told = Told {
                conn: ConnId(0),
                came: Vec::new(),
                published: 0,
                session_present: false,
                sent: VecDeque::new(),
            };
            (Client::new(options).unwrap(), told)
        };
        let mut world = Self {
            broker: Broker::new(Limits::default(), 1),
            out: Out::default(),
            needed: Saved::new(),
            before: Saved::new(),
            clients: ["pub", "sub"].map(client),
            conns: 0,
            seen: Vec::new(),
        };
        world.connect();
        world.tell(
            1,
            client::Input::Subscribe(
                Ticket(0),
                Subscription::new(TopicFilter::new("t").unwrap(), Qos::ExactlyOnce),
            ),
        );
        assert!(!world.live(&mut NEVER.clone()), "nobody dies yet");
        world
    }

    fn tell(&mut self, nth: usize, input: client::Input) {
        let (client, told) = &mut self.clients[nth];
        client.handle(Instant::ZERO, input, told);
    }

    fn connect(&mut self) {
        for nth in 0..2 {
            let conn = ConnId(self.conns);
            self.conns += 1;
            self.clients[nth].1.conn = conn;
            self.broker
                .handle(Instant::ZERO, broker::Input::Opened(conn), &mut self.out);
            self.tell(nth, client::Input::Opened);
        }
    }

    fn publish(&mut self) {
        for (ticket, (qos, payload)) in (1..).zip(MESSAGES) {
            let (topic, payload) = (
                TopicName::new("t").unwrap(),
                Bytes::from_static(payload.as_bytes()),
            );
            let message = client::Message::new(topic, payload, qos);
            self.tell(0, client::Input::Publish(Ticket(ticket), message));
        }
    }

    /// Goes on until nobody has anything to say, or the broker dies; whether it does.
    fn live(&mut self, death: &mut Death) -> bool {
        while let Some((conn, packet)) = self
            .clients
            .iter_mut()
            .find_map(|(_, told)| told.sent.pop_front())
        {
            self.before = self.out.saved.clone();
            self.broker.handle(
                Instant::ZERO,
                broker::Input::Received(conn, packet),
                &mut self.out,
            );
            for (nth, (to, packet)) in std::mem::take(&mut self.out.sent).into_iter().enumerate() {
                if death.packets == 0 {
                    self.die(death.disk, nth > 0);
                    return true;
                }
                death.packets -= 1;
                self.needed = self.out.saved.clone();
                self.arrives(to, packet);
            }
        }
        false
    }

    fn arrives(&mut self, to: ConnId, packet: Packet) {
        // What the publisher sent twice at QoS 1 is another message.
        if let Packet::Publish(publish) = &packet
            && publish.delivery.qos() == Qos::ExactlyOnce
        {
            let again = self.seen.contains(&publish.payload);
            assert!(publish.dup || !again, "[MQTT-3.3.1-1] what is sent again says so");
            self.seen.push(publish.payload.clone());
        }
        let nth = usize::from(self.clients[1].1.conn == to);
        self.tell(nth, client::Input::Received(packet));
    }

    fn die(&mut self, disk: Disk, has_sent: bool) {
        let on_disk = match disk {
            Disk::BeforeInput if !has_sent => &self.before,
            Disk::BeforePacket if !has_sent => &self.needed,
            Disk::All | Disk::BeforeInput | Disk::BeforePacket => &self.out.saved,
        };
        let on_disk = on_disk.clone();
        self.needed = on_disk.clone();
        self.out = Out {
            saved: on_disk,
            ..Out::default()
        };
        self.broker = Broker::new(Limits::default(), 1);
        self.broker
            .restore(Instant::ZERO, self.needed.clone(), &mut self.out);
        for nth in 0..2 {
            self.tell(nth, client::Input::Lost);
            self.clients[nth].1.sent.clear();
        }
        self.connect();
    }

    fn came(&self, qos: Qos) -> Vec<&str> {
        let came = self.clients[1].1.came.iter();
        came.filter(|(of, _)| *of == qos)
            .map(|(_, payload)| &**payload)
            .collect()
    }
}

/// Runs with these deaths and a life after them; says how many came about.
fn run(version: Version, deaths: [Death; 2]) -> usize {
    let mut world = World::new(version);
    world.publish();
    let mut died = 0;
    for mut death in deaths.into_iter().chain([NEVER]) {
        if !world.live(&mut death) {
            break;
        }
        died += 1;
    }
    let what = format!("{version:?} {deaths:?}");
    assert_eq!(world.came(Qos::ExactlyOnce), ["1", "3", "4"], "{what}");
    let mut at_least_once = Vec::new();
    for payload in world.came(Qos::AtLeastOnce) {
        if !at_least_once.contains(&payload) {
            at_least_once.push(payload);
        }
    }
    assert_eq!(at_least_once, ["2", "5"], "{what}");
    for (client, told) in &world.clients {
        assert!(client.is_idle() && told.session_present == (died > 0), "{what}");
    }
    assert_eq!(world.clients[0].1.published, MESSAGES.len(), "{what}");
    assert_eq!(world.broker.counts().unfinished_messages, 0, "{what}");
    let saved = &world.out.saved;
    assert_eq!(
        (
            saved.session_count(),
            saved.delivery_count(),
            saved.message_count()
        ),
        (2, 0, 0),
        "{what}"
    );
    died
}

/// [MQTT-3.1.2-23] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.4.0-1]
/// [v3 MQTT-4.1.0-1] [v3 MQTT-4.3.2-2] [v3 MQTT-4.3.3-2] [v3 MQTT-4.4.0-1]
#[test]
fn a_broker_that_dies_at_any_packet_is_followed_by_one_that_loses_nothing_and_doubles_nothing() {
    for version in Version::ALL {
        let deaths =
            |packets| [Disk::All, Disk::BeforeInput, Disk::BeforePacket].map(|disk| Death { packets, disk });
        let all: Vec<_> = (0..PACKETS).flat_map(deaths).collect();
        for first in &all {
            assert_eq!(run(version, [*first, NEVER]), 1, "{first:?}");
            for second in &all {
                run(version, [*first, *second]);
            }
        }
        assert_eq!(run(version, [NEVER; 2]), 0);
    }
}
