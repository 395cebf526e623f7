//! The owner of the connections: carries out a script, and shows the model what comes of it.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use bytes::BytesMut;
use squall_proto::{
    Ack, ConnId, Decoder, Delivery, Instant, Packet, PacketRef, ReasonCode, Text, Version,
    broker::{Administration, Broker, Close, Fetch, Fetched, Input, Limits, Note, Output, Record},
    encode,
};

use super::{
    model::{Heard, Model},
    script::{Step, Unsent, World},
};
use crate::{Play, values};

pub(crate) struct Owner {
    broker: Broker,
    model: Model,
    limits: Limits,
    now: Instant,
    wires: Wires,
}

#[derive(Default)]
struct Wires {
    open: BTreeMap<ConnId, Wire>,
    /// What the broker did in answer to one input.
    did: Vec<(ConnId, Did)>,
    said: Vec<Line>,
    /// What a store would have of messages.
    kept: BTreeMap<u64, Fetched>,
    /// What the broker wants of them.
    fetches: Vec<Fetch>,
}

struct Wire {
    decoder: Decoder,
    version: Version,
    unsent: usize,
    closing: bool,
    /// What the client has to answer.
    unanswered: Vec<Packet>,
}

enum Did {
    Sent(Packet, usize),
    Closed(Close),
}

/// A line of the transcript.
struct Line(Instant, String);

impl Output for Wires {
    fn send(&mut self, to: ConnId, version: Version, packet: PacketRef<'_>) {
        let mut bytes = BytesMut::new();
        encode(version, packet, &mut bytes);
        let size = bytes.len();
        let decoded = Decoder::with_version(version, u32::MAX).decode(&mut bytes);
        let packet = decoded.unwrap().expect("a whole packet");
        self.did.push((to, Did::Sent(packet, size)));
    }

    fn close(&mut self, conn: ConnId, close: Close) {
        self.did.push((conn, Did::Closed(close)));
    }

    fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.open.get(&conn).map_or(0, |wire| wire.unsent)
    }

    fn note(&mut self, _: Note) {}

    fn persist(&mut self, record: Record<'_>) {
        if let Record::Message { message, content } = record {
            let fetched = Fetched {
                message,
                topic: content.topic.clone(),
                payload: content.payload.clone(),
                properties: content.properties.clone(),
            };
            self.kept.insert(message, fetched);
        } else if let Record::Forgotten { message } = record {
            self.kept.remove(&message).expect("it is forgotten once");
        }
    }

    fn can_fetch(&self) -> bool {
        true
    }

    fn fetch(&mut self, fetch: Fetch) {
        self.fetches.push(fetch);
    }
}

impl Play for Owner {
    type Step = Step;

    fn play(&mut self, step: &Step) -> Result<(), String> {
        // No two inputs at one moment: what comes first is then never in doubt.
        self.now += Duration::from_micros(1);
        match step {
            Step::Say(slot, packet) => self.say(conn(*slot), packet),
            Step::Answer(slot, nth, code) => self.answer(conn(*slot), *nth, *code),
            Step::Bytes(slot, hex) => self.bytes(conn(*slot), hex),
            Step::Lose(slot) => self.lose(conn(*slot)),
            Step::Unsent(slot, unsent) => self.unsent(conn(*slot), *unsent),
            Step::Wait(duration) => self.wait(*duration),
            Step::Kick(client_id) => {
                self.say_line(&format!("kick {client_id}"));
                self.model.kick(self.now, client_id);
                self.administer(Administration::Kick, client_id)
            }
            Step::EndSession(client_id) => {
                self.say_line(&format!("end session {client_id}"));
                self.model.end_session(self.now, client_id);
                self.administer(Administration::EndSession, client_id)
            }
            Step::Shutdown => {
                self.say_line("shutdown");
                self.model.shutdown(self.now);
                self.handle(Input::Shutdown)
            }
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        let open: Vec<ConnId> = self.wires.open.keys().copied().collect();
        for conn in open {
            self.now += Duration::from_micros(1);
            self.lose(conn)?;
        }
        self.wait(Duration::from_secs(1000))
    }

    fn transcript(&self) -> String {
        self.wires
            .said
            .iter()
            .fold(String::new(), |mut text, Line(at, line)| {
                let _ = writeln!(text, "{at} {line}");
                text
            })
    }
}

impl Owner {
    pub(crate) fn new(world: World) -> Self {
        let limits = world.limits();
        Self {
            broker: Broker::new(limits.clone(), 1),
            model: Model::new(limits.clone()),
            limits,
            now: Instant::ZERO,
            wires: Wires::default(),
        }
    }

    /// Opens the connection if it is not; one that the broker has closed only for CONNECT.
    fn open(&mut self, conn: ConnId, again: bool) -> Result<(), String> {
        if let Some(wire) = self.wires.open.get(&conn) {
            if !(again && wire.closing) {
                return Ok(());
            }
            self.lose(conn)?;
        }
        let wire = Wire {
            decoder: Decoder::new(self.limits.packet_size),
            version: Version::V5,
            unsent: 0,
            closing: false,
            unanswered: Vec::new(),
        };
        self.wires.open.insert(conn, wire);
        self.model.opened(self.now, conn);
        self.handle(Input::Opened(conn))
    }

    fn say(&mut self, conn: ConnId, packet: &Packet) -> Result<(), String> {
        self.open(conn, matches!(packet, Packet::Connect(_)))?;
        let wire = self.wire(conn);
        if let (Packet::Connect(connect), None) = (packet, wire.decoder.version()) {
            wire.version = connect.version;
        }
        let mut bytes = BytesMut::new();
        encode(wire.version, packet.into(), &mut bytes);
        self.say_line(&format!("{conn}: {}", values::line(packet)));
        self.hear(conn, bytes)
    }

    fn bytes(&mut self, conn: ConnId, hex: &str) -> Result<(), String> {
        self.open(conn, false)?;
        self.say_line(&format!("{conn}: bytes {hex}"));
        let bytes = hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap());
        self.hear(conn, bytes.collect())
    }

    fn hear(&mut self, conn: ConnId, mut bytes: BytesMut) -> Result<(), String> {
        match self.wire(conn).decoder.decode(&mut bytes) {
            Ok(None) => Err(format!("{conn} said half a packet")),
            Ok(Some(packet)) => {
                self.model.heard(self.now, conn, &Heard::Packet(&packet));
                self.handle(Input::Received(conn, packet))
            }
            Err(error) => {
                self.model.heard(self.now, conn, &Heard::Malformed(error));
                self.handle(Input::Malformed(conn, error))
            }
        }
    }

    fn answer(&mut self, conn: ConnId, nth: usize, code: ReasonCode) -> Result<(), String> {
        let Some(wire) = self.wires.open.get_mut(&conn) else {
            return Ok(());
        };
        let unanswered = wire.unanswered.len();
        if unanswered == 0 {
            return Ok(());
        }
        let answer = match wire.unanswered.remove(nth % unanswered) {
            Packet::Publish(publish) => match publish.delivery {
                Delivery::AtMostOnce => return Ok(()),
                Delivery::AtLeastOnce(packet_id) => Packet::Puback(Ack::of(packet_id, code)),
                Delivery::ExactlyOnce(packet_id) => Packet::Pubrec(Ack::of(packet_id, code)),
            },
            Packet::Pubrel(ack) => Packet::Pubcomp(Ack::success(ack.packet_id)),
            other => unreachable!("{other:?} asks for no answer"),
        };
        self.say(conn, &answer)
    }

    fn lose(&mut self, conn: ConnId) -> Result<(), String> {
        if self.wires.open.remove(&conn).is_none() {
            return Ok(());
        }
        self.say_line(&format!("{conn}: lost"));
        self.model.lost(self.now, conn);
        self.handle(Input::Lost(conn))
    }

    fn unsent(&mut self, conn: ConnId, unsent: Unsent) -> Result<(), String> {
        let limits = &self.limits;
        let bytes = match unsent {
            Unsent::Nothing => 0,
            Unsent::Much => limits.unsent_bytes_soft + 1,
            Unsent::TooMuch => limits.unsent_bytes + 1,
        };
        let Some(wire) = self.wires.open.get_mut(&conn) else {
            return Ok(());
        };
        wire.unsent = bytes;
        self.say_line(&format!("{conn}: unsent {unsent:?}"));
        self.model.unsent(self.now, conn, unsent);
        if bytes > 0 {
            return Ok(());
        }
        self.handle(Input::Flushed(conn))
    }

    /// Lets time pass, with a tick at each deadline of the broker or of the model on the way.
    fn wait(&mut self, duration: Duration) -> Result<(), String> {
        let until = self.now + duration;
        loop {
            let broker = self.broker.next_deadline();
            let next = [broker, self.model.next_deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            if broker.is_none_or(|at| at > self.now) {
                return Err(format!("the next deadline is {}, not {broker:?}", self.now));
            }
            self.model.tick(self.now);
            self.handle(Input::Tick)?;
            if self.broker.next_deadline().is_some_and(|at| at <= self.now) {
                return Err("a tick leaves something due".into());
            }
        }
        self.now = until;
        Ok(())
    }

    /// The model knows of the input already; what the broker makes of it is shown to the model.
    fn handle(&mut self, input: Input) -> Result<(), String> {
        self.broker.handle(self.now, input, &mut self.wires);
        self.answer_fetches()?;
        for (conn, did) in std::mem::take(&mut self.wires.did) {
            match did {
                Did::Sent(packet, size) => {
                    self.say_line(&format!("     -> {conn}: {}", values::line(&packet)));
                    self.model.sent(conn, &packet, size)?;
                    if matches!(packet, Packet::Publish(_) | Packet::Pubrel(_)) {
                        self.wire(conn).unanswered.push(packet);
                    }
                }
                Did::Closed(close) => {
                    self.say_line(&format!("     -> {conn}: {close:?}"));
                    self.model.closed(conn, close)?;
                    self.wire(conn).closing = true;
                }
            }
        }
        self.model.settle()
    }

    /// The store has all that waits for anybody.
    fn answer_fetches(&mut self) -> Result<(), String> {
        while let Some(fetch) = self.wires.fetches.pop() {
            let numbers = fetch.messages().iter();
            let found: Vec<Fetched> = numbers
                .filter_map(|number| self.wires.kept.get(number).cloned())
                .collect();
            if found.is_empty() || found.len() < fetch.messages().len() {
                return Err(format!("{fetch:?} is not all on record"));
            }
            self.broker
                .handle(self.now, Input::Fetched(fetch, found), &mut self.wires);
        }
        Ok(())
    }

    fn administer(&mut self, what: fn(Text) -> Administration, client_id: &str) -> Result<(), String> {
        let client_id = Text::new(client_id).unwrap();
        self.handle(Input::Administer(what(client_id)))
    }

    fn wire(&mut self, conn: ConnId) -> &mut Wire {
        self.wires.open.get_mut(&conn).expect("the connection is open")
    }

    fn say_line(&mut self, line: &str) {
        self.wires.said.push(Line(self.now, line.to_owned()));
    }
}

fn conn(slot: usize) -> ConnId {
    ConnId(u32::try_from(slot).unwrap())
}
