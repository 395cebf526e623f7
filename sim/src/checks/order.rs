//! I4: a session gets each publisher's messages of a topic and QoS in the order in which they reached the broker.
//! [MQTT-4.6.0-5] [MQTT-4.6.0-6] [v3 MQTT-4.6.0-6] And a client acknowledges in order. [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]
//! [v3 MQTT-4.6.0-2] [v3 MQTT-4.6.0-3] [v3 MQTT-4.6.0-4]
//!
//! A redelivery may come late, a retained message is an old one; a Will, or what was published twice, has no one place. Of a shared
//! subscription a member may get what was another's before.

use squall_proto::{Packet, Qos};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{ClientNumber, Irregularity, Lookup, MessageId, Model, SessionId, TopicId},
    trace::{Side, What},
};

/// The last first delivery of each stream of messages, and where it came.
pub(super) struct Order {
    last: Lookup<Stream, (MessageId, usize)>,
}

/// Receiver, publisher, topic, published QoS, delivered QoS.
type Stream = (SessionId, ClientNumber, TopicId, Qos, Qos);

impl Order {
    pub(super) fn new(_: &Model<'_>) -> Self {
        Self {
            last: Lookup::default(),
        }
    }
}

impl Checker for Order {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let (What::Sent { wire, from, packet }, Some(Irregularity::AckOutOfOrder)) =
            (&now.event.what, now.model.exchanges.irregularity())
            && now.judges(*wire, *from)
        {
            let expected = Irregularity::AckOutOfOrder.to_string();
            found.push(now.found([], expected, crate::trace::packet_line(packet)));
        }
        let model = now.model;
        let (
            What::Arrived {
                wire,
                from: Side::Broker,
                packet: Packet::Publish(publish),
            },
            Some((delivery, message)),
        ) = (&now.event.what, now.delivery())
        else {
            return;
        };
        let session = model.sessions.get(delivery.session);
        let has_no_place = !now.judges(*wire, Side::Broker)
            || publish.retain
            || message.is_will
            || message.published > 1
            || delivery.arrived > 1;
        if has_no_place || session.shares(&model.topics, message.topic).next().is_some() {
            return;
        }
        let (from, to) = (message.qos, publish.delivery.qos());
        let stream = (delivery.session, message.publisher, message.topic, from, to);
        let last = self.last.entry(stream).or_insert((delivery.message, now.index));
        let (before, before_at) = *last;
        if delivery.message >= before {
            *last = (delivery.message, now.index);
            return;
        }
        let expected = format!(
            "`{}` to get {} before what `{}` published later to `{}`",
            session.client_id,
            shown(&publish.payload),
            model.wires.client_id(message.publisher),
            model.topics.name(message.topic).text()
        );
        found.push(now.found([message.first.1, before_at], expected, "it came after"));
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
