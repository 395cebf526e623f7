//! I1 of groups: what the broker has acknowledged reaches a member of every shared subscription that was there, as long as one of its
//! members stays: what the session of another leaves unfinished is handed on. [MQTT-4.8.2-5] Except what was under way at QoS 2.
//!
//! Judged at the end of the run. Where a member takes QoS 0, or somebody is away in whose session it may wait, nothing is owed. Nor is it
//! where a message may be too large for a member: the broker may choose that one. [MQTT-3.1.2-25]

use squall_proto::Qos;

use super::{Checker, Found, Now, shown};
use crate::model::{Model, Owed, Session, SessionId, Share, Wire};

/// Nothing of its own: the model knows what groups are owed.
pub(super) struct NoSharedLoss;

impl NoSharedLoss {
    pub(super) const fn new(_: &Model<'_>) -> Self {
        Self
    }
}

impl Checker for NoSharedLoss {
    fn observe(&mut self, _: &Now<'_>, _: &mut Vec<Found>) {}

    fn finish(&mut self, now: &Now<'_>, found: &mut Vec<Found>) {
        let missing = now.model.groups.iter().filter_map(|share| {
            let owed = share.owed.as_ref().filter(|_| !share.has_arrived)?;
            is_still_owed(now, share, owed).then_some((share, owed))
        });
        let mut missing: Vec<(&Share, &Owed)> = missing.collect();
        missing.sort_by_key(|(_, owed)| owed.published);
        if let Some((share, owed)) = missing.first() {
            let (at, acknowledged) = owed.acknowledged;
            let expected = format!(
                "a member of `{}` to get {}, which was acknowledged at {at}",
                now.model.topics.filter(share.filter).text(),
                shown(&now.model.messages.get(share.message).payload),
            );
            let got = format!("it never arrived, nor did {} more", missing.len() - 1);
            found.push(now.found([owed.published, acknowledged], expected, got));
        }
    }
}

/// A member was there all the time, and nobody is away in whose session it may wait.
fn is_still_owed(now: &Now<'_>, share: &Share, owed: &Owed) -> bool {
    let (model, filter) = (now.model, share.filter);
    let message = model.messages.get(share.message);
    let may_end_with = |id: SessionId| alive(now, id).is_none();
    let begun = share.begun.iter();
    let may_have_ended = begun
        .filter(|begun| begun.qos == Qos::ExactlyOnce)
        .any(|begun| may_end_with(begun.session));
    let stayed = |id: &SessionId| alive(now, *id).is_some_and(|session| session.has(filter));
    let may_keep_it = |(_, session): (SessionId, &Session)| {
        let was_there = owed
            .members
            .iter()
            .any(|member| model.sessions.get(*member).client == session.client);
        let is_away = session.is_alive(now.at) && !model.wires.get(session.wire).is_some_and(Wire::is_up);
        (was_there || session.subscriptions.contains_key(&filter)) && is_away
    };
    let takes_it = |id: &SessionId| model.sessions.get(*id).surely_takes(&message.payload);
    !may_have_ended
        && owed.members.iter().all(takes_it)
        && message.expires.is_none()
        && owed.members.iter().any(stayed)
        && !model.sessions.iter().any(may_keep_it)
}

fn alive<'a>(now: &'a Now<'_>, id: SessionId) -> Option<&'a Session> {
    let session = now.model.sessions.get(id);
    session.is_alive(now.at).then_some(session)
}
