//! I2: at QoS 2 a message is delivered at most once a publication and subscription, whatever breaks in between. [MQTT-4.3.3-10]
//! [v3 MQTT-4.3.3-2]

use squall_proto::{Packet, Qos};

use super::{Checker, Found, Now, shown};
use crate::{
    model::Model,
    trace::{Side, What},
};

/// Nothing of its own: the model counts deliveries.
pub(super) struct ExactlyOnce;

impl ExactlyOnce {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for ExactlyOnce {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let (
            What::Arrived {
                from: Side::Broker,
                packet: Packet::Publish(publish),
                ..
            },
            Some((delivery, message)),
        ) = (&now.event.what, now.delivery())
        else {
            return;
        };
        if publish.delivery.qos() != Qos::ExactlyOnce || publish.retain || message.is_will {
            return;
        }
        let session = now.model.sessions.get(delivery.session);
        let copies = session.copies_max(&now.model.topics, message.topic).max(1);
        if delivery.arrived_exactly_once > message.published * copies {
            let expected = format!(
                "`{}` to get {} once at QoS 2",
                session.client_id,
                shown(&publish.payload)
            );
            let before = [
                Some(message.first.1),
                delivery.sent.map(|(first, _)| first),
                delivery.sent_before,
            ]
            .into_iter()
            .flatten();
            let got = format!("it came {} times", delivery.arrived_exactly_once);
            found.push(now.found(before, expected, got));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
