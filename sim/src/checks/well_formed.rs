//! I16, with I6: every packet is well formed and allowed in its state, on both sides of every wire. Peers may do as they like.

use std::collections::BTreeMap;

use squall_proto::{Packet, PacketId, PacketType, ReasonCode, Version};

use super::{Checker, Found, Now};
use crate::{
    model::{Irregularity, Model},
    trace::{Side, What, WireId},
};

/// Where each connection stands.
pub(super) struct WellFormed {
    wires: BTreeMap<WireId, Talk>,
}

/// What has been said on one connection.
#[derive(Default)]
struct Talk {
    /// CONNECT has left, CONNACK has left: which of them said.
    connect_sent: bool,
    connack_sent: Option<ReasonCode>,
    /// Who has said DISCONNECT.
    client_done: bool,
    broker_done: bool,
    /// PINGREQs that have reached the broker and are not answered.
    pings: u32,
    /// SUBSCRIBEs and UNSUBSCRIBEs that have reached the broker and are not answered, with their number of filters.
    requests: BTreeMap<PacketId, (PacketType, usize)>,
}

impl WellFormed {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self {
            wires: BTreeMap::new(),
        }
    }
}

impl Talk {
    /// What is wrong with a packet that the client sends.
    fn client_sends(&mut self, packet: &Packet) -> Result<(), String> {
        if self.client_done {
            return Err("nothing after DISCONNECT".to_owned());
        }
        match packet {
            Packet::Connect(_) if self.connect_sent => Err("one CONNECT".to_owned()),
            Packet::Connect(_) => {
                self.connect_sent = true;
                Ok(())
            }
            _other_packets if !self.connect_sent => Err("CONNECT first".to_owned()),
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp => {
                Err("what a client may send".to_owned())
            }
            Packet::Disconnect(_) => {
                self.client_done = true;
                Ok(())
            }
            Packet::Publish(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Auth(_) => Ok(()),
        }
    }

    /// What is wrong with a packet that the broker sends.
    fn broker_sends(&mut self, packet: &Packet, version: Version) -> Result<(), String> {
        if self.broker_done {
            return Err("nothing after DISCONNECT".to_owned());
        }
        match packet {
            Packet::Connack(_) if self.connack_sent.is_some() => Err("one CONNACK".to_owned()),
            Packet::Connack(connack) => {
                self.connack_sent = Some(connack.reason_code);
                Ok(())
            }
            Packet::Auth(_) => Err("no AUTH: nobody asked for it".to_owned()),
            // [MQTT-3.1.4-5] [v3 MQTT-3.2.0-1]
            _other_packets if self.connack_sent.is_none() => Err("CONNACK first".to_owned()),
            // [MQTT-3.2.2-7] [v3 MQTT-3.2.2-5]
            _other_packets if self.connack_sent.is_some_and(ReasonCode::is_error) => {
                Err("nothing after a refusal".to_owned())
            }
            Packet::Suback(suback) => self.answers(
                PacketType::Subscribe,
                suback.packet_id,
                Some(suback.reason_codes.len()),
            ),
            Packet::Unsuback(unsuback) => {
                let codes = (version == Version::V5).then_some(unsuback.reason_codes.len());
                self.answers(PacketType::Unsubscribe, unsuback.packet_id, codes)
            }
            Packet::Pingresp => match self.pings.checked_sub(1) {
                Some(pings) => {
                    self.pings = pings;
                    Ok(())
                }
                None => Err("one PINGRESP for a PINGREQ".to_owned()),
            },
            Packet::Disconnect(_) if version == Version::V3_1_1 => {
                Err("no DISCONNECT: a 3.1.1 server has none".to_owned())
            }
            Packet::Disconnect(_) => {
                self.broker_done = true;
                Ok(())
            }
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Pingreq => {
                Err("what a server may send".to_owned())
            }
            Packet::Publish(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_) => Ok(()),
        }
    }

    /// [MQTT-3.8.4-2] [MQTT-3.8.4-6] [MQTT-3.10.4-5] [v3 MQTT-3.8.4-2] [v3 MQTT-3.8.4-5] [v3 MQTT-3.10.4-4]
    fn answers(
        &mut self,
        request: PacketType,
        packet_id: PacketId,
        codes: Option<usize>,
    ) -> Result<(), String> {
        match self.requests.remove(&packet_id) {
            Some((kind, filters)) if kind == request => match codes {
                Some(codes) if codes != filters => Err(format!("{filters} Reason Codes")),
                Some(_) | None => Ok(()),
            },
            Some(_) | None => Err(format!("an answer to a {request}")),
        }
    }

    fn broker_gets(&mut self, packet: &Packet) {
        match packet {
            Packet::Pingreq => self.pings += 1,
            Packet::Subscribe(subscribe) => {
                let asked = (PacketType::Subscribe, subscribe.filters.len());
                self.requests.insert(subscribe.packet_id, asked);
            }
            Packet::Unsubscribe(unsubscribe) => {
                let asked = (PacketType::Unsubscribe, unsubscribe.filters.len());
                self.requests.insert(unsubscribe.packet_id, asked);
            }
            _answered_elsewhere => {}
        }
    }
}

impl WellFormed {
    fn sent(&mut self, now: &Now<'_>, wire: WireId, from: Side, packet: &Packet) -> Option<Found> {
        let talk = self.wires.entry(wire).or_default();
        let said = match from {
            Side::Client => talk.client_sends(packet),
            Side::Broker => talk.broker_sends(packet, now.model.version),
        };
        let irregular = match now.model.exchanges.irregularity() {
            Some(
                irregularity @ (Irregularity::IdInUse
                | Irregularity::UnknownAck
                | Irregularity::UnknownPubrel
                | Irregularity::UnknownPubcomp),
            ) => Err(irregularity.to_string()),
            // The check of DUP and redelivery reports these.
            Some(
                Irregularity::DupOnFirst
                | Irregularity::NoDupOnResend
                | Irregularity::ResentAcknowledged
                | Irregularity::ResentWithoutReconnect,
            )
            | None => Ok(()),
        };
        if super::may_break(now.model, wire, from) {
            return None;
        }
        let expected = said.and(irregular).err()?;
        Some(now.found(&[], expected, crate::trace::packet_line(packet)))
    }
}

impl Checker for WellFormed {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        match &now.event.what {
            What::Sent { wire, from, packet } => found.extend(self.sent(now, *wire, *from, packet)),
            What::Arrived {
                wire,
                from: Side::Client,
                packet,
            } => {
                self.wires.entry(*wire).or_default().broker_gets(packet);
            }
            What::Malformed { wire, from, error } if !super::may_break(now.model, *wire, *from) => {
                found.push(now.found(&[], "well-formed packets", error.to_string()));
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
