//! A message carries the Subscription Identifiers of the subscriptions that brought it, and no others. [MQTT-3.3.4-3] [MQTT-3.3.4-4]
//! [MQTT-3.3.4-5]
//!
//! What a subscription had before it was made anew may still come with its old identifier. When only one of several subscriptions
//! brought this copy is not on the wire: any of them may have.

use squall_proto::{Publish, SubscriptionId};

use super::{Checker, Found, Now, shown};
use crate::model::{Model, Session, TopicId};

/// Nothing of its own: the model knows the subscriptions.
pub(super) struct SubscriptionIds;

impl SubscriptionIds {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for SubscriptionIds {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        if let Some((session, topic, publish)) = now.published() {
            found.extend(wrong(now, session, topic, publish));
        }
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn wrong(now: &Now<'_>, session: &Session, topic: TopicId, publish: &Publish) -> Option<Found> {
    let topics = &now.model.topics;
    let bringing = || {
        let all = session.bringing(topics, topic, None);
        all.map(|(_, subscription)| &subscription.may.ids)
    };
    let is_known = |id: SubscriptionId| bringing().any(|ids| ids.contains(&Some(id)));
    let mut carried = publish.properties.subscription_identifiers().peekable();
    let has_none = carried.peek().is_none();
    let must_have_one = || bringing().next().is_some() && bringing().all(|ids| !ids.contains(&None));
    let stranger = carried.find(|id| !is_known(*id));
    let payload = || shown(&publish.payload);
    let (expected, got) = match stranger {
        Some(id) => (
            format!(
                "{} to carry identifiers that `{}` gave",
                payload(),
                session.client_id
            ),
            format!("Subscription Identifier {}", id.value()),
        ),
        None if has_none && must_have_one() => (
            format!(
                "{} to carry the identifier that `{}` gave",
                payload(),
                session.client_id
            ),
            "no Subscription Identifier".to_owned(),
        ),
        None => return None,
    };
    Some(now.found([], expected, got))
}
