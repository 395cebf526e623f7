//! I14: a Topic Alias stands for what it was given on its own connection, and is none that the other side does not take.
//! [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.2.2-17] [MQTT-3.2.2-18] [MQTT-3.3.2-9] [MQTT-3.3.2-11]

use squall_proto::Packet;

use super::{Checker, Found, Now};
use crate::{
    model::Model,
    trace::{Side, What, WireId},
};

/// Nothing of its own: the model knows the aliases of each connection.
pub(super) struct TopicAliases;

impl TopicAliases {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for TopicAliases {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        match &now.event.what {
            What::Sent {
                wire,
                from: Side::Broker,
                packet,
            } => found.extend(wrong(now, *wire, Side::Broker, packet)),
            // What the client's aliases stand for is known when they arrive.
            What::Arrived {
                wire,
                from: Side::Client,
                packet,
            } => found.extend(wrong(now, *wire, Side::Client, packet)),
            _other_events => {}
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn wrong(now: &Now<'_>, id: WireId, from: Side, packet: &Packet) -> Option<Found> {
    let Packet::Publish(publish) = packet else {
        return None;
    };
    let alias = publish.properties.topic_alias()?;
    let wire = now.model.wires.get(id).filter(|_| now.judges(id, from))?;
    let max = wire.takes.of(from.other()).topic_alias_maximum;
    if alias.value() > max {
        let expected = format!("Topic Aliases up to {max}");
        return Some(now.found([], expected, alias.value().to_string()));
    }
    now.model.seen.topic.is_none().then(|| {
        let expected = "a Topic Alias that was given a topic on this connection";
        now.found([], expected, alias.value().to_string())
    })
}
