use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use squall_proto::{Ack, Delivery, Instant, Packet, PacketId, Publish, Text};

use super::{Wire, Wires, wires::BySide};
use crate::trace::{Event, Side, What, WireId};

/// The unfinished exchanges of QoS 1 and 2, as each end of each session must see them.
///
/// A packet counts for its sender when it leaves the sender's host and for its receiver when it reaches the receiver's, on a
/// connection that this end takes to be open: what a dead connection still spits out changes no session.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    ends: BTreeMap<Text, BySide<End>>,
    /// What was not right about the last event.
    irregularity: Option<Irregularity>,
}

/// One end of a session.
#[derive(Debug, Default)]
pub(crate) struct End {
    outbound: BTreeMap<PacketId, Outbound>,
    inbound: BTreeMap<PacketId, Inbound>,
    /// PUBRELs to be answered.
    released: BTreeSet<PacketId>,
    /// PUBRECs of exchanges that this end does not know: it answers them, so that the other can end its half.
    unknown: BTreeSet<PacketId>,
    /// How many connections it has had.
    connections: u32,
}

/// A message that this end sends.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) payload: Bytes,
    stage: Stage,
    /// The connection that the PUBLISH was last sent on.
    pub(crate) wire: WireId,
}

/// ```text
/// Published --PUBACK--> Done
/// Published --PUBREC--> Received --PUBREL sent--> Released --PUBCOMP--> Done
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Published { exactly_once: bool },
    Received(Step),
    Released(Step),
    Done(Step),
}

/// When and on what connection a packet came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    at: Instant,
    wire: WireId,
}

/// A message that this end receives.
#[derive(Debug)]
struct Inbound {
    exactly_once: bool,
    /// How often it came since it was last acknowledged.
    owed: u32,
}

/// What the rules of the exchanges forbid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Irregularity {
    #[error("a first delivery has DUP 0")]
    DupOnFirst,
    #[error("a redelivery has DUP 1")]
    NoDupOnResend,
    #[error("a message that was acknowledged is not sent again")]
    ResentAcknowledged,
    #[error("nothing is sent again on the same connection")]
    ResentWithoutReconnect,
    #[error("a Packet Identifier serves one exchange at a time")]
    IdInUse,
    #[error("only what was received is acknowledged, once a receipt")]
    UnknownAck,
    #[error("PUBREL follows a PUBREC")]
    UnknownPubrel,
    #[error("PUBCOMP follows a PUBREL")]
    UnknownPubcomp,
}

impl Exchanges {
    /// What was not right about the last event.
    pub(crate) const fn irregularity(&self) -> Option<Irregularity> {
        self.irregularity
    }

    /// The messages that one end of a session has sent and not finished, by Packet Identifier.
    pub(crate) fn unfinished(
        &self,
        client_id: &Text,
        side: Side,
    ) -> impl Iterator<Item = (PacketId, &Outbound)> {
        let end = self.ends.get(client_id).map(|ends| ends.of(side));
        let all = end.into_iter().flat_map(|end| &end.outbound);
        all.filter(|(_, sent)| sent.is_unfinished())
            .map(|(id, sent)| (*id, sent))
    }

    pub(super) fn forget_broker(&mut self) {
        for ends in self.ends.values_mut() {
            *ends.of_mut(Side::Broker) = End::default();
        }
    }

    pub(super) fn observe(&mut self, event: &Event, wires: &Wires) {
        self.irregularity = None;
        let step = |wire| Step { at: event.at, wire };
        match &event.what {
            What::Sent { wire, from, packet } => {
                if let Packet::Connack(connack) = packet
                    && !connack.reason_code.is_error()
                {
                    self.connected(*wire, Side::Broker, connack.session_present, wires);
                }
                if let Some(end) = self.end(*wire, *from, wires) {
                    self.irregularity = end.sent(step(*wire), packet, wires, *from).err();
                }
            }
            What::Arrived { wire, from, packet } => {
                if let Packet::Connack(connack) = packet
                    && !connack.reason_code.is_error()
                {
                    self.connected(*wire, Side::Client, connack.session_present, wires);
                }
                if let Some(end) = self.end(*wire, other(*from), wires) {
                    end.arrived(step(*wire), packet);
                }
            }
            What::HostDown { host } => {
                // A client keeps its session in memory.
                for (_, wire) in wires.iter().filter(|(_, wire)| wire.name == *host) {
                    if let Some(ends) = wire.client_id().and_then(|id| self.ends.get_mut(id)) {
                        *ends.of_mut(Side::Client) = End::default();
                    }
                }
            }
            What::Opened { .. }
            | What::Bytes { .. }
            | What::Malformed { .. }
            | What::Closed { .. }
            | What::LetGo { .. }
            | What::Ended { .. }
            | What::HostUp { .. }
            | What::FaultBegan { .. }
            | What::FaultEnded { .. }
            | What::Application { .. }
            | What::Step { .. }
            | What::Missed { .. }
            | What::Healed => {}
        }
    }

    /// [MQTT-3.2.2-3] [MQTT-3.2.2-5] Without a session, neither end knows an exchange.
    fn connected(&mut self, wire: WireId, side: Side, session_present: bool, wires: &Wires) {
        let Some(client_id) = wires.get(wire).and_then(|wire| wire.client_id()) else {
            return;
        };
        let end = self.ends.entry(client_id.clone()).or_default().of_mut(side);
        if !session_present {
            *end = End::default();
        }
        end.connections += 1;
    }

    /// This end of the session of a connection that it takes to be open, and to be the last one.
    fn end(&mut self, id: WireId, side: Side, wires: &Wires) -> Option<&mut End> {
        let wire = wires.get(id).filter(|wire| wire.over_for(side).is_none())?;
        let client_id = wire.client_id().filter(|_| !wires.is_taken_over(id))?;
        self.ends.get_mut(client_id).map(|ends| ends.of_mut(side))
    }
}

impl End {
    fn sent(&mut self, here: Step, packet: &Packet, wires: &Wires, side: Side) -> Result<(), Irregularity> {
        match packet {
            Packet::Publish(publish) => self.sent_publish(here, publish, wires, side),
            Packet::Pubrel(ack) => self.sent_pubrel(here, ack.packet_id, wires, side),
            Packet::Puback(ack) => self.acknowledged(ack.packet_id, false),
            Packet::Pubrec(ack) => self.acknowledged(ack.packet_id, true),
            Packet::Pubcomp(ack) if self.released.remove(&ack.packet_id) => Ok(()),
            Packet::Pubcomp(_) => Err(Irregularity::UnknownPubcomp),
            Packet::Subscribe(subscribe) => self.is_free(subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => self.is_free(unsubscribe.packet_id),
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => Ok(()),
        }
    }

    fn sent_publish(
        &mut self,
        here: Step,
        publish: &Publish,
        wires: &Wires,
        side: Side,
    ) -> Result<(), Irregularity> {
        let (packet_id, exactly_once) = match publish.delivery {
            // [MQTT-3.3.1-2] [v3 MQTT-3.3.1-2]
            Delivery::AtMostOnce if publish.dup => return Err(Irregularity::DupOnFirst),
            Delivery::AtMostOnce => return Ok(()),
            Delivery::AtLeastOnce(packet_id) => (packet_id, false),
            Delivery::ExactlyOnce(packet_id) => (packet_id, true),
        };
        let before = self.outbound.get(&packet_id);
        let verdict = match before {
            Some(before) if before.payload == publish.payload => {
                before.may_be_resent(here, publish.dup, wires, side)
            }
            Some(before) if before.is_unfinished() => Err(Irregularity::IdInUse),
            // What was sent and never left the host may have been this message; on the first connection nothing was.
            Some(_) | None if publish.dup && self.connections < 2 => Err(Irregularity::DupOnFirst),
            Some(_) | None => Ok(()),
        };
        let is_past_publish =
            before.is_some_and(|before| !matches!(before.stage, Stage::Published { .. } | Stage::Done(_)));
        if !(is_past_publish && verdict.is_ok()) {
            let payload = publish.payload.clone();
            let stage = Stage::Published { exactly_once };
            let wire = here.wire;
            self.outbound.insert(packet_id, Outbound { payload, stage, wire });
        }
        verdict
    }

    fn sent_pubrel(
        &mut self,
        here: Step,
        packet_id: PacketId,
        wires: &Wires,
        side: Side,
    ) -> Result<(), Irregularity> {
        if self.unknown.remove(&packet_id) {
            return Ok(());
        }
        let sent = self
            .outbound
            .get_mut(&packet_id)
            .ok_or(Irregularity::UnknownPubrel)?;
        match sent.stage {
            Stage::Received(step) | Stage::Released(step) => {
                sent.stage = Stage::Released(step);
                Ok(())
            }
            Stage::Done(step) if step.may_be_unread(here, wires, side) => {
                sent.stage = Stage::Released(step);
                Ok(())
            }
            Stage::Published { .. } | Stage::Done(_) => Err(Irregularity::UnknownPubrel),
        }
    }

    fn acknowledged(&mut self, packet_id: PacketId, exactly_once: bool) -> Result<(), Irregularity> {
        match self.inbound.get_mut(&packet_id) {
            Some(received) if received.exactly_once == exactly_once && received.owed > 0 => {
                received.owed -= 1;
                Ok(())
            }
            Some(_) | None => Err(Irregularity::UnknownAck),
        }
    }

    fn is_free(&self, packet_id: PacketId) -> Result<(), Irregularity> {
        match self.outbound.get(&packet_id) {
            Some(sent) if sent.is_unfinished() => Err(Irregularity::IdInUse),
            Some(_) | None => Ok(()),
        }
    }

    fn arrived(&mut self, step: Step, packet: &Packet) {
        match packet {
            Packet::Publish(publish) => {
                let (packet_id, exactly_once) = match publish.delivery {
                    Delivery::AtMostOnce => return,
                    Delivery::AtLeastOnce(packet_id) => (packet_id, false),
                    Delivery::ExactlyOnce(packet_id) => (packet_id, true),
                };
                let new = Inbound {
                    exactly_once,
                    owed: 0,
                };
                let received = self.inbound.entry(packet_id).or_insert(new);
                if received.exactly_once != exactly_once {
                    *received = Inbound {
                        exactly_once,
                        owed: 0,
                    };
                }
                received.owed += 1;
            }
            Packet::Pubrel(ack) => {
                self.released.insert(ack.packet_id);
            }
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) => {
                self.progress(step, packet, ack)
            }
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => {}
        }
    }

    fn progress(&mut self, step: Step, packet: &Packet, ack: &Ack) {
        let unfinished = self
            .outbound
            .get_mut(&ack.packet_id)
            .filter(|sent| sent.is_unfinished());
        let Some(sent) = unfinished else {
            if matches!(packet, Packet::Pubrec(_)) {
                self.unknown.insert(ack.packet_id);
            }
            return;
        };
        sent.stage = match (sent.stage, packet) {
            (Stage::Published { exactly_once: false }, Packet::Puback(_)) => Stage::Done(step),
            // [MQTT-4.3.3-4] [MQTT-4.4.0-2] A PUBREC that refuses is the end of it.
            (Stage::Published { exactly_once: true }, Packet::Pubrec(_)) if ack.reason_code.is_error() => {
                Stage::Done(step)
            }
            (Stage::Published { exactly_once: true }, Packet::Pubrec(_)) => Stage::Received(step),
            (Stage::Released(_), Packet::Pubcomp(_)) => Stage::Done(step),
            (unchanged, _) => unchanged,
        };
    }
}

impl Outbound {
    pub(crate) const fn is_unfinished(&self) -> bool {
        !matches!(self.stage, Stage::Done(_))
    }

    /// What is missing.
    pub(crate) const fn awaits(&self) -> &'static str {
        match self.stage {
            Stage::Published { exactly_once: false } => "PUBACK",
            Stage::Published { exactly_once: true } => "PUBREC",
            Stage::Received(_) => "PUBREL",
            Stage::Released(_) => "PUBCOMP",
            Stage::Done(_) => "nothing",
        }
    }

    /// Whether the same message may be sent with the same Packet Identifier once more.
    fn may_be_resent(&self, here: Step, dup: bool, wires: &Wires, side: Side) -> Result<(), Irregularity> {
        match self.stage {
            // [MQTT-4.4.0-1] 3.1.1 does not forbid it.
            Stage::Published { .. } if self.wire == here.wire => Err(Irregularity::ResentWithoutReconnect),
            // [MQTT-3.3.1-1] [v3 MQTT-3.3.1-1]
            Stage::Published { .. } if !dup => Err(Irregularity::NoDupOnResend),
            Stage::Done(step) if dup && !step.may_be_unread(here, wires, side) => {
                Err(Irregularity::ResentAcknowledged)
            }
            // [MQTT-4.3.3-6] [v3 MQTT-4.3.3-1]
            Stage::Received(step) | Stage::Released(step) if !step.may_be_unread(here, wires, side) => {
                Err(Irregularity::ResentAcknowledged)
            }
            Stage::Received(_) | Stage::Released(_) if !dup => Err(Irregularity::NoDupOnResend),
            Stage::Published { .. } | Stage::Received(_) | Stage::Released(_) | Stage::Done(_) => Ok(()),
        }
    }
}

impl Step {
    /// Whether the acknowledgement reached the host but perhaps not its process: a reset threw it away, or the process had
    /// turned to another connection, `here`, at that very moment.
    fn may_be_unread(self, here: Self, wires: &Wires, side: Side) -> bool {
        let reached_it_with = self.wire != here.wire && self.at == here.at;
        let ended_with = |wire: &Wire| wire.was_reset_at(side, self.at) || wire.was_left_at(side, self.at);
        reached_it_with || wires.get(self.wire).is_some_and(ended_with)
    }
}

const fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Broker,
        Side::Broker => Side::Client,
    }
}
