//! A list of timed inputs to a client, made of the fuzzer's bytes: whatever the server and the application do, the client keeps to
//! the standard (`client/wire.rs` has the rules), and a server that answers everything brings every request to its end.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bytes::BytesMut;
use squall_proto::{
    Ack, Connack, Decoder, Disconnect, Instant, Packet, PacketId, Properties, Property, ReasonCode, Suback,
    Text, Unsuback, Version,
    client::{
        Acknowledge, AtMostOnceOffline, Client, Input, Message, Options, Overflow, Refusal, Resubscribe,
        SessionLost, Subscription, Ticket, Unsubscription,
    },
    encode,
};

use self::wire::{Awaited, Wire};
use crate::packets;

#[path = "client/wire.rs"]
mod wire;

const STEPS_MAX: usize = 300;

const OVERFLOWS: [Overflow; 4] = [
    Overflow::Wait,
    Overflow::Refuse,
    Overflow::DropOldest,
    Overflow::DropNewest,
];

/// Runs the inputs; panics where a rule is broken.
pub(crate) fn client_inputs(input: &[u8]) {
    let mut u = Unstructured::new(input);
    let Ok(options) = options(&mut u) else { return };
    let Ok(client) = Client::new(options.clone()) else {
        return;
    };
    let mut owner = Owner {
        client,
        now: Instant::ZERO,
        wire: Wire::new(&options),
        decoder: Decoder::with_version(options.version, options.packet_size_max),
        tickets: 0,
        options,
    };
    for _ in 0..STEPS_MAX {
        if u.is_empty() || step(&mut u, &mut owner).is_err() {
            break;
        }
    }
    owner.everything_is_answered();
}

fn options(u: &mut Unstructured<'_>) -> Result<Options> {
    let version = packets::version(u)?;
    let client_id = Text::new(u.choose(&packets::CLIENT_IDS)?).expect("a legal string");
    Ok(Options {
        clean_start: u.ratio(1, 4)?,
        session_expiry_interval: match version {
            Version::V3_1_1 => 0,
            Version::V5 => *u.choose(&[0, 10, u32::MAX])?,
        },
        adopt_session: u.arbitrary()?,
        keep_alive: *u.choose(&[0, 2, 100])?,
        will: if u.ratio(1, 4)? {
            Some(packets::will(u, version)?)
        } else {
            None
        },
        receive_maximum: *u.choose(&[1, 2, 65_535])?,
        packet_size_max: 1000,
        topic_alias_maximum: *u.choose(&[0, 2])?,
        topic_aliases: *u.choose(&[0, 1, 100])?,
        authentication_method: if version == Version::V5 && u.ratio(1, 6)? {
            Some(packets::text(u)?)
        } else {
            None
        },
        inflight: *u.choose(&[1, 2, 1000])?,
        queued: *u.choose(&[1, 5, 1000])?,
        queued_bytes: *u.choose(&[1, 100, 1_000_000])?,
        acknowledge: *u.choose(&[Acknowledge::Automatic, Acknowledge::Manual])?,
        overflow: *u.choose(&OVERFLOWS)?,
        at_most_once_offline: *u.choose(&[AtMostOnceOffline::Queue, AtMostOnceOffline::Drop])?,
        resubscribe: *u.choose(&[
            Resubscribe::Always,
            Resubscribe::WhenSessionLost,
            Resubscribe::Never,
        ])?,
        session_lost: *u.choose(&[SessionLost::PublishAgain, SessionLost::Fail])?,
        ..Options::new(version, client_id)
    })
}

fn step(u: &mut Unstructured<'_>, owner: &mut Owner) -> Result<()> {
    match u.int_in_range(0..=31)? {
        0..=7 => owner.asked(u)?,
        8..=10 => owner.acknowledge(u)?,
        11..=27 if owner.wire.is_open() => from_server(u, owner)?,
        11..=27 => owner.open(),
        28 => owner.wait(Duration::from_millis(*u.choose(&[1, 1000, 2500, 11_000])?)),
        29 if u.ratio(1, 4)? => {
            let reason_code = *u.choose(&[ReasonCode::Success, ReasonCode::DisconnectWithWillMessage])?;
            owner.handle(Input::Disconnect(Disconnect::of(reason_code)));
        }
        30 if u.ratio(1, 3)? => owner.restart(),
        30 => owner.wire.trusts = u.ratio(7, 8)?,
        _ if u.ratio(1, 2)? => owner.lose(),
        _ => owner.wait(Duration::from_millis(1)),
    }
    Ok(())
}

fn from_server(u: &mut Unstructured<'_>, owner: &mut Owner) -> Result<()> {
    let version = owner.client.version();
    let packet = if !owner.wire.is_connected() && u.ratio(15, 16)? {
        Packet::Connack(packets::connack(u, version)?)
    } else if u.ratio(1, 2)? {
        match answer(u, owner)? {
            Some(packet) => packet,
            None => return Ok(()),
        }
    } else {
        packets::from_server(u, version)?
    };
    let mut bytes = BytesMut::new();
    encode(version, (&packet).into(), &mut bytes);
    if u.ratio(1, 40)? {
        let at = u.choose_index(bytes.len())?;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = u.arbitrary()?;
        }
    }
    owner.hear(&bytes);
    Ok(())
}

/// An answer the client waits for, nearly always as it should be.
fn answer(u: &mut Unstructured<'_>, owner: &Owner) -> Result<Option<Packet>> {
    let (version, awaited) = (owner.client.version(), owner.wire.awaited());
    if awaited.is_empty() {
        return Ok(None);
    }
    let Some((packet_id, awaited)) = awaited.get(u.choose_index(awaited.len())?).copied() else {
        return Ok(None);
    };
    let refused = u.ratio(1, 8)?;
    Ok(Some(match awaited {
        Awaited::Puback => Packet::Puback(packets::ack(u, version, packet_id, &packets::RECEIVED)?),
        Awaited::Pubrec => Packet::Pubrec(packets::ack(u, version, packet_id, &packets::RECEIVED)?),
        Awaited::Pubcomp => Packet::Pubcomp(packets::ack(u, version, packet_id, &packets::RELEASED)?),
        Awaited::Suback(_) | Awaited::Unsuback(_) => awaited.answered(version, packet_id, refused),
    }))
}

struct Owner {
    options: Options,
    client: Client,
    now: Instant,
    wire: Wire,
    decoder: Decoder,
    tickets: u64,
}

impl Owner {
    fn handle(&mut self, input: Input) {
        self.client.handle(self.now, input, &mut self.wire);
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        self.wire.asked(Ticket(self.tickets));
        Ticket(self.tickets)
    }

    /// The application asks for something.
    fn asked(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let version = self.client.version();
        let input = match u.int_in_range(0..=8)? {
            8 => Input::Reauthenticate(self.ticket()),
            0..=5 => {
                let message = Message {
                    topic: packets::topic(u)?,
                    payload: packets::payload(u)?,
                    qos: packets::qos(u)?,
                    retain: u.ratio(1, 4)?,
                    properties: packets::some_of(u, version, &packets::MESSAGE)?,
                };
                Input::Publish(self.ticket(), message)
            }
            6 => {
                let subscription = Subscription {
                    filters: packets::filters(u, |u| {
                        Ok((packets::filter(u)?, packets::options(u, version)?))
                    })?,
                    properties: packets::subscribe_properties(u, version)?,
                };
                Input::Subscribe(self.ticket(), subscription)
            }
            _ => {
                let filters = packets::filters(u, packets::filter)?;
                Input::Unsubscribe(
                    self.ticket(),
                    Unsubscription {
                        filters,
                        properties: Properties::new(),
                    },
                )
            }
        };
        self.handle(input);
        Ok(())
    }

    /// The application takes a message, or does not.
    fn acknowledge(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let receipts = self.wire.receipts();
        if receipts.is_empty() {
            return Ok(());
        }
        let receipt = receipts.swap_remove(u.choose_index(receipts.len())?);
        let refused = u.ratio(1, 6)?;
        let taken = if refused {
            Err(*u.choose(Refusal::ALL)?)
        } else {
            Ok(())
        };
        self.handle(Input::Acknowledge(receipt, taken));
        Ok(())
    }

    fn open(&mut self) {
        self.wire.open();
        self.decoder = Decoder::with_version(self.client.version(), 1000);
        self.handle(Input::Opened);
    }

    /// The process dies; another takes up what it kept.
    fn restart(&mut self) {
        let saved = self.wire.restart();
        let restored = Client::restore(self.options.clone(), saved, self.now);
        self.client = restored.expect("the records of a client are its own");
    }

    fn hear(&mut self, bytes: &[u8]) {
        let mut bytes = BytesMut::from(bytes);
        loop {
            match self.decoder.decode(&mut bytes) {
                Ok(Some(packet)) => {
                    self.wire.heard(&packet);
                    self.handle(Input::Received(packet));
                }
                Ok(None) => return,
                Err(error) => {
                    self.handle(Input::Malformed(error));
                    assert!(self.wire.is_closed(), "malformed bytes end the connection");
                    return self.lose();
                }
            }
        }
    }

    fn lose(&mut self) {
        if self.wire.is_open() {
            self.handle(Input::Lost);
            self.wire.lost();
        }
    }

    fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.client.next_deadline().filter(|deadline| *deadline <= until) {
            self.now = self.now.max(deadline);
            self.handle(Input::Tick { reading: true });
            let next = self.client.next_deadline();
            assert!(
                next.is_none_or(|next| next > self.now),
                "a tick settles what is due"
            );
        }
        self.now = until;
    }

    /// A server without the session answers everything: every request is at its end then, told once.
    fn everything_is_answered(&mut self) {
        self.lose();
        self.wire.trusts = true;
        self.open();
        let version = self.client.version();
        let method = self.options.authentication_method.clone();
        self.say(&Packet::Connack(Connack {
            session_present: false,
            reason_code: ReasonCode::Success,
            properties: method.map(Property::AuthenticationMethod).into_iter().collect(),
        }));
        for _ in 0..10_000 {
            let Some((packet_id, awaited)) = self.wire.awaited().first().copied() else {
                return self.wire.assert_all_told();
            };
            self.say(&awaited.answered(version, packet_id, false));
        }
        panic!("a server that answers everything is never done");
    }

    fn say(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        encode(self.client.version(), packet.into(), &mut bytes);
        self.hear(&bytes);
    }
}

impl Awaited {
    fn answered(self, version: Version, packet_id: PacketId, refused: bool) -> Packet {
        let (ack, properties) = (Ack::success(packet_id), Properties::new());
        let reason_code = if refused {
            ReasonCode::UnspecifiedError
        } else {
            ReasonCode::Success
        };
        match self {
            Self::Puback => Packet::Puback(ack),
            Self::Pubrec => Packet::Pubrec(ack),
            Self::Pubcomp => Packet::Pubcomp(ack),
            Self::Suback(count) => Packet::Suback(Suback {
                packet_id,
                reason_codes: vec![reason_code; count],
                properties,
            }),
            Self::Unsuback(count) => {
                let count = if version == Version::V5 { count } else { 0 };
                Packet::Unsuback(Unsuback {
                    packet_id,
                    reason_codes: vec![reason_code; count],
                    properties,
                })
            }
        }
    }
}
