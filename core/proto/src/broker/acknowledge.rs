//! PUBACK, PUBREC, PUBREL and PUBCOMP from a client.

use super::{Broker, Output, outbound::Exchange, session::SessionKey};
use crate::{Ack, Instant, Packet, PacketType, ReasonCode, Version, Violation};

impl Broker {
    // [MQTT-4.3.2-3] [MQTT-4.4.0-2] Whatever its code, the exchange is over.
    pub(super) fn puback(&mut self, now: Instant, key: SessionKey, ack: &Ack, out: &mut impl Output) {
        let session = self.session_mut(key);
        match session.outbound.exchange(ack.packet_id) {
            Some(Exchange::AwaitingPuback(_)) => {
                session.finish(ack.packet_id);
                self.pump(now, key, out);
            }
            Some(Exchange::AwaitingPubrec(_) | Exchange::AwaitingPubcomp | Exchange::Done) => {
                self.violated(now, key, Violation::WrongAcknowledgement(PacketType::Puback), out);
            }
            // An exchange that a new session has forgotten.
            None => {}
        }
    }

    pub(super) fn pubrec(&mut self, now: Instant, key: SessionKey, ack: &Ack, out: &mut impl Output) {
        let session = self.session_mut(key);
        match session.outbound.exchange(ack.packet_id) {
            // [MQTT-4.4.0-2]
            Some(Exchange::AwaitingPubrec(_)) if ack.reason_code.is_error() => {
                session.finish(ack.packet_id);
                self.pump(now, key, out);
            }
            // [MQTT-4.3.3-4] [v3 MQTT-4.3.3-1]
            Some(exchange @ (Exchange::AwaitingPubrec(_) | Exchange::AwaitingPubcomp)) => {
                *exchange = Exchange::AwaitingPubcomp;
                self.send(now, key, &Packet::Pubrel(Ack::success(ack.packet_id)), out);
            }
            Some(Exchange::AwaitingPuback(_) | Exchange::Done) => {
                self.violated(now, key, Violation::WrongAcknowledgement(PacketType::Pubrec), out);
            }
            None if ack.reason_code.is_error() => {}
            None => self.answer_unknown(now, key, ack, Packet::Pubrel, out),
        }
    }

    // [MQTT-4.3.3-11] [v3 MQTT-4.3.3-2]
    pub(super) fn pubrel(&mut self, now: Instant, key: SessionKey, ack: &Ack, out: &mut impl Output) {
        if self.release(key, ack.packet_id) {
            self.send(now, key, &Packet::Pubcomp(Ack::success(ack.packet_id)), out);
        } else {
            self.answer_unknown(now, key, ack, Packet::Pubcomp, out);
        }
    }

    pub(super) fn pubcomp(&mut self, now: Instant, key: SessionKey, ack: &Ack, out: &mut impl Output) {
        let session = self.session_mut(key);
        match session.outbound.exchange(ack.packet_id) {
            Some(Exchange::AwaitingPubcomp) => {
                session.finish(ack.packet_id);
                self.pump(now, key, out);
            }
            Some(Exchange::AwaitingPuback(_) | Exchange::AwaitingPubrec(_) | Exchange::Done) => {
                self.violated(
                    now,
                    key,
                    Violation::WrongAcknowledgement(PacketType::Pubcomp),
                    out,
                );
            }
            None => {}
        }
    }

    /// Answers an acknowledgement of an exchange nobody knows, so that the client can end its half.
    fn answer_unknown(
        &mut self,
        now: Instant,
        key: SessionKey,
        ack: &Ack,
        answer: fn(Ack) -> Packet,
        out: &mut impl Output,
    ) {
        let reason_code = match self.session(key).online().map(|online| online.version) {
            Some(Version::V5) => ReasonCode::PacketIdentifierNotFound,
            Some(Version::V3_1_1) | None => ReasonCode::Success,
        };
        self.send(now, key, &answer(Ack::of(ack.packet_id, reason_code)), out);
    }
}
