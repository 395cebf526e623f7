//! I16: every packet is well formed and allowed in its state, on both sides of every wire. Peers may do as they like.

use std::collections::BTreeMap;

use squall_proto::{Packet, PacketType, ReasonCode, Version};

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
    fn broker_sends(
        &mut self,
        packet: &Packet,
        version: Version,
        asked: Option<&Asked>,
    ) -> Result<(), String> {
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
            // [MQTT-3.8.4-2] [MQTT-3.8.4-6] [v3 MQTT-3.8.4-2] [v3 MQTT-3.8.4-5]
            Packet::Suback(suback) => answers(PacketType::Subscribe, Some(suback.reason_codes.len()), asked),
            // [MQTT-3.10.4-5] [v3 MQTT-3.10.4-4]
            Packet::Unsuback(unsuback) => {
                let codes = (version == Version::V5).then_some(unsuback.reason_codes.len());
                answers(PacketType::Unsubscribe, codes, asked)
            }
            Packet::Pingresp => answers(PacketType::Pingreq, None, asked),
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
}

/// The request that a packet of the broker answers, with the number of its filters.
struct Asked {
    filters: usize,
}

/// Whether somebody asked, and got as many Reason Codes as there were filters.
fn answers(request: PacketType, codes: Option<usize>, asked: Option<&Asked>) -> Result<(), String> {
    let Some(Asked { filters }) = asked else {
        return Err(format!("an answer to a {request}"));
    };
    match codes {
        Some(codes) if codes != *filters => Err(format!("{filters} Reason Codes")),
        Some(_) | None => Ok(()),
    }
}

/// What the last packet of the broker answers.
fn asked(now: &Now<'_>) -> Option<Asked> {
    let (_, index) = now.model.seen.answered?.at;
    let What::Arrived { packet, .. } = &now.model.events.get(index)?.what else {
        return None;
    };
    let filters = match packet {
        Packet::Subscribe(subscribe) => subscribe.filters.len(),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.len(),
        _other_packets => 0,
    };
    Some(Asked { filters })
}

impl WellFormed {
    fn sent(&mut self, now: &Now<'_>, wire: WireId, from: Side, packet: &Packet) -> Option<Found> {
        let talk = self.wires.entry(wire).or_default();
        let said = match from {
            Side::Client => talk.client_sends(packet),
            Side::Broker => talk.broker_sends(packet, now.model.version, asked(now).as_ref()),
        };
        let irregular = match now.model.exchanges.irregularity() {
            Some(
                irregularity @ (Irregularity::UnknownAck
                | Irregularity::UnknownPubrel
                | Irregularity::UnknownPubcomp),
            ) => Err(irregularity.to_string()),
            // These are for other checks.
            Some(
                Irregularity::AckOutOfOrder
                | Irregularity::DupOnFirst
                | Irregularity::IdInUse
                | Irregularity::NoDupOnResend
                | Irregularity::ResentAcknowledged
                | Irregularity::ResentOutOfOrder
                | Irregularity::ResentWithoutReconnect,
            )
            | None => Ok(()),
        };
        let expected = said.and(irregular).err().filter(|_| now.judges(wire, from))?;
        Some(now.found([], expected, crate::trace::packet_line(packet)))
    }
}

impl Checker for WellFormed {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        match &now.event.what {
            What::Sent { wire, from, packet } => found.extend(self.sent(now, *wire, *from, packet)),
            What::Malformed { wire, from, error } if now.judges(*wire, *from) => {
                found.push(now.found([], "well-formed packets", error.to_string()));
            }
            _other_events => {}
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
