//! PUBACK, PUBREC, PUBREL and PUBCOMP from a client.

use super::{
    Broker, Output, Refusal, keep,
    outbound::Asked,
    session::{Online, SessionKey},
};
use crate::{Ack, Instant, Packet, PacketId, PacketType, Version, Violation, exchange::Answer};

impl Broker {
    /// PUBACK, PUBREC or PUBCOMP.
    // [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.4.0-2]
    pub(super) fn answered(
        &mut self,
        now: Instant,
        key: SessionKey,
        ack: &Ack,
        answer: Answer,
        out: &mut impl Output,
    ) {
        let session = self.session_mut(key);
        let has_place = session.outbound.has_place(ack.packet_id);
        let Some(exchange) = session.outbound.exchange(ack.packet_id) else {
            if self.rules.unknown_packet_id.is_strict() {
                let violation = Violation::UnknownPacketId(packet_type(answer));
                return self.violated(now, key, violation, out);
            }
            // PUBREC alone waits for an answer; the others end what a new session has forgotten.
            if answer == Answer::Pubrec {
                self.answer_unknown(now, key, ack, Packet::Pubrel, out);
            }
            return;
        };
        let (order, message) = exchange.on_record();
        let mark = message
            .filter(|_| order.is_some())
            .and_then(|message| message.mark.clone());
        let asked = exchange.answered(answer, has_place);
        match asked {
            Some(Asked::Pubrel) => keep::released(order, mark.as_deref(), out),
            Some(Asked::Nothing) => keep::finished(order, mark.as_deref(), out),
            None => {}
        }
        match asked {
            // [MQTT-4.3.3-4] [v3 MQTT-4.3.3-1]
            Some(Asked::Pubrel) => {
                self.send(now, key, &Packet::Pubrel(Ack::success(ack.packet_id)), out);
            }
            Some(Asked::Nothing) => {
                session.finish(has_place);
                self.pump(now, key, out);
            }
            None if !self.rules.wrong_acknowledgement.is_strict() => {}
            None => self.violated(
                now,
                key,
                Violation::WrongAcknowledgement(packet_type(answer)),
                out,
            ),
        }
    }

    // [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2] [MQTT-4.3.3-13]
    pub(super) fn pubrel(&mut self, now: Instant, key: SessionKey, ack: &Ack, out: &mut impl Output) {
        if self.release(key, ack.packet_id, out) {
            self.send(now, key, &Packet::Pubcomp(Ack::success(ack.packet_id)), out);
        } else if self.rules.unknown_packet_id.is_strict() {
            let violation = Violation::UnknownPacketId(PacketType::Pubrel);
            self.violated(now, key, violation, out);
        } else {
            self.answer_unknown(now, key, ack, Packet::Pubcomp, out);
        }
    }

    /// Answers an acknowledgement of an exchange nobody knows, so that the client can end its half. 3.1.1 has no code for it.
    fn answer_unknown(
        &mut self,
        now: Instant,
        key: SessionKey,
        ack: &Ack,
        answer: fn(Ack) -> Packet,
        out: &mut impl Output,
    ) {
        self.refuse_with(now, key, ack.packet_id, Refusal::PacketIdUnknown, answer, out);
    }

    /// Sends an acknowledgement that is a refusal; in 3.1.1, which has no word for that, one that is not.
    // [v3 MQTT-3.3.5-2]
    pub(super) fn refuse_with(
        &mut self,
        now: Instant,
        key: SessionKey,
        packet_id: PacketId,
        refusal: Refusal,
        answer: fn(Ack) -> Packet,
        out: &mut impl Output,
    ) {
        let Some(takes) = self.session(key).online().map(Online::takes) else {
            return;
        };
        let mut packet = match takes.version {
            Version::V3_1_1 => answer(Ack::success(packet_id)),
            Version::V5 => answer(Ack::of(packet_id, refusal.reason_code())),
        };
        takes.explain(&mut packet, refusal);
        self.send(now, key, &packet, out);
    }
}

const fn packet_type(answer: Answer) -> PacketType {
    match answer {
        Answer::Puback => PacketType::Puback,
        Answer::Pubrec | Answer::PubrecRefused => PacketType::Pubrec,
        Answer::Pubcomp => PacketType::Pubcomp,
    }
}
