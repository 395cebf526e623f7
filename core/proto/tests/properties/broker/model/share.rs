//! Shared subscriptions (section 4.8.2): any member may get a message, and one does.

use std::{cell::Cell, collections::BTreeSet, rc::Rc};

use squall_proto::Version;

use super::{
    Model, Session,
    message::{Awaits, Message, Owed},
    publish::matches,
};

/// A message that one member of a group is to get: a copy is with every session that may be the one.
pub(super) struct Share {
    /// The filter, `$share/{ShareName}/` included.
    group: String,
    message: Rc<Message>,
    pub(super) is_taken: Cell<bool>,
    /// Whether there is a reason for nobody to get it: whoever was chosen had no room, or left no member behind.
    pub(super) may_be_lost: Cell<bool>,
}

/// What a subscription is known by. 3.1.1 has no shared ones: `$share` is a level like any other there.
pub(super) fn key(version: Version, filter: &str) -> String {
    match version {
        Version::V3_1_1 if filter.starts_with("$share/") => format!("3.1.1 {filter}"),
        Version::V3_1_1 | Version::V5 => filter.to_owned(),
    }
}

impl Model {
    /// Offers a message to the members of each group that subscribes to it; whether there is one.
    pub(super) fn share(&mut self, message: &Rc<Message>, optional: bool) -> bool {
        let filters = self
            .sessions
            .values()
            .flat_map(|session| session.subscriptions.keys());
        let groups: BTreeSet<String> = filters
            .filter(|filter| levels(filter).is_some_and(|levels| matches(levels, &message.topic)))
            .cloned()
            .collect();
        for group in &groups {
            let share = Rc::new(Share {
                group: group.clone(),
                message: Rc::clone(message),
                is_taken: Cell::new(false),
                may_be_lost: Cell::new(optional),
            });
            self.offer(&share, false);
            self.shares.push(share);
        }
        !groups.is_empty()
    }

    fn offer(&mut self, share: &Rc<Share>, again: bool) {
        for session in self.sessions.values_mut() {
            let Some(subscription) = session.subscriptions.get(&share.group) else {
                continue;
            };
            let copy = Owed {
                message: Rc::clone(&share.message),
                // [MQTT-4.8.2-3]
                qos: subscription.options.qos.min(share.message.qos),
                retain: Some(share.message.retain && subscription.options.retain_as_published),
                ids: subscription.id.into_iter().collect(),
                unordered: again,
                optional: false,
                share: Some(Rc::clone(share)),
            };
            session.owed.retain(|owed| !owed.is_copy_of(share));
            let unsent = session.connection.map(|conn| self.connections[&conn].unsent);
            session.push(copy, unsent, self.limits.queued_messages);
        }
    }

    /// The session ends, and others of its groups get what it did not.
    pub(super) fn forget(&mut self, client_id: &str) {
        let Some(session) = self.sessions.remove(client_id) else {
            return;
        };
        // [MQTT-4.8.2-5] A QoS 2 message that was begun is this member's or nobody's.
        let begun = session
            .in_flight
            .into_iter()
            .filter(|it| it.awaits == Awaits::Puback)
            .map(|it| it.owed);
        let shares = begun.filter_map(|owed| owed.share);
        for share in shares {
            share.is_taken.set(false);
            self.offer(&share, true);
            self.shares.push(share);
        }
        let waiting = session.owed.into_iter().filter_map(|owed| owed.share);
        for share in waiting.filter(|share| !share.is_taken.get()) {
            self.offer(&share, true);
        }
        self.without_members();
    }

    /// What groups without members had is lost.
    pub(super) fn without_members(&self) {
        let has_members = |share: &Rc<Share>| {
            self.sessions
                .values()
                .any(|session| session.subscriptions.contains_key(&share.group))
        };
        for share in self.shares.iter().filter(|share| !has_members(share)) {
            share.may_be_lost.set(true);
        }
    }

    /// After an input: what nobody got is still with somebody.
    pub(super) fn settle_shares(&mut self) -> Result<(), String> {
        for session in self.sessions.values_mut() {
            session.owed.retain(|owed| !owed.is_taken());
        }
        for share in self
            .shares
            .extract_if(.., |share| share.is_taken.get() || Rc::strong_count(share) == 1)
        {
            if !share.is_taken.get() && !share.may_be_lost.get() {
                return Err(format!(
                    "no member of {} got {:?}",
                    share.group, share.message.payload
                ));
            }
        }
        Ok(())
    }
}

impl Session {
    /// Takes messages off what is owed; a member that had no room for one may be the one that was chosen.
    pub(super) fn leave_out(&mut self, is_left_out: impl Fn(&Owed) -> bool) {
        for owed in self.owed.extract_if(.., |owed| is_left_out(owed)) {
            if let Some(share) = owed.share {
                share.may_be_lost.set(true);
            }
        }
    }
}

impl Owed {
    fn is_copy_of(&self, share: &Rc<Share>) -> bool {
        self.share.as_ref().is_some_and(|own| Rc::ptr_eq(own, share))
    }

    pub(super) fn is_taken(&self) -> bool {
        self.share.as_ref().is_some_and(|share| share.is_taken.get())
    }
}

/// What a shared subscription matches topics with.
fn levels(filter: &str) -> Option<&str> {
    filter
        .strip_prefix("$share/")?
        .split_once('/')
        .map(|(_, levels)| levels)
}
