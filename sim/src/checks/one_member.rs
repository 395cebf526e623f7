//! I2 of groups: a message goes to one member of each shared subscription. Another gets it only after the session of the first has
//! ended, and never when it was under way at QoS 2. [MQTT-4.8.2-4] [MQTT-4.8.2-5]
//!
//! With another subscription that matches, a packet does not tell for which it was sent: such sessions are left alone, and count for
//! nobody.

use squall_proto::Qos;

use super::{Checker, Found, Now, shown};
use crate::model::{Begun, Model, Session};

/// Nothing of its own: the model knows to whom each message went.
pub(super) struct OneMember;

impl OneMember {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for OneMember {
    fn observe(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        found.extend(
            now.published()
                .and_then(|(session, ..)| one_too_many(now, session)),
        );
    }

    fn finish(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}
}

fn one_too_many(now: &Now<'_>, session: &Session) -> Option<Found> {
    let model = now.model;
    let (delivery, message) = now.delivery().filter(|(_, message)| !message.is_will)?;
    let filter = session.shares(&model.topics, message.topic).next()?;
    let begun = &model.groups.find(filter, delivery.message)?.begun;
    // The newest is judged when it begins.
    let (newest, others) = begun
        .split_last()
        .filter(|(newest, _)| newest.index == now.index && newest.is_sure)?;
    let others = others
        .iter()
        .filter(|earlier| earlier.is_sure && !is_handed_on(now, earlier));
    let others: Vec<usize> = others.map(|earlier| earlier.index).collect();
    let expected = format!(
        "{} to go to one member of `{}`",
        shown(&message.payload),
        model.topics.filter(filter).text()
    );
    (newest.session == delivery.session && others.len() >= message.published)
        .then(|| now.found(others, expected, "it goes to another, whose turn it is not"))
}

/// Whether another member may have it now.
fn is_handed_on(now: &Now<'_>, begun: &Begun) -> bool {
    let session = now.model.sessions.get(begun.session);
    let is_taken_over = now.model.wires.is_taken_over_at(session.wire, now.at);
    let goes_on = session.is_alive(now.at) && !is_taken_over;
    begun.qos == Qos::AtLeastOnce && !goes_on
}
