//! I3: at QoS 0 a message is delivered at most once a publication and subscription. [MQTT-4.3.1-1]

use squall_proto::Qos;

use super::{Checker, Found, Now, shown};
use crate::model::Model;

/// Nothing of its own: the model counts deliveries.
pub(super) struct AtMostOnce;

impl AtMostOnce {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for AtMostOnce {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let (Some((session, _, publish)), Some((delivery, message))) = (now.published(), now.delivery())
        else {
            return;
        };
        if publish.delivery.qos() != Qos::AtMostOnce || publish.retain || message.is_will {
            return;
        }
        let copies = session.copies_max(&now.model.topics, message.topic).max(1);
        if delivery.sent_at_most_once > message.published * copies {
            let expected = format!(
                "`{}` to get {} once at QoS 0",
                session.client_id,
                shown(&publish.payload)
            );
            let before = [Some(message.first.1), delivery.sent_before]
                .into_iter()
                .flatten();
            let got = format!("it was sent {} times", delivery.sent_at_most_once);
            found.push(now.found(before, expected, got));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}
