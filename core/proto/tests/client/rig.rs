use std::{collections::VecDeque, time::Duration};

use squall_proto::{
    Ack, Binary, Connack, Delivery, Instant, Packet, PacketId, PacketRef, Properties, Property, Publish, Qos,
    ReasonCode, Suback, Text, TopicFilter, TopicName, Version,
    client::{
        Authenticate, Client, Distrust, Event, Input, Message, Misuse, Options, Output, Subscription, Ticket,
        Unsubscription, Why,
    },
};

/// A client, and everything it put out that no test has taken yet.
pub(crate) struct Rig {
    client: Client,
    now: Instant,
    out: Out,
}

#[derive(Default)]
struct Out {
    sent: VecDeque<Packet>,
    events: VecDeque<Event>,
    closed: bool,
    /// What the application was asked for its authentication, and what it answers to it.
    asked: VecDeque<Authenticate>,
    answers: VecDeque<Result<Option<Binary>, Distrust>>,
}

impl Output for Out {
    fn send(&mut self, packet: PacketRef<'_>) {
        assert!(!self.closed, "{packet:?} was sent after the close");
        match packet {
            PacketRef::Packet(packet) => self.sent.push_back(packet.clone()),
            PacketRef::Publish(parts) => panic!("the client sends whole packets, not {parts:?}"),
        }
    }

    fn close(&mut self) {
        self.closed = true;
    }

    fn authenticate(&mut self, asked: Authenticate) -> Result<Option<Binary>, Distrust> {
        self.asked.push_back(asked);
        self.answers
            .pop_front()
            .expect("the client asks no more than it was to")
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }
}

impl Rig {
    pub(crate) fn new(options: Options) -> Self {
        Self::of(Client::new(options).expect("options that make sense"))
    }

    pub(crate) fn of(client: Client) -> Self {
        Self {
            client,
            now: Instant::ZERO,
            out: Out::default(),
        }
    }

    /// A client with a persistent session that is connected for the first time.
    pub(crate) fn persistent(version: Version) -> Self {
        Self::connected(Options::persistent(version, text("c")))
    }

    pub(crate) fn connected(options: Options) -> Self {
        Self::connected_with(options, Properties::new())
    }

    pub(crate) fn connected_with(options: Options, connack: Properties) -> Self {
        let mut rig = Self::new(options);
        rig.connect(false, connack);
        rig
    }

    /// Opens a connection and accepts it.
    pub(crate) fn connect(&mut self, session_present: bool, properties: Properties) -> Packet {
        let connect = self.open();
        self.accept(session_present, properties);
        connect
    }

    pub(crate) fn open(&mut self) -> Packet {
        self.out.closed = false;
        self.handle(Input::Opened);
        self.sent()
    }

    pub(crate) fn accept(&mut self, session_present: bool, properties: Properties) {
        self.receive(connack(session_present, ReasonCode::Success, properties));
        let event = self.event();
        assert!(matches!(event, Event::Connected { session_present: told, .. } if told == session_present));
    }

    /// The answer to what the client asks next about its authentication.
    pub(crate) fn will_answer(&mut self, answer: Result<Option<Binary>, Distrust>) {
        self.out.answers.push_back(answer);
    }

    /// What the client asked, all of it answered.
    pub(crate) fn asked(&mut self) -> Vec<Authenticate> {
        assert!(
            self.out.answers.is_empty(),
            "the client asked for less than it was to"
        );
        self.out.asked.drain(..).collect()
    }

    pub(crate) fn lose(&mut self) {
        self.handle(Input::Lost);
        assert_eq!(self.event(), Event::Disconnected(Why::Lost));
    }

    pub(crate) fn handle(&mut self, input: Input) {
        self.client.handle(self.now, input, &mut self.out);
    }

    pub(crate) fn receive(&mut self, packet: Packet) {
        self.handle(Input::Received(packet));
    }

    pub(crate) fn publish(&mut self, ticket: u64, qos: Qos) {
        self.handle(Input::Publish(Ticket(ticket), message(ticket, qos)));
    }

    pub(crate) fn subscribe(&mut self, ticket: u64, filter: &str, qos: Qos) {
        let subscription = Subscription::new(self::filter(filter), qos);
        self.handle(Input::Subscribe(Ticket(ticket), subscription));
    }

    pub(crate) fn unsubscribe(&mut self, ticket: u64, filter: &str) {
        let unsubscription = Unsubscription::new(self::filter(filter));
        self.handle(Input::Unsubscribe(Ticket(ticket), unsubscription));
    }

    /// Time passes, and the deadlines in it come.
    pub(crate) fn wait(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(deadline) = self.client.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.handle(Input::Tick { reading: true });
        }
        self.now = until;
    }

    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The next packet that was sent.
    pub(crate) fn sent(&mut self) -> Packet {
        self.out.sent.pop_front().expect("a packet was sent")
    }

    pub(crate) fn try_sent(&mut self) -> Option<Packet> {
        self.out.sent.pop_front()
    }

    /// The next packet that was sent, which is a PUBLISH: its parts that differ.
    pub(crate) fn sent_publish(&mut self) -> (Delivery, bool, Vec<u8>) {
        let packet = self.sent();
        let Packet::Publish(publish) = packet else {
            panic!("expected a PUBLISH, got {packet:?}")
        };
        (publish.delivery, publish.dup, publish.payload.to_vec())
    }

    /// Passes over what was sent and told so far, which is something.
    pub(crate) fn discard(&mut self) {
        assert!(!self.out.sent.is_empty() || !self.out.events.is_empty());
        self.out.sent.clear();
        self.out.events.clear();
    }

    pub(crate) fn event(&mut self) -> Event {
        self.out
            .events
            .pop_front()
            .expect("the application was told something")
    }

    pub(crate) fn assert_quiet(&self) {
        assert_eq!(self.out.sent, [], "nothing more was sent");
        assert_eq!(self.out.events, [], "nothing more was told");
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.out.sent.is_empty() && self.out.events.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.out.closed
    }

    pub(crate) fn assert_published(&mut self, ticket: u64, reason_code: ReasonCode) {
        let ticket = Ticket(ticket);
        let result = Ok(reason_code);
        assert_eq!(self.event(), Event::Published { ticket, result });
    }

    pub(crate) fn assert_misused(&mut self, ticket: u64, misuse: Misuse) {
        let ticket = Ticket(ticket);
        let result = Err(misuse.into());
        assert_eq!(self.event(), Event::Published { ticket, result });
    }
}

pub(crate) fn connack(session_present: bool, reason_code: ReasonCode, properties: Properties) -> Packet {
    Packet::Connack(Connack {
        session_present,
        reason_code,
        properties,
    })
}

pub(crate) fn one(property: Property) -> Properties {
    [property].into_iter().collect()
}

pub(crate) fn text(text: &str) -> Text {
    Text::new(text).expect("a legal string")
}

pub(crate) fn topic(topic: &str) -> TopicName {
    TopicName::new(topic).expect("a legal topic name")
}

pub(crate) fn filter(filter: &str) -> TopicFilter {
    TopicFilter::new(filter).expect("a legal topic filter")
}

pub(crate) const fn id(value: u16) -> PacketId {
    PacketId::new(value).expect("not zero")
}

/// The message of a ticket: its payload is the ticket's number.
pub(crate) fn message(ticket: u64, qos: Qos) -> Message {
    Message::new(topic("t"), ticket.to_string().into(), qos)
}

/// A PUBLISH from the server.
pub(crate) fn incoming(delivery: Delivery, payload: &'static str) -> Publish {
    Publish {
        dup: false,
        retain: false,
        delivery,
        topic: Some(topic("t")),
        payload: payload.into(),
        properties: Properties::new(),
    }
}

pub(crate) fn puback(packet_id: PacketId) -> Packet {
    Packet::Puback(Ack::success(packet_id))
}

pub(crate) fn pubrec(packet_id: PacketId) -> Packet {
    Packet::Pubrec(Ack::success(packet_id))
}

pub(crate) fn pubrel(packet_id: PacketId) -> Packet {
    Packet::Pubrel(Ack::success(packet_id))
}

pub(crate) fn pubcomp(packet_id: PacketId) -> Packet {
    Packet::Pubcomp(Ack::success(packet_id))
}

pub(crate) fn suback(packet_id: PacketId, reason_codes: &[ReasonCode]) -> Packet {
    Packet::Suback(Suback {
        packet_id,
        reason_codes: reason_codes.to_vec(),
        properties: Properties::new(),
    })
}

/// An acknowledgement that says in 5.0 that the Packet Identifier is not known, and in 3.1.1 says nothing.
pub(crate) fn not_found(version: Version, packet_id: PacketId) -> Ack {
    match version {
        Version::V3_1_1 => Ack::success(packet_id),
        Version::V5 => Ack::of(packet_id, ReasonCode::PacketIdentifierNotFound),
    }
}
