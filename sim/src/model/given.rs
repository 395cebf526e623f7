use squall_proto::{Instant, Packet, Publish, Qos};

use super::{Begun, MessageId, Model, Request};
use crate::trace::{Side, WireId};

/// What the broker sends.
impl Model<'_> {
    pub(super) fn broker_sent(&mut self, at: Instant, index: usize, wire: WireId, packet: &Packet) {
        let answered = self.requests.answered(wire, packet);
        self.seen.answered = answered.as_ref().map(|(request, _)| *request);
        match packet {
            Packet::Connack(connack) if !connack.reason_code.is_error() => {
                self.wills_fall_due(at);
                self.seen.connected =
                    self.sessions
                        .connected(at, wire, connack, &self.wires, &mut self.topics);
                if let Some(connected) = self.seen.connected {
                    self.wires.belongs_to(wire, connected.session);
                    self.seen.session = Some(connected.session);
                }
                self.exchanges
                    .connected(wire, Side::Broker, connack.session_present, &self.wires);
                self.will_of_connected((at, index), wire, connack.session_present);
                let of_wire = self.wires.get(wire);
                if of_wire.is_some_and(|wire| wire.over_for(Side::Broker).is_some()) {
                    self.sessions.disconnected(at, wire, false, &self.wires);
                    self.will_of_ended((at, index), wire, false);
                }
            }
            Packet::Publish(publish) => {
                self.wills_fall_due(at);
                self.look_up(wire, Side::Broker, packet);
                self.broker_sent_publish(index, wire, publish);
            }
            _other_packets => {}
        }
        self.exchanges.sent(at, wire, Side::Broker, packet, &self.wires);
        if let Some((request, handled)) = answered {
            for (message, published) in handled {
                self.settled(index, message, published);
            }
            self.answered((at, index), wire, &request, packet);
        }
    }

    fn broker_sent_publish(&mut self, index: usize, wire: WireId, publish: &Publish) {
        let (Some(message), Some(id)) = (self.seen.message, self.sessions.current(wire, &self.wires)) else {
            return;
        };
        let packet_id = publish.delivery.packet_id();
        let of_wire = self.wires.get(wire);
        let is_again =
            of_wire.is_some_and(|wire| self.exchanges.is_under_way(wire, packet_id, &publish.payload));
        // What the broker sent to a connection that had died comes with DUP, for the first time.
        let is_over = of_wire.is_some_and(|wire| wire.over_for(Side::Broker).is_some());
        self.seen.is_first = (!publish.dup || !is_again) && !is_over;
        let delivery = self.deliveries.sent(index, id, message, publish);
        self.seen.delivery = Some(delivery);
        let of_message = self.messages.get(message);
        let session = self.sessions.get(id);
        let is_live = !publish.retain || session.may_keep_retain(&self.topics, of_message.topic);
        if of_message.is_will && self.seen.is_first && is_live {
            self.wills.sent(message, id, publish.retain);
        }
        let is_sure = session.copies_max(&self.topics, of_message.topic) == 1;
        for filter in session.shares(&self.topics, of_message.topic) {
            let begun = Begun {
                session: id,
                qos: publish.delivery.qos(),
                index,
                is_sure,
            };
            self.groups.begun(filter, message, begun);
        }
    }

    /// The broker has answered a request: now it is certain what came of it.
    fn answered(&mut self, now: (Instant, usize), wire: WireId, request: &Request, packet: &Packet) {
        let (_, index) = now;
        match (packet, request.publishes) {
            (
                Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubcomp(ack),
                Some((message, published)),
            ) if ack.reason_code.is_error() => {
                let topic = self.messages.get(message).topic;
                self.retained.refused(topic, published, index);
            }
            (Packet::Puback(_) | Packet::Pubcomp(_), Some((message, published))) => {
                self.acknowledged(now, message, published);
            }
            (Packet::Suback(suback), _) => {
                if let (Some(Packet::Subscribe(subscribe)), Some(session)) = (
                    self.request(request.at.1),
                    self.sessions.current(wire, &self.wires),
                ) {
                    let answer = (subscribe, &suback.reason_codes[..]);
                    let places = (request.at.1, index);
                    let wanted = self.sessions.subacked(places, session, answer, &mut self.topics);
                    self.owe_retained(now, session, request.at.1, &wanted);
                }
            }
            (Packet::Unsuback(unsuback), _) => {
                if let (Some(Packet::Unsubscribe(unsubscribe)), Some(session)) = (
                    self.request(request.at.1),
                    self.sessions.current(wire, &self.wires),
                ) {
                    let answer = (unsubscribe, unsuback);
                    self.sessions.unsubacked(index, session, answer, &mut self.topics);
                }
            }
            _other_answers => {}
        }
    }

    /// An acknowledgement that was lost with its connection is said again: then nothing more follows from it.
    fn acknowledged(&mut self, now: (Instant, usize), message: MessageId, published: usize) {
        if self.messages.acknowledged(message, published) {
            self.settled(now.1, message, published);
            self.owe(now, message, published);
        }
    }

    fn settled(&mut self, index: usize, message: MessageId, published: usize) {
        self.messages.settled(index, message);
        let message = self.messages.get(message);
        // QoS 0 is forwarded and not retained, where the disk cannot take it.
        let may_be_left_out = message.qos_min == Qos::AtMostOnce && self.disturbances.broker_may_wait();
        if message.retain && !may_be_left_out {
            self.retained.settled(message.topic, published, index);
        }
    }
}
