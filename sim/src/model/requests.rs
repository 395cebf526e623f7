use std::collections::VecDeque;

use squall_proto::{Delivery, Instant, Packet, PacketId, PacketType};

use super::numbered::MessageId;
use crate::trace::WireId;

/// What the broker has been asked, on each connection, and has not answered. A connection's packets are handled in their order: what
/// came before an answered one has been handled too.
#[derive(Debug, Default)]
pub(crate) struct Requests(Vec<VecDeque<Request>>);

/// A packet of a client that calls for an answer; or a QoS 0 PUBLISH with RETAIN, which gets none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) packet: PacketType,
    packet_id: Option<PacketId>,
    /// When it reached the broker, and the place of that in the trace.
    pub(crate) at: (Instant, usize),
    /// What it publishes, and the place of the PUBLISH.
    pub(crate) publishes: Option<(MessageId, usize)>,
}

impl Requests {
    /// What a connection has asked and not been answered.
    pub(crate) fn open(&self, wire: WireId) -> impl Iterator<Item = &Request> {
        let requests = self.0.get(wire.0 as usize).into_iter().flatten();
        requests.filter(|request| request.is_answered())
    }

    /// A packet has reached the broker.
    pub(super) fn asked(
        &mut self,
        at: (Instant, usize),
        wire: WireId,
        packet: &Packet,
        publishes: Option<(MessageId, usize)>,
    ) {
        let packet_id = match packet {
            Packet::Connect(_) | Packet::Pingreq => None,
            Packet::Publish(publish) => match publish.delivery {
                Delivery::AtMostOnce if !publish.retain => return,
                Delivery::AtMostOnce => None,
                Delivery::AtLeastOnce(packet_id) | Delivery::ExactlyOnce(packet_id) => Some(packet_id),
            },
            Packet::Pubrel(ack) => Some(ack.packet_id),
            Packet::Subscribe(subscribe) => Some(subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.packet_id),
            _answered_elsewhere => return,
        };
        let place = wire.0 as usize;
        if self.0.len() <= place {
            self.0.resize_with(place + 1, VecDeque::new);
        }
        if let Some(requests) = self.0.get_mut(place) {
            requests.push_back(Request {
                packet: packet.packet_type(),
                packet_id,
                at,
                publishes,
            });
        }
    }

    /// The broker has sent an answer: to what, and the QoS 0 messages that it must have handled before. `None`: nobody asked.
    pub(super) fn answered(
        &mut self,
        wire: WireId,
        packet: &Packet,
    ) -> Option<(Request, Vec<(MessageId, usize)>)> {
        let (request, packet_id) = match packet {
            Packet::Connack(_) => (PacketType::Connect, None),
            Packet::Puback(ack) | Packet::Pubrec(ack) => (PacketType::Publish, Some(ack.packet_id)),
            Packet::Pubcomp(ack) => (PacketType::Pubrel, Some(ack.packet_id)),
            Packet::Suback(suback) => (PacketType::Subscribe, Some(suback.packet_id)),
            Packet::Unsuback(unsuback) => (PacketType::Unsubscribe, Some(unsuback.packet_id)),
            Packet::Pingresp => (PacketType::Pingreq, None),
            _no_answers => return None,
        };
        let requests = self.0.get_mut(wire.0 as usize)?;
        let place = requests.iter().position(|asked| {
            (asked.packet, asked.packet_id) == (request, packet_id) && asked.is_answered()
        })?;
        let answered = requests.remove(place)?;
        let mut handled = Vec::new();
        for before in (0..place).rev() {
            if requests.get(before).is_some_and(|asked| !asked.is_answered()) {
                let asked = requests.remove(before);
                handled.extend(asked.and_then(|asked| asked.publishes));
            }
        }
        Some((answered, handled))
    }
}

impl Request {
    /// Whether an answer is owed to it.
    fn is_answered(&self) -> bool {
        self.packet != PacketType::Publish || self.packet_id.is_some()
    }
}
