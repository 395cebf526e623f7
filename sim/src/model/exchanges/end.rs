use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
};

use squall_proto::{Ack, Delivery, Packet, PacketId, Publish};

use super::{
    Irregularity, Receipt,
    outbound::{Outbound, Stage, Step},
};
use crate::{
    model::{MessageId, Wires},
    trace::{Side, WireId},
};

/// One end of a session.
#[derive(Debug, Default)]
pub(crate) struct End {
    pub(super) outbound: BTreeMap<PacketId, Outbound>,
    /// By Packet Identifier, and whether it is QoS 2.
    pub(super) inbound: BTreeMap<(PacketId, bool), Inbound>,
    /// Whose PUBACK, PUBREC and PUBREL are due on this connection, in order.
    pub(super) due: [VecDeque<PacketId>; 3],
    /// How many PUBRELs are to be answered.
    released: BTreeMap<PacketId, u32>,
    /// How many PUBRECs came of exchanges that this end does not know, or before it answered the one before: it answers them, so that the
    /// other can end its half.
    unknown: BTreeMap<PacketId, u32>,
    /// SUBSCRIBEs and UNSUBSCRIBEs of its connection without an answer.
    pub(super) requested: BTreeSet<PacketId>,
    /// How many connections it has had.
    pub(super) connections: u32,
    /// CONNACK has said that its session begins, and it has said nothing since: its process may not have kept that.
    pub(super) has_begun: bool,
    /// Its process has ended since, and the next may go on with what was before, whatever that was.
    may_remember: bool,
    /// Its connection, and how many unfinished messages it was sent on that.
    pub(super) in_flight: (Option<WireId>, usize),
    /// How many messages it has sent for the first time.
    begun: u64,
    /// The last of those that it sent again on its connection.
    pub(super) resent: u64,
}

/// What is sent in the order of what it answers.
#[derive(Clone, Copy)]
enum Due {
    Puback,
    Pubrec,
    Pubrel,
}

/// A message that this end receives.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    has_come: bool,
    /// How often it came since it was last acknowledged.
    pub(super) owed: u32,
    /// What it is, and where it first came; `None`: no message that was published.
    message: Option<(MessageId, usize)>,
    /// The PUBREL of the message before it is not answered yet, which had its Packet Identifier.
    is_early: bool,
    /// Its PUBREL came before its PUBREC left, and is answered.
    is_completed: bool,
}

impl Inbound {
    /// What came on the last connection is not answered on the next.
    pub(super) const fn resume(&mut self) {
        self.owed = 0;
    }

    /// Whether it is a message that came to the session.
    pub(super) const fn is_known(&self) -> bool {
        self.message.is_some()
    }
}

impl End {
    /// Its process is gone, and all it knew with it; not so what makes it the same session.
    pub(super) fn forget(&mut self) {
        let mut inbound = mem::take(self).inbound;
        inbound.values_mut().for_each(Inbound::resume);
        self.inbound = inbound;
    }

    /// Its process is gone, and the next may not find what this one got last.
    pub(super) fn may_forget(&mut self) {
        for sent in self.outbound.values_mut() {
            sent.is_doubtful = matches!(sent.stage, Stage::Received(_) | Stage::Done(_));
        }
        self.may_remember |= self.has_begun;
    }

    /// Its process is gone, and the next may find anything that this one ever knew. What it answers in its last moment is under way.
    pub(super) fn may_remember(&mut self) {
        let Self {
            inbound, released, ..
        } = mem::take(self);
        *self = Self {
            inbound,
            released,
            may_remember: true,
            ..Self::default()
        };
    }

    /// See [`Exchanges::told`](super::Exchanges::told).
    pub(super) fn told(&mut self, payload: &[u8], is_over: bool) {
        let of_payload = self.outbound.values_mut().filter(|sent| sent.payload == payload);
        for sent in of_payload.filter(|sent| !is_over || sent.is_unfinished()) {
            sent.is_doubtful = true;
            if is_over {
                sent.give_up();
            }
        }
    }

    pub(super) fn sent(
        &mut self,
        here: Step,
        packet: &Packet,
        wires: &Wires,
        side: Side,
    ) -> Result<(), Irregularity> {
        self.has_begun = false;
        match packet {
            Packet::Publish(publish) => self.sent_publish(here, publish, wires, side),
            Packet::Pubrel(ack) => {
                let sent = self.sent_pubrel(here, ack.packet_id, wires, side);
                let in_turn = self.in_turn(Due::Pubrel, ack.packet_id, side);
                sent.and(in_turn)
            }
            Packet::Puback(ack) => {
                let sent = self.acknowledged(ack, false);
                let in_turn = self.in_turn(Due::Puback, ack.packet_id, side);
                sent.and(in_turn)
            }
            Packet::Pubrec(ack) => {
                let sent = self.acknowledged(ack, true);
                let in_turn = self.in_turn(Due::Pubrec, ack.packet_id, side);
                sent.and(in_turn)
            }
            Packet::Pubcomp(ack) => self.completed(ack.packet_id),
            Packet::Subscribe(subscribe) => self.request(subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => self.request(unsubscribe.packet_id),
            _in_no_exchange => Ok(()),
        }
    }

    /// [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4] [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3] [v3 MQTT-4.6.0-4] It is of the client that the
    /// standard says it.
    fn in_turn(&mut self, due: Due, packet_id: PacketId, side: Side) -> Result<(), Irregularity> {
        let [puback, pubrec, pubrel] = &mut self.due;
        let queue = match due {
            Due::Puback => puback,
            Due::Pubrec => pubrec,
            Due::Pubrel => pubrel,
        };
        match queue.iter().position(|id| *id == packet_id) {
            // What it resumes after a reconnect was due before.
            None => Ok(()),
            Some(place) => {
                queue.remove(place);
                let is_first = place == 0 || side == Side::Broker;
                if is_first {
                    Ok(())
                } else {
                    Err(Irregularity::AckOutOfOrder)
                }
            }
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
        let is_resent = before.is_some_and(|before| before.payload == publish.payload);
        let verdict = match before {
            Some(before) if is_resent => before.may_be_resent(here, publish.dup, wires, side),
            Some(before) if before.is_unfinished() => Err(Irregularity::IdInUse),
            _free if self.requested.contains(&packet_id) => Err(Irregularity::IdInUse),
            // What was sent and never left the host may have been this message; on the first connection nothing was.
            Some(_) | None if publish.dup && self.connections < 2 && !self.may_remember => {
                Err(Irregularity::DupOnFirst)
            }
            Some(_) | None => Ok(()),
        };
        let is_past_publish =
            before.is_some_and(|before| !matches!(before.stage, Stage::Published { .. } | Stage::Done(_)));
        if is_past_publish && verdict.is_ok() {
            return verdict;
        }
        let is_counted =
            before.is_some_and(|before| before.is_unfinished() && before.published_on == here.wire);
        let number = before
            .filter(|before| is_resent && (before.is_unfinished() || publish.dup))
            .map(|before| before.number);
        self.in_flight.1 += usize::from(!is_counted);
        let verdict = verdict.and_then(|()| self.in_order(number, side));
        self.begun += u64::from(number.is_none());
        let sent = Outbound {
            payload: publish.payload.clone(),
            stage: Stage::Published { exactly_once },
            wire: here.wire,
            published_on: here.wire,
            number: number.unwrap_or(self.begun),
            is_released: false,
            is_doubtful: false,
        };
        self.outbound.insert(packet_id, sent);
        verdict
    }

    /// [MQTT-4.6.0-1] [v3 MQTT-4.6.0-1] It is of the client that the standard says it.
    fn in_order(&mut self, again: Option<u64>, side: Side) -> Result<(), Irregularity> {
        let Some(number) = again.filter(|_| side == Side::Client) else {
            return Ok(());
        };
        if number < self.resent {
            return Err(Irregularity::ResentOutOfOrder);
        }
        self.resent = number;
        Ok(())
    }

    fn sent_pubrel(
        &mut self,
        here: Step,
        packet_id: PacketId,
        wires: &Wires,
        side: Side,
    ) -> Result<(), Irregularity> {
        let sent = self.outbound.get_mut(&packet_id);
        let released = sent.ok_or(Irregularity::UnknownPubrel);
        let released = released.and_then(|sent| sent.release(here, wires, side));
        released.or_else(|irregular| {
            let may_be = take_one(&mut self.unknown, packet_id) || self.may_remember;
            may_be.then_some(()).ok_or(irregular)
        })
    }

    fn acknowledged(&mut self, ack: &Ack, exactly_once: bool) -> Result<(), Irregularity> {
        let key = (ack.packet_id, exactly_once);
        let received = self.inbound.get_mut(&key);
        let Some(received) = received.filter(|received| received.owed > 0) else {
            return Err(Irregularity::UnknownAck);
        };
        received.owed -= 1;
        // [MQTT-4.3.3-4] A PUBREC that refuses is the end of it.
        let is_over = !exactly_once || received.is_completed || ack.reason_code.is_error();
        if received.owed == 0 && is_over {
            self.inbound.remove(&key);
        }
        Ok(())
    }

    fn completed(&mut self, packet_id: PacketId) -> Result<(), Irregularity> {
        if !take_one(&mut self.released, packet_id) {
            return Err(Irregularity::UnknownPubcomp);
        }
        match self.inbound.get_mut(&(packet_id, true)) {
            Some(next) if next.is_early => next.is_early = false,
            Some(received) if received.owed > 0 => received.is_completed = true,
            Some(_) | None => _ = self.inbound.remove(&(packet_id, true)),
        }
        Ok(())
    }

    fn request(&mut self, packet_id: PacketId) -> Result<(), Irregularity> {
        let in_use = self.outbound.get(&packet_id).is_some_and(Outbound::is_unfinished);
        if !self.requested.insert(packet_id) || in_use {
            return Err(Irregularity::IdInUse);
        }
        Ok(())
    }

    pub(super) fn arrived(
        &mut self,
        step: Step,
        packet: &Packet,
        message: Option<(MessageId, usize)>,
    ) -> Receipt {
        match packet {
            Packet::Publish(publish) => return self.arrived_publish(publish.delivery, message),
            Packet::Pubrel(ack) => {
                let times = self.released.entry(ack.packet_id).or_default();
                *times += 1;
                let received = self.inbound.get(&(ack.packet_id, true));
                let released = received.filter(|_| *times == 1);
                let message = released.and_then(|released| released.message);
                return message.map_or(Receipt::Other, |(message, at)| Receipt::Released(message, at));
            }
            Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack) => {
                self.progress(step, packet, ack);
            }
            Packet::Suback(suback) => _ = self.requested.remove(&suback.packet_id),
            Packet::Unsuback(unsuback) => _ = self.requested.remove(&unsuback.packet_id),
            _in_no_exchange => {}
        }
        Receipt::Other
    }

    fn arrived_publish(&mut self, delivery: Delivery, message: Option<(MessageId, usize)>) -> Receipt {
        let (packet_id, exactly_once) = match delivery {
            Delivery::AtMostOnce => return Receipt::New,
            Delivery::AtLeastOnce(packet_id) => (packet_id, false),
            Delivery::ExactlyOnce(packet_id) => (packet_id, true),
        };
        let key = (packet_id, exactly_once);
        let is_released = self.released.contains_key(&packet_id);
        let received = self.inbound.entry(key).or_default();
        let [puback, pubrec, _] = &mut self.due;
        let (due, other) = if exactly_once {
            (pubrec, puback)
        } else {
            (puback, pubrec)
        };
        // Which is meant, who answers cannot tell.
        other.retain(|id| *id != packet_id);
        // Who sends it twice may get one answer.
        if !due.contains(&packet_id) {
            due.push_back(packet_id);
        }
        received.owed += 1;
        // [MQTT-4.3.3-10] [v3 MQTT-4.3.3-2] Until PUBREL the same Packet Identifier is the same message.
        let is_known = exactly_once && received.has_come;
        let is_same = is_known && (received.is_early || !is_released);
        received.is_early |= is_known && is_released;
        received.has_come = true;
        received.message = received.message.filter(|_| is_same).or(message);
        if is_same { Receipt::Again } else { Receipt::New }
    }

    fn progress(&mut self, step: Step, packet: &Packet, ack: &Ack) {
        let unfinished = self
            .outbound
            .get_mut(&ack.packet_id)
            .filter(|sent| sent.is_unfinished());
        let Some(sent) = unfinished else {
            if matches!(packet, Packet::Pubrec(_)) {
                *self.unknown.entry(ack.packet_id).or_default() += 1;
            }
            return;
        };
        sent.stage = match (sent.stage, packet) {
            (Stage::Published { exactly_once: false }, Packet::Puback(_)) => Stage::Done(step),
            // [MQTT-4.3.3-4] [MQTT-4.4.0-2] A PUBREC that refuses is the end of it.
            (Stage::Published { exactly_once: true }, Packet::Pubrec(_)) if ack.reason_code.is_error() => {
                Stage::Done(step)
            }
            (Stage::Published { exactly_once: true }, Packet::Pubrec(_)) => {
                let [_, _, pubrel] = &mut self.due;
                pubrel.push_back(ack.packet_id);
                Stage::Received(step)
            }
            (Stage::Received(_), Packet::Pubrec(_)) => {
                *self.unknown.entry(ack.packet_id).or_default() += 1;
                sent.stage
            }
            // The other end asks once more for PUBREL.
            (Stage::Released(_), Packet::Pubrec(_)) => Stage::Received(step),
            (Stage::Released(_), Packet::Pubcomp(_)) => Stage::Done(step),
            (unchanged, _) => unchanged,
        };
        sent.is_doubtful = false;
        if !sent.is_unfinished() && Some(sent.published_on) == self.in_flight.0 {
            self.in_flight.1 = self.in_flight.1.saturating_sub(1);
        }
    }
}

/// Takes one of those away, if there is any.
fn take_one(counts: &mut BTreeMap<PacketId, u32>, packet_id: PacketId) -> bool {
    let Some(count) = counts.remove(&packet_id) else {
        return false;
    };
    if count > 1 {
        counts.insert(packet_id, count - 1);
    }
    true
}
