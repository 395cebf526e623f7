//! A table at which clients sit by name: what they say goes to the broker, what it answers waits for them to be looked at.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use squall_proto::{
    Ack, ConnId, Connect, Delivery, Disconnect, Instant, Packet, PacketId, PacketRef, Properties, Property,
    Publish, Qos, ReasonCode, Subscribe, SubscriptionOptions, Text, TopicFilter, TopicName, Unsubscribe,
    Version,
    broker::{
        Broker, Close, Counts, Fetch, Fetched, Input, Judgement, Limits, Note, Output, Question, Record,
        Saved, Settings,
    },
};

/// What a client sees next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Packet(Packet),
    Closed(Close),
}

pub(crate) struct Table {
    broker: Broker,
    settings: Settings,
    pub(crate) now: Instant,
    names: BTreeMap<String, ConnId>,
    version: Version,
    pub(crate) out: Sink,
}

#[derive(Default)]
pub(crate) struct Sink {
    seen: BTreeMap<ConnId, VecDeque<Seen>>,
    pub(crate) notes: Vec<Note>,
    pub(crate) unsent: BTreeMap<ConnId, usize>,
    /// What the broker asks its owner.
    questions: VecDeque<(ConnId, Question)>,
    /// What the broker's records come to.
    pub(crate) saved: Saved,
    /// How many there were.
    pub(crate) records: usize,
    /// What a store would have of messages.
    messages: BTreeMap<u64, Fetched>,
    /// What the broker wants of them.
    pub(crate) fetches: VecDeque<Fetch>,
    /// Whether that has to wait until somebody has it answered.
    pub(crate) reads_slowly: bool,
}

impl Output for Sink {
    fn send(&mut self, to: ConnId, _: Version, packet: PacketRef<'_>) {
        self.seen
            .entry(to)
            .or_default()
            .push_back(Seen::Packet(owned(packet)));
    }

    fn close(&mut self, conn: ConnId, close: Close) {
        self.seen.entry(conn).or_default().push_back(Seen::Closed(close));
    }

    fn authenticate(&mut self, conn: ConnId, question: Question) {
        self.questions.push_back((conn, question));
    }

    fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.unsent.get(&conn).copied().unwrap_or_default()
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn persist(&mut self, record: Record<'_>) {
        self.saved.apply(&record);
        self.records += 1;
        keep(&mut self.messages, &record);
    }

    fn can_fetch(&self) -> bool {
        true
    }

    fn fetch(&mut self, fetch: Fetch) {
        self.fetches.push_back(fetch);
    }
}

impl Table {
    pub(crate) fn new(version: Version) -> Self {
        Self::with_limits(version, Limits::default())
    }

    pub(crate) fn with_limits(version: Version, limits: Limits) -> Self {
        Self::with_settings(version, limits.into())
    }

    pub(crate) fn with_settings(version: Version, settings: Settings) -> Self {
        let settings = Self::stowing(settings);
        let broker = Broker::new(settings.clone(), 1);
        Self::of(version, settings, broker)
    }

    /// With a broker that asks who its clients are.
    pub(crate) fn authenticating(version: Version, limits: Limits) -> Self {
        let broker = Broker::authenticating(limits.clone(), 1);
        Self::of(version, limits.into(), broker)
    }

    /// Unless a test says otherwise nothing waits in memory alone: all of it has to be fetched again.
    fn stowing(mut settings: Settings) -> Settings {
        if settings.limits.queue_in_memory == Limits::default().queue_in_memory {
            settings.limits.queue_in_memory = 0;
        }
        settings
    }

    fn of(version: Version, settings: Settings, broker: Broker) -> Self {
        Self {
            broker,
            settings,
            now: Instant::ZERO,
            names: BTreeMap::new(),
            version,
            out: Sink::default(),
        }
    }

    pub(crate) fn open(&mut self, name: &str) {
        let conn = ConnId(u32::try_from(self.names.len()).unwrap());
        assert!(
            self.names.insert(name.to_owned(), conn).is_none(),
            "{name} sits here already"
        );
        self.handle(Input::Opened(conn));
    }

    /// Connects with a clean session and sees CONNACK.
    pub(crate) fn connect(&mut self, name: &str) {
        let connect = self.clean(name);
        self.connect_as(name, connect);
    }

    /// Connects with this CONNECT and returns Session Present.
    pub(crate) fn connect_as(&mut self, name: &str, connect: Connect) -> bool {
        self.open(name);
        self.send(name, Packet::Connect(Box::new(connect)));
        match self.next(name) {
            Some(Seen::Packet(Packet::Connack(connack))) if connack.reason_code == ReasonCode::Success => {
                connack.session_present
            }
            other => panic!("{name} sees {other:?} in place of a connack"),
        }
    }

    /// CONNECT with a clean session and no keep alive.
    pub(crate) fn clean(&self, client_id: &str) -> Connect {
        Connect {
            version: self.version,
            clean_start: true,
            keep_alive: 0,
            client_id: Text::new(client_id).unwrap(),
            will: None,
            user_name: None,
            password: None,
            properties: Properties::new(),
        }
    }

    /// CONNECT that resumes a session and keeps it for ever.
    pub(crate) fn persistent(&self, client_id: &str) -> Connect {
        let mut connect = Connect {
            clean_start: false,
            ..self.clean(client_id)
        };
        if self.version == Version::V5 {
            connect.properties.push(Property::SessionExpiryInterval(u32::MAX));
        }
        connect
    }

    pub(crate) fn send(&mut self, name: &str, packet: Packet) {
        let conn = self.names[name];
        self.handle(Input::Received(conn, packet));
    }

    pub(crate) fn handle(&mut self, input: Input) {
        self.broker.handle(self.now, input, &mut self.out);
        if !self.out.reads_slowly {
            self.answer_fetches();
        }
    }

    /// What the broker wants of the store comes.
    pub(crate) fn answer_fetches(&mut self) {
        while let Some(fetch) = self.out.fetches.pop_front() {
            let numbers = fetch.messages().iter();
            let found = numbers
                .filter_map(|number| self.out.messages.get(number).cloned())
                .collect();
            let input = Input::Fetched(fetch, found);
            self.broker.handle(self.now, input, &mut self.out);
        }
    }

    /// The store loses its messages.
    pub(crate) fn lose_messages(&mut self) {
        self.out.messages.clear();
    }

    /// What the broker asks about this client next.
    pub(crate) fn question(&mut self, name: &str) -> Option<Question> {
        let conn = self.names[name];
        let at = self.out.questions.iter().position(|(of, _)| *of == conn)?;
        self.out.questions.remove(at).map(|(_, question)| question)
    }

    pub(crate) fn judge(&mut self, name: &str, judgement: Judgement) {
        let conn = self.names[name];
        self.handle(Input::Judged(conn, judgement));
    }

    pub(crate) const fn broker(&self) -> &Broker {
        &self.broker
    }

    pub(crate) fn counts(&self) -> Counts {
        self.broker.counts()
    }

    pub(crate) fn conn(&self, name: &str) -> ConnId {
        self.names[name]
    }

    /// The connection breaks.
    pub(crate) fn cut(&mut self, name: &str) {
        let conn = self.names[name];
        self.handle(Input::Lost(conn));
        self.rename(name);
    }

    /// The client says DISCONNECT, and its connection ends.
    pub(crate) fn disconnect(&mut self, name: &str) {
        self.send(name, Packet::Disconnect(Disconnect::of(ReasonCode::Success)));
        self.expect(name, Seen::Closed(Close::Disconnected));
        self.cut(name);
    }

    /// The broker's process dies, and after a while another begins with what its records came to. Nobody is at the table then.
    pub(crate) fn crash(&mut self, down: Duration) {
        let names: Vec<String> = self
            .names
            .keys()
            .filter(|name| !name.contains(" gone "))
            .cloned()
            .collect();
        for name in names {
            self.rename(&name);
        }
        self.now += down;
        let saved = std::mem::take(&mut self.out.saved);
        self.out.saved = saved.clone();
        self.broker = Broker::new(self.settings.clone(), 2);
        self.out.fetches.clear();
        self.broker.restore(self.now, saved.outlined(), &mut self.out);
        self.answer_fetches();
    }

    /// Frees the name; the place at the table stays taken, so that connections keep their numbers.
    pub(crate) fn rename(&mut self, name: &str) {
        let conn = self.names.remove(name).unwrap();
        self.names.insert(format!("{name} gone {}", conn.0), conn);
    }

    /// Lets time pass, with a tick at every deadline on the way.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.broker.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.handle(Input::Tick);
        }
        self.now = until;
    }

    pub(crate) fn next(&mut self, name: &str) -> Option<Seen> {
        self.out.seen.get_mut(&self.names[name])?.pop_front()
    }

    pub(crate) fn next_packet(&mut self, name: &str) -> Packet {
        match self.next(name) {
            Some(Seen::Packet(packet)) => packet,
            other => panic!("{name} sees {other:?} in place of a packet"),
        }
    }

    pub(crate) fn next_publish(&mut self, name: &str) -> Publish {
        match self.next_packet(name) {
            Packet::Publish(publish) => publish,
            other => panic!("{name} sees {other:?} in place of a publish"),
        }
    }

    pub(crate) fn expect(&mut self, name: &str, wanted: Seen) {
        assert_eq!(self.next(name), Some(wanted), "what {name} sees");
    }

    pub(crate) fn expect_packet(&mut self, name: &str, wanted: Packet) {
        self.expect(name, Seen::Packet(wanted));
    }

    pub(crate) fn expect_nothing(&mut self, name: &str) {
        assert_eq!(self.next(name), None, "what {name} sees");
    }

    /// This packet, with a Reason String where the version has them.
    pub(crate) fn expect_explained(&mut self, name: &str, wanted: Packet) {
        let (packet, why) = unexplained(self.next_packet(name));
        assert_eq!(packet, wanted, "what {name} sees");
        assert_eq!(why.is_some(), self.version == Version::V5, "{why:?}");
    }

    /// DISCONNECT where the version has it, then the close.
    pub(crate) fn expect_refused(&mut self, name: &str, reason_code: ReasonCode) {
        if self.version == Version::V5 {
            self.expect_explained(name, Packet::Disconnect(Disconnect::of(reason_code)));
        }
        self.expect(name, Seen::Closed(Close::Refused(reason_code)));
    }

    pub(crate) fn subscribe(&mut self, name: &str, filter: &str, qos: Qos) {
        self.send(
            name,
            subscribe(
                filter,
                SubscriptionOptions {
                    qos,
                    ..SubscriptionOptions::default()
                },
            ),
        );
        let Packet::Suback(suback) = self.next_packet(name) else {
            panic!("no suback")
        };
        assert_eq!(suback.reason_codes[0].value(), qos.value());
    }

    /// The payloads of the PUBLISH packets that wait, each acknowledged where it asks for it.
    pub(crate) fn take_payloads(&mut self, name: &str) -> Vec<Bytes> {
        let mut payloads = Vec::new();
        while let Some(Seen::Packet(packet)) = self.next(name) {
            match packet {
                Packet::Publish(publish) => {
                    payloads.push(publish.payload);
                    match publish.delivery {
                        Delivery::AtMostOnce => {}
                        Delivery::AtLeastOnce(id) => self.send(name, Packet::Puback(Ack::success(id))),
                        Delivery::ExactlyOnce(id) => self.send(name, Packet::Pubrec(Ack::success(id))),
                    }
                }
                Packet::Pubrel(ack) => self.send(name, Packet::Pubcomp(Ack::success(ack.packet_id))),
                other => panic!("{name} sees {other:?} among publishes"),
            }
        }
        payloads
    }
}

pub(crate) fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub(crate) fn ack(value: u16) -> Ack {
    Ack::success(id(value))
}

pub(crate) fn subscribe(filter: &str, options: SubscriptionOptions) -> Packet {
    let filters = vec![(TopicFilter::new(filter).unwrap(), options)];
    Packet::Subscribe(Subscribe {
        packet_id: id(9),
        filters,
        properties: Properties::new(),
    })
}

pub(crate) fn unsubscribe(filter: &str) -> Packet {
    let filters = vec![TopicFilter::new(filter).unwrap()];
    Packet::Unsubscribe(Unsubscribe {
        packet_id: id(8),
        filters,
        properties: Properties::new(),
    })
}

/// PUBLISH to a topic: the delivery is as the client sends it.
pub(crate) fn publish(topic: &str, payload: &'static str, delivery: Delivery) -> Publish {
    Publish {
        dup: false,
        retain: false,
        delivery,
        topic: Some(TopicName::new(topic).unwrap()),
        payload: Bytes::from_static(payload.as_bytes()),
        properties: Properties::new(),
    }
}

pub(crate) fn delivery(qos: Qos, packet_id: u16) -> Delivery {
    match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce(id(packet_id)),
        Qos::ExactlyOnce => Delivery::ExactlyOnce(id(packet_id)),
    }
}

/// An answer without its Reason String, and that.
pub(crate) fn unexplained(mut packet: Packet) -> (Packet, Option<Text>) {
    let properties = match &mut packet {
        Packet::Connack(connack) => &mut connack.properties,
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            &mut ack.properties
        }
        Packet::Suback(suback) => &mut suback.properties,
        Packet::Unsuback(unsuback) => &mut unsuback.properties,
        Packet::Disconnect(disconnect) => &mut disconnect.properties,
        Packet::Auth(auth) => &mut auth.properties,
        _ => return (packet, None),
    };
    let why = properties.reason_string();
    properties.retain(|property| !matches!(property, Property::ReasonString(_)));
    (packet, why)
}

pub(crate) fn owned(packet: PacketRef<'_>) -> Packet {
    match packet {
        PacketRef::Packet(packet) => packet.clone(),
        PacketRef::Publish(publish) => {
            let alias = publish.topic_alias.map(Property::TopicAlias);
            let expiry = publish
                .message_expiry_interval
                .map(Property::MessageExpiryInterval);
            let ids = publish
                .subscription_identifiers
                .iter()
                .copied()
                .map(Property::SubscriptionIdentifier);
            let properties = alias
                .into_iter()
                .chain(expiry)
                .chain(publish.properties.iter().cloned())
                .chain(ids);
            Packet::Publish(Publish {
                dup: publish.dup,
                retain: publish.retain,
                delivery: publish.delivery,
                topic: publish.topic.cloned(),
                payload: publish.payload.clone(),
                properties: properties.collect(),
            })
        }
    }
}

/// What a store keeps of messages.
fn keep(messages: &mut BTreeMap<u64, Fetched>, record: &Record<'_>) {
    if let Record::Message { message, content } = *record {
        let fetched = Fetched {
            message,
            topic: content.topic.clone(),
            payload: content.payload.clone(),
            properties: content.properties.clone(),
        };
        messages.insert(message, fetched);
    } else if let Record::Forgotten { message } = *record {
        messages.remove(&message);
    }
}
