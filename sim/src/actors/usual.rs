//! The smallest answers that are right.

use std::collections::BTreeSet;

use squall_proto::{Connect, Delivery, Packet, Text, Version};

use crate::scenario::{RawAck, RawBody, RawConnack, RawNothing, RawPacket, RawSuback, RawUnsuback};

/// What ends exchanges: the usual answer of a peer.
pub(super) fn acknowledgement(packet: &Packet) -> Option<RawPacket> {
    let ack = RawAck::default();
    let body = match packet {
        Packet::Publish(publish) => match publish.delivery {
            Delivery::AtMostOnce => return None,
            Delivery::AtLeastOnce(_) => RawBody::Puback(ack),
            Delivery::ExactlyOnce(_) => RawBody::Pubrec(ack),
        },
        // [MQTT-4.3.3-4] A PUBREC that refuses is the end of it.
        Packet::Pubrec(pubrec) if pubrec.reason_code.is_error() => return None,
        Packet::Pubrec(_) => RawBody::Pubrel(ack),
        Packet::Pubrel(_) => RawBody::Pubcomp(ack),
        Packet::Connect(_)
        | Packet::Connack(_)
        | Packet::Puback(_)
        | Packet::Pubcomp(_)
        | Packet::Subscribe(_)
        | Packet::Suback(_)
        | Packet::Unsubscribe(_)
        | Packet::Unsuback(_)
        | Packet::Pingreq
        | Packet::Pingresp
        | Packet::Disconnect(_)
        | Packet::Auth(_) => return None,
    };
    Some(RawPacket::new(body))
}

/// The usual answer of a scripted broker.
pub(super) fn of_a_broker(packet: &Packet) -> Option<RawPacket> {
    let body = match packet {
        Packet::Connect(_) => RawBody::Connack(RawConnack::default()),
        Packet::Subscribe(_) => RawBody::Suback(RawSuback::default()),
        Packet::Unsubscribe(_) => RawBody::Unsuback(RawUnsuback::default()),
        Packet::Pingreq => RawBody::Pingresp(RawNothing {}),
        Packet::Connack(_)
        | Packet::Publish(_)
        | Packet::Puback(_)
        | Packet::Pubrec(_)
        | Packet::Pubrel(_)
        | Packet::Pubcomp(_)
        | Packet::Suback(_)
        | Packet::Unsuback(_)
        | Packet::Pingresp
        | Packet::Disconnect(_)
        | Packet::Auth(_) => return acknowledgement(packet),
    };
    Some(RawPacket::new(body))
}

/// The Client Identifiers that a scripted broker has a session of. It has nothing else of a session.
#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeSet<Text>);

impl Sessions {
    /// Whether there is a session that goes on; from now on there is one if the client wants it kept.
    pub(super) fn connect(&mut self, connect: &Connect) -> bool {
        let is_kept = match connect.version {
            Version::V3_1_1 => !connect.clean_start,
            Version::V5 => connect.properties.session_expiry_interval().unwrap_or(0) > 0,
        };
        let was_there = self.0.remove(&connect.client_id);
        if is_kept {
            self.0.insert(connect.client_id.clone());
        }
        was_there && !connect.clean_start
    }
}
