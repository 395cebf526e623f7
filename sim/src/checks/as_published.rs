//! I3: nothing is delivered that nobody published: topic, payload and properties are as they were sent, RETAIN and QoS are what the
//! subscription makes of them, and who gets it has asked for it.

use squall_proto::{Properties, Publish, Qos, Version};

use super::{Checker, Found, Now, shown};
use crate::model::{Message, Model, Session, TopicId};

/// Nothing of its own: the model knows what was published, and who asked for it.
pub(super) struct AsPublished;

impl AsPublished {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for AsPublished {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let Some((session, topic, publish)) = now.published() {
            found.extend(judge(now, session, topic, publish));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn judge(now: &Now<'_>, session: &Session, topic: TopicId, publish: &Publish) -> Option<Found> {
    let model = now.model;
    let topics = &model.topics;
    let name = topics.name(topic).text();
    let Some(message) = model.seen.message.map(|message| model.messages.get(message)) else {
        let got = format!("{} to `{name}`", shown(&publish.payload));
        return Some(now.found([], "only what somebody has published", got));
    };
    let Some((low, high)) = session.qos(topics, topic, Some(message)) else {
        let got = format!("{} to `{name}`", shown(&publish.payload));
        let expected = format!("only what a subscription of `{}` matches", session.client_id);
        return Some(now.found([message.first.1], expected, got));
    };
    let wrong = [
        qos(publish, low.min(message.qos_min), high.min(message.qos)),
        retain(model, session, message, publish),
        local(model, session, message, publish),
        properties(model, session, message, publish),
    ];
    let (expected, got) = wrong.into_iter().flatten().next()?;
    let expected = format!(
        "{} for `{}` {expected}",
        shown(&publish.payload),
        session.client_id
    );
    Some(now.found([message.first.1], expected, got))
}

type Wrong = (String, String);

// [MQTT-3.8.4-8] [v3 MQTT-3.8.4-6]
fn qos(publish: &Publish, low: Qos, high: Qos) -> Option<Wrong> {
    let qos = publish.delivery.qos();
    let bound = if qos > high {
        format!("at QoS {} at most", high.value())
    } else if qos < low {
        format!("at QoS {} at least", low.value())
    } else {
        return None;
    };
    Some((bound, format!("QoS {}", qos.value())))
}

fn retain(model: &Model<'_>, session: &Session, message: &Message, publish: &Publish) -> Option<Wrong> {
    if publish.retain {
        // [MQTT-3.3.1-12] [v3 MQTT-3.3.1-9]
        let expected = "with RETAIN 0: it was published without".to_owned();
        return (!message.retain).then(|| (expected, "RETAIN 1".to_owned()));
    }
    // [MQTT-3.3.1-8] [v3 MQTT-3.3.1-8] What was over and done with before the subscription can only be retained.
    let settled = message.settled?;
    let mut bringing = session.bringing(&model.topics, message.topic, Some(message));
    // What a group was owed may be handed on to who joins it. [MQTT-4.8.2-5]
    let is_shared = |filter| model.topics.filter(filter).share_name().is_some();
    let is_older = bringing.all(|(filter, subscription)| {
        let since = subscription.may.since;
        !is_shared(filter) && since.is_some_and(|(_, since)| settled < since)
    });
    let expected = "with RETAIN 1 or not at all: it was published before the subscription".to_owned();
    is_older.then(|| (expected, "RETAIN 0".to_owned()))
}

// [MQTT-3.8.3-3] What is retained is not forwarded: it may be sent for a new subscription.
fn local(model: &Model<'_>, session: &Session, message: &Message, publish: &Publish) -> Option<Wrong> {
    if publish.retain {
        return None;
    }
    let is_own = message.publisher == session.client && !message.has_more_publishers;
    let mut bringing = session.bringing(&model.topics, message.topic, Some(message));
    let is_unwanted = is_own && bringing.all(|(_, subscription)| !subscription.may.local);
    is_unwanted.then(|| ("not to be sent: No Local".to_owned(), "it was sent".to_owned()))
}

// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
fn properties(model: &Model<'_>, session: &Session, message: &Message, publish: &Publish) -> Option<Wrong> {
    let version = model.wires.get(session.wire)?.version()?;
    if version != Version::V5 || (publish.properties.is_empty() && !message.has_properties) {
        return None;
    }
    let mut sources = message.properties(model.events)?;
    let is_same = sources.any(|published| is_same(published, &publish.properties));
    let expected = "with the properties it was published with".to_owned();
    (!is_same).then(|| (expected, format!("{:?}", publish.properties)))
}

/// Whether two messages carry the same in all that is passed on unaltered.
fn is_same(published: &Properties, delivered: &Properties) -> bool {
    published.payload_format_indicator() == delivered.payload_format_indicator()
        && published.content_type() == delivered.content_type()
        && published.response_topic() == delivered.response_topic()
        && published.correlation_data() == delivered.correlation_data()
        && published.user_properties().eq(delivered.user_properties())
}
