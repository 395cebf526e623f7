use bytes::Bytes;
use squall_proto::{Connect, Instant, Packet, Qos};

use super::{MessageId, Model, Receipt, messages::Published};
use crate::trace::{Side, WireId};

/// What reaches the broker.
impl Model<'_> {
    pub(super) fn broker_got(&mut self, now: (Instant, usize), wire: WireId, packet: &Packet) {
        let (at, index) = now;
        self.look_up(wire, Side::Client, packet);
        if self.is_refused(packet) {
            self.wires.at_fault(wire);
        }
        let published = self.published(now, wire, packet);
        let mut publishes = published.map(|published| (self.messages.learn(&published), index));
        let end = (wire, Side::Broker);
        let receipt = self.exchanges.arrived(at, end, packet, publishes, &self.wires);
        self.seen.receipt = Some(receipt);
        match (receipt, published, publishes) {
            (Receipt::Again, _, _) => {}
            (Receipt::Released(message, published), _, _) => publishes = Some((message, published)),
            (_, Some(published), Some((message, _))) => self.take(wire, message, &published),
            _nothing_published => {}
        }
        self.seen.message = publishes.map(|(message, _)| message);
        self.requests.asked(now, wire, packet, publishes);
        let current = self.sessions.current(wire, &self.wires);
        match (packet, current) {
            (Packet::Connect(connect), _) => self.promised(now, wire, connect),
            (Packet::Subscribe(subscribe), Some(session)) => {
                self.sessions
                    .subscribed(now, session, subscribe, &mut self.topics);
            }
            (Packet::Unsubscribe(unsubscribe), Some(session)) => {
                self.sessions
                    .unsubscribed(index, session, unsubscribe, &mut self.topics);
            }
            (Packet::Disconnect(disconnect), Some(session)) => {
                if let Some(seconds) = disconnect.properties.session_expiry_interval() {
                    self.sessions.change_expiry(at, session, seconds);
                }
                self.will_of_ended(now, wire, false);
            }
            _other_packets => {}
        }
    }

    /// Whether the broker is set up to take no such PUBLISH, for which 3.1.1 has no word but the close.
    fn is_refused(&self, packet: &Packet) -> bool {
        let Packet::Publish(publish) = packet else {
            return false;
        };
        let is_retained = publish.retain && !self.limits.retain_available;
        is_retained || publish.delivery.qos() > self.limits.maximum_qos
    }

    /// A PUBLISH of a client as a message, if its topic is known.
    fn published<'p>(&self, at: (Instant, usize), wire: WireId, packet: &'p Packet) -> Option<Published<'p>> {
        let Packet::Publish(publish) = packet else {
            return None;
        };
        Some(Published {
            topic: self.seen.topic?,
            payload: &publish.payload,
            publisher: self.wires.get(wire)?.client?,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            at,
            properties: &publish.properties,
            is_read: self.wires.broker_hears(at.0),
        })
    }

    /// A message has reached the broker, which may have it from now on.
    fn take(&mut self, wire: WireId, message: MessageId, published: &Published<'_>) {
        self.messages.published(message, published);
        if published.qos > Qos::AtMostOnce {
            self.may_wait(published.at.0, message);
        }
        let over = self.wires.get(wire).and_then(|wire| wire.over_for(Side::Broker));
        let came = self.events.get(published.at.1).map(|event| event.at);
        if published.retain && over.is_none_or(|over| Some(over) >= came) {
            // [MQTT-3.3.1-6] [MQTT-3.3.1-7] [v3 MQTT-3.3.1-10] [v3 MQTT-3.3.1-11]
            let message = (!published.payload.is_empty()).then_some(message);
            let (from, is_unsure) = (published.at.1, published.qos == Qos::AtMostOnce);
            self.retained
                .published(published.topic, message, from, published.expires(), is_unsure);
        }
    }

    /// CONNECT brings a Will.
    fn promised(&mut self, at: (Instant, usize), wire: WireId, connect: &Connect) {
        let client = self.wires.get(wire).and_then(|wire| wire.client);
        let (Some(will), Some(publisher)) = (&connect.will, client) else {
            return;
        };
        let payload = Bytes::from(will.payload.clone());
        let published = Published {
            topic: self.topics.learn_topic(&will.topic),
            payload: &payload,
            publisher,
            qos: will.qos,
            retain: will.retain,
            at,
            properties: &will.properties,
            is_read: self.wires.broker_hears(at.0),
        };
        let message = self.messages.learn(&published);
        self.messages.promised(message, &published);
        self.wires.promises(wire, message);
        if will.retain {
            self.retained.promised(published.topic, message, at.1);
        }
    }
}
