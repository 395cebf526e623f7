use squall_proto::{Instant, Qos};

use super::{
    Message, Model,
    numbered::{FilterId, Lookup, MessageId, Number, Numbered, SessionId},
};

/// What the shared subscriptions are owed, and to which of their members each message went.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    all: Numbered<ShareId, Share>,
    of: Lookup<(FilterId, MessageId), ShareId>,
}

super::numbered::numbers! {
    /// A message for a group.
    ShareId,
}

/// A message for all who share a subscription: for one of them.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) filter: FilterId,
    pub(crate) message: MessageId,
    /// Whom the broker has begun to send it to, in order.
    pub(crate) begun: Vec<Begun>,
    /// It has reached somebody.
    pub(crate) has_arrived: bool,
    pub(crate) owed: Option<Owed>,
}

/// A member that is sent a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    pub(crate) session: SessionId,
    pub(crate) qos: Qos,
    pub(crate) index: usize,
    /// No other subscription may have brought it.
    pub(crate) is_sure: bool,
}

/// Somebody must get it.
#[derive(Debug)]
pub(crate) struct Owed {
    /// Who was there.
    pub(crate) members: Vec<SessionId>,
    pub(crate) published: usize,
    /// When and where the broker acknowledged it.
    pub(crate) acknowledged: (Instant, usize),
}

impl Groups {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Share> {
        self.all.iter().map(|(_, share)| share)
    }

    pub(crate) fn find(&self, filter: FilterId, message: MessageId) -> Option<&Share> {
        let id = self.of.get(&(filter, message))?;
        Some(self.all.of(*id))
    }

    pub(super) fn owe(&mut self, filter: FilterId, message: MessageId, owed: Owed) {
        self.share(filter, message).owed.get_or_insert(owed);
    }

    pub(super) fn begun(&mut self, filter: FilterId, message: MessageId, begun: Begun) {
        let all = &mut self.share(filter, message).begun;
        match all.iter_mut().find(|earlier| earlier.session == begun.session) {
            Some(earlier) => earlier.qos = earlier.qos.max(begun.qos),
            None => all.push(begun),
        }
    }

    pub(super) fn arrived(&mut self, filter: FilterId, message: MessageId) {
        self.share(filter, message).has_arrived = true;
    }

    fn share(&mut self, filter: FilterId, message: MessageId) -> &mut Share {
        let all = &mut self.all;
        let id = self.of.entry((filter, message)).or_insert_with(|| {
            all.push(Share {
                filter,
                message,
                begun: Vec::new(),
                has_arrived: false,
                owed: None,
            })
        });
        self.all.of_mut(*id)
    }
}

impl Model<'_> {
    /// The members of a shared subscription that are sure to be there; `None`: one takes QoS 0, and what it is sent may be lost.
    pub(super) fn members(
        &self,
        filter: FilterId,
        (published, message): (usize, &Message),
        now: Instant,
    ) -> Option<Vec<SessionId>> {
        let mut members = Vec::new();
        for id in self.topics.subscribers(filter) {
            let session = self.sessions.get(id);
            if !session.may_be_alive(now) {
                continue;
            }
            match session.owed_qos(filter, published, message) {
                Some(Qos::AtMostOnce) => return None,
                Some(Qos::AtLeastOnce | Qos::ExactlyOnce) => members.push(id),
                None => {}
            }
        }
        Some(members)
    }
}
