//! The owner of the connection: carries out a script, and shows the model what comes of it.

use std::{fmt::Write as _, time::Duration};

use bytes::BytesMut;
use squall_proto::{
    Ack, Connack, Decoder, Delivery, Disconnect, Instant, Packet, PacketRef, Properties, ReasonCode, Suback,
    Unsuback, Version,
    client::{Client, Event, Input, Message, Output, Refusal, Ticket},
    encode,
};

use super::{
    model::{Heard, Model},
    script::{Present, Script, Step},
};
use crate::{Play, values};

pub(crate) struct Owner {
    client: Client,
    model: Model,
    now: Instant,
    wire: Wire,
    /// What the server has to answer.
    unanswered: Vec<Packet>,
    tickets: u64,
    is_open: bool,
    is_closing: bool,
    said: Vec<(Instant, String)>,
}

struct Wire {
    version: Version,
    did: Vec<Did>,
}

enum Did {
    Sent(Packet, usize),
    Closed,
    Told(Event),
}

impl Output for Wire {
    fn send(&mut self, packet: PacketRef<'_>) {
        let mut bytes = BytesMut::new();
        encode(self.version, packet, &mut bytes);
        let size = bytes.len();
        let decoded = Decoder::with_version(self.version, u32::MAX).decode(&mut bytes);
        self.did
            .push(Did::Sent(decoded.unwrap().expect("a whole packet"), size));
    }

    fn close(&mut self) {
        self.did.push(Did::Closed);
    }

    fn event(&mut self, event: Event) {
        self.did.push(Did::Told(event));
    }
}

impl Play for Owner {
    type Step = Step;

    fn play(&mut self, step: &Step) -> Result<(), String> {
        // No two inputs at one moment: what comes first is then never in doubt.
        self.now += Duration::from_micros(1);
        self.carry_out(step)?;
        // What a lost session had sent may be overdue by now.
        self.wait(Duration::ZERO)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.now += Duration::from_micros(1);
        self.lose()?;
        self.wait(Duration::from_secs(1000))
    }

    fn transcript(&self) -> String {
        self.said.iter().fold(String::new(), |mut text, (at, line)| {
            let _ = writeln!(text, "{at} {line}");
            text
        })
    }
}

impl Owner {
    fn carry_out(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Open => self.open(),
            Step::Accept(present, properties) => self.accept(*present, properties),
            Step::Publish(message) => self.publish(message),
            Step::Subscribe(subscription) => {
                let ticket = self.ticket(&format!("subscribe {:?}", subscription.filters));
                self.model.subscribe(self.now, ticket, subscription);
                self.handle(Input::Subscribe(ticket, subscription.clone()))
            }
            Step::Unsubscribe(unsubscription) => {
                let ticket = self.ticket(&format!("unsubscribe {:?}", unsubscription.filters));
                self.model.unsubscribe(self.now, ticket, unsubscription);
                self.handle(Input::Unsubscribe(ticket, unsubscription.clone()))
            }
            Step::Acknowledge(nth, verdict) => self.acknowledge(*nth, *verdict),
            Step::Disconnect(code) => {
                self.say_line(format!("app: disconnect {}", values::code(*code)));
                self.model.disconnect(self.now, *code);
                self.handle(Input::Disconnect(Disconnect::of(*code)))
            }
            Step::Answer(nth, code) => self.answer(*nth, *code),
            Step::Say(packet) => self.say(packet),
            Step::Bytes(hex) => {
                self.say_line(format!("server: bytes {hex}"));
                let bytes = hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap());
                self.hear(bytes.collect())
            }
            Step::Lose => self.lose(),
            Step::Wait(duration) => self.wait(*duration),
        }
    }

    pub(crate) fn new(script: &Script) -> Self {
        let options = script.options.clone();
        let wire = Wire {
            version: options.version,
            did: Vec::new(),
        };
        Self {
            client: Client::new(options.clone()).unwrap(),
            model: Model::new(options),
            now: Instant::ZERO,
            wire,
            unanswered: Vec::new(),
            tickets: 0,
            is_open: false,
            is_closing: false,
            said: Vec::new(),
        }
    }

    fn open(&mut self) -> Result<(), String> {
        if self.is_open && !self.is_closing {
            return Ok(());
        }
        self.lose()?;
        self.is_open = true;
        self.say_line("open".into());
        self.model.opened(self.now);
        self.handle(Input::Opened)
    }

    fn lose(&mut self) -> Result<(), String> {
        if !self.is_open {
            return Ok(());
        }
        (self.is_open, self.is_closing) = (false, false);
        self.unanswered.clear();
        self.say_line("lost".into());
        self.model.lost(self.now);
        self.handle(Input::Lost)
    }

    fn accept(&mut self, present: Present, properties: &Properties) -> Result<(), String> {
        let session_present = match present {
            Present::Truly => self.model.server_may_have_session(),
            Present::No => false,
            Present::Yes => true,
        };
        self.say(&Packet::Connack(Connack {
            session_present,
            reason_code: ReasonCode::Success,
            properties: properties.clone(),
        }))
    }

    fn publish(&mut self, message: &Message) -> Result<(), String> {
        let number = self.tickets + 1;
        let mut payload = number.to_string().into_bytes();
        payload.extend_from_slice(&message.payload);
        let message = Message {
            payload: payload.into(),
            ..message.clone()
        };
        let ticket = self.ticket(&format!("publish q{} {}", message.qos.value(), &*message.topic));
        self.model.publish(self.now, ticket, &message);
        self.handle(Input::Publish(ticket, message))
    }

    fn acknowledge(&mut self, nth: usize, verdict: Result<(), Refusal>) -> Result<(), String> {
        let receipts = self.model.receipts();
        if receipts.is_empty() {
            return Ok(());
        }
        let receipt = receipts[nth % receipts.len()];
        self.say_line(format!("app: acknowledge {receipt:?} {verdict:?}"));
        self.model.acknowledge(self.now, receipt, verdict);
        self.handle(Input::Acknowledge(receipt, verdict))
    }

    fn answer(&mut self, nth: usize, code: ReasonCode) -> Result<(), String> {
        if self.unanswered.is_empty() {
            return Ok(());
        }
        let nth = nth % self.unanswered.len();
        let v5 = self.wire.version == Version::V5;
        let answer = match self.unanswered.remove(nth) {
            Packet::Publish(publish) => match publish.delivery {
                Delivery::AtMostOnce => return Ok(()),
                Delivery::AtLeastOnce(packet_id) => Packet::Puback(Ack::of(packet_id, code)),
                Delivery::ExactlyOnce(packet_id) => Packet::Pubrec(Ack::of(packet_id, code)),
            },
            Packet::Pubrel(ack) => Packet::Pubcomp(Ack::success(ack.packet_id)),
            Packet::Subscribe(subscribe) => Packet::Suback(Suback {
                packet_id: subscribe.packet_id,
                reason_codes: vec![code; subscribe.filters.len()],
                properties: Properties::new(),
            }),
            Packet::Unsubscribe(unsubscribe) => Packet::Unsuback(Unsuback {
                packet_id: unsubscribe.packet_id,
                reason_codes: vec![ReasonCode::Success; if v5 { unsubscribe.filters.len() } else { 0 }],
                properties: Properties::new(),
            }),
            Packet::Pingreq => Packet::Pingresp,
            other => unreachable!("{other:?} asks for no answer"),
        };
        self.say(&answer)
    }

    fn say(&mut self, packet: &Packet) -> Result<(), String> {
        let mut bytes = BytesMut::new();
        encode(self.wire.version, packet.into(), &mut bytes);
        self.say_line(format!("server: {}", values::line(packet)));
        self.hear(bytes)
    }

    fn hear(&mut self, mut bytes: BytesMut) -> Result<(), String> {
        if !self.is_open {
            return Ok(());
        }
        match Decoder::with_version(self.wire.version, u32::MAX).decode(&mut bytes) {
            Ok(None) => Err("the server said half a packet".into()),
            Ok(Some(packet)) => {
                self.model.heard(self.now, &Heard::Packet(&packet));
                self.handle(Input::Received(packet))
            }
            Err(error) => {
                self.model.heard(self.now, &Heard::Malformed);
                self.handle(Input::Malformed(error))
            }
        }
    }

    /// Lets time pass, with a tick at each deadline of the client or of the model on the way.
    fn wait(&mut self, duration: Duration) -> Result<(), String> {
        let until = self.now + duration;
        loop {
            let client = self.client.next_deadline();
            let next = [client, self.model.next_deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                break;
            };
            self.now = self.now.max(next);
            if client.is_none_or(|at| at > self.now) {
                return Err(format!("the next deadline is {}, not {client:?}", self.now));
            }
            self.model.tick(self.now);
            self.handle(Input::Tick { reading: true })?;
            if self.client.next_deadline().is_some_and(|at| at <= self.now) {
                return Err("a tick leaves something due".into());
            }
        }
        self.now = until;
        Ok(())
    }

    /// The model knows of the input already; what the client makes of it is shown to the model.
    fn handle(&mut self, input: Input) -> Result<(), String> {
        self.client.handle(self.now, input, &mut self.wire);
        for did in std::mem::take(&mut self.wire.did) {
            match did {
                Did::Sent(packet, size) => {
                    self.say_line(format!("     -> {}", values::line(&packet)));
                    self.model.sent(&packet, size)?;
                    let asks = matches!(
                        packet,
                        Packet::Publish(_)
                            | Packet::Pubrel(_)
                            | Packet::Subscribe(_)
                            | Packet::Unsubscribe(_)
                            | Packet::Pingreq
                    );
                    if asks {
                        self.unanswered.push(packet);
                    }
                }
                Did::Closed => {
                    self.say_line("     -> close".into());
                    self.model.closed()?;
                    self.is_closing = true;
                }
                Did::Told(event) => {
                    self.say_line(format!("     -> app: {event:?}"));
                    self.model.told(&event)?;
                }
            }
        }
        self.model.settle()
    }

    fn ticket(&mut self, line: &str) -> Ticket {
        self.tickets += 1;
        self.say_line(format!("app: {line} ({})", self.tickets));
        Ticket(self.tickets)
    }

    fn say_line(&mut self, line: String) {
        self.said.push((self.now, line));
    }
}
