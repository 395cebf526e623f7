//! I15: what is retained for a topic is the last that was published to it with RETAIN, and it is sent to who asks for it, and to nobody
//! else. [MQTT-3.3.1-5] [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [v3 MQTT-3.3.1-5] [v3 MQTT-3.3.1-6]
//!
//! That it must be sent is for `no_loss` to see. What came to the broker on two connections before it answered one of them may be
//! retained in either order.

use squall_proto::{Publish, Qos};

use super::{Checker, Found, Now, shown};
use crate::{
    model::{Message, MessageId, Model, Session},
    trace::Side,
};

/// Nothing of its own: the model knows what may be retained.
pub(super) struct Retained;

impl Retained {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for Retained {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let (Some((session, _, publish)), Some((delivery, message))) = (now.published(), now.delivery())
            && publish.retain
            && !publish.dup
        {
            found.extend(wrong(now, session, (delivery.message, message), publish));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn wrong(
    now: &Now<'_>,
    session: &Session,
    (id, message): (MessageId, &Message),
    publish: &Publish,
) -> Option<Found> {
    let model = now.model;
    // Then it is no retained message, or need not be.
    if session.may_keep_retain(&model.topics, message.topic) {
        return None;
    }
    let bringing = session.bringing(&model.topics, message.topic, None);
    let of_its_own = bringing.filter(|(filter, _)| model.topics.filter(*filter).share_name().is_none());
    let takes = model
        .wires
        .get(session.wire)
        .map(|wire| wire.takes.of(Side::Client));
    let has_quota = takes.is_some_and(|takes| takes.receive_maximum.is_some())
        || model.scenario.broker.inflight.is_some();
    let may_wait = publish.delivery.qos() > Qos::AtMostOnce || has_quota;
    let asked = of_its_own.filter_map(|(_, subscription)| {
        let [first, last_but_one, _] = subscription.may.retained_asked?;
        // What waits for its acknowledgement, or for the quota, may have been asked for long ago.
        Some(if may_wait { first } else { last_but_one })
    });
    let what = shown(&publish.payload);
    let topic = model.topics.name(message.topic).text();
    let Some(asked) = asked.min() else {
        let expected = format!(
            "nothing retained for `{}`, which did not ask for it",
            session.client_id
        );
        return Some(now.found([message.first.1], expected, format!("{what} with RETAIN 1")));
    };
    if model.retained.may_have_been(message.topic, id, asked) {
        return None;
    }
    let expected = format!("`{}` to get what is retained for `{topic}`", session.client_id);
    let got = format!("{what}, which was replaced before it asked");
    Some(now.found([message.first.1, asked], expected, got))
}
