//! What mutations ask of packets, and do to them.

use bytes::Bytes;
use squall_proto::{Ack, Delivery, Packet, PacketId, PacketType, Properties, Publish, Qos, TopicName};

use super::conn::Conn;

/// Whether it is of this type.
pub(super) fn is(kind: PacketType) -> impl Fn(&Packet, &Conn) -> bool + Send + 'static {
    move |packet, _| packet.packet_type() == kind
}

/// The PUBLISH that it is.
pub(super) const fn publish(packet: &Packet) -> Option<&Publish> {
    if let Packet::Publish(publish) = packet {
        Some(publish)
    } else {
        None
    }
}

/// The acknowledgement that it is.
pub(super) const fn ack(packet: &mut Packet) -> Option<&mut Ack> {
    if let Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) = packet {
        Some(ack)
    } else {
        None
    }
}

/// The Packet Identifier of a PUBLISH of this QoS.
pub(super) fn id_of(packet: &Packet, qos: Qos) -> Option<PacketId> {
    let delivery = publish(packet)?.delivery;
    delivery.packet_id().filter(|_| delivery.qos() == qos)
}

/// Whether it is sent again.
pub(super) fn is_resent(packet: &Packet) -> bool {
    publish(packet).is_some_and(|publish| publish.dup)
}

/// Another Packet Identifier, where it has one.
pub(super) fn rename(publish: &mut Publish, id: PacketId) {
    match &mut publish.delivery {
        Delivery::AtMostOnce => {}
        Delivery::AtLeastOnce(old) | Delivery::ExactlyOnce(old) => *old = id,
    }
}

/// The Packet Identifier so many after this one.
pub(super) fn id_after(id: PacketId, by: u16) -> PacketId {
    PacketId::new(id.value().wrapping_add(by)).unwrap_or(PacketId::MIN)
}

/// A message of QoS 0.
pub(super) fn at_most_once(topic: TopicName, payload: Bytes) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: Some(topic),
        properties: Properties::new(),
        payload,
    })
}

/// The same message once more.
pub(super) fn again(mut publish: Publish) -> Packet {
    publish.dup = publish.delivery.qos() != Qos::AtMostOnce;
    Packet::Publish(publish)
}
