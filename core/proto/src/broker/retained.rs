//! Retained messages, by topic.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    vec::Vec,
};
use core::cmp::Reverse;

use super::{Broker, Note, Output, Refusal, message::Message, session::SessionKey};
use crate::{Instant, Qos, TopicName, Version};

impl Broker {
    /// Forgets the retained messages that have expired; later, while that cannot be recorded: they are sent to nobody.
    pub(super) fn drop_expired_retained(&mut self, now: Instant, out: &mut impl Output) {
        if !self.stalled {
            self.retained
                .drop_expired(now, |message| message.not_retained(out));
        }
    }

    /// What becomes of the retained message of a message's topic.
    // [MQTT-3.3.1-5] [v3 MQTT-3.3.1-5]
    pub(super) fn retaining(
        &mut self,
        now: Instant,
        publisher: Option<SessionKey>,
        message: &Message,
        retain: bool,
        out: &mut impl Output,
    ) -> Result<Retaining, Refusal> {
        if !retain {
            return Ok(Retaining::Untouched);
        }
        if self.is_frozen_for(publisher) {
            if message.qos > Qos::AtMostOnce {
                return Err(Refusal::CannotKeep);
            }
            // Its RETAIN is lost, as all of a QoS 0 message may be.
            note_not_kept(message, out);
            return Ok(Retaining::Untouched);
        }
        if message.payload.is_empty() {
            return Ok(Retaining::Removed);
        }
        self.drop_expired_retained(now, out);
        if self.can_retain(message) {
            return Ok(Retaining::Replaced);
        }
        note_not_kept(message, out);
        if self.can_refuse(publisher, message) {
            return Err(Refusal::TooManyRetained);
        }
        Ok(Retaining::Removed)
    }

    // [MQTT-3.3.2-3] [v3 MQTT-3.3.2-3]
    /// Whether there is room for it among the retained messages, in the place of the one it replaces.
    fn can_retain(&self, message: &Message) -> bool {
        let replaced = self.retained.size(&message.topic);
        let messages = self.retained.len() + usize::from(replaced.is_none());
        let bytes = self.retained.bytes() - replaced.unwrap_or(0);
        messages <= self.limits.retained_messages
            && bytes.saturating_add(message.size()) <= self.limits.retained_bytes
    }

    /// Whether its publisher can be told that a message is not taken.
    fn can_refuse(&self, publisher: Option<SessionKey>, message: &Message) -> bool {
        let online = publisher.and_then(|publisher| self.session(publisher).online());
        message.qos > Qos::AtMostOnce && online.is_some_and(|online| online.version == Version::V5)
    }

    /// Forgets the retained message of a topic.
    pub(super) fn forget_retained(&mut self, topic: &str, out: &mut impl Output) {
        if let Some(removed) = self.retained.remove(topic) {
            removed.not_retained(out);
        }
    }
}

/// What a message makes of the one that is retained for its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retaining {
    Untouched,
    Replaced,
    Removed,
}

fn note_not_kept(message: &Message, out: &mut impl Output) {
    out.note(Note::RetainedNotKept {
        topic: message.topic.clone(),
    });
}

/// The last retained message of each topic, in a tree of topic levels.
// [v3 MQTT-3.1.2-7] Kept beside the sessions, in none of them.
#[derive(Debug, Default)]
pub(super) struct Retained {
    root: Level,
    messages: usize,
    bytes: usize,
    /// When a message expires, and whose; what was replaced or removed since means nothing.
    expiries: BinaryHeap<Reverse<(Instant, TopicName)>>,
    /// How many messages expire.
    expiring: usize,
}

#[derive(Debug, Default)]
struct Level {
    message: Option<Arc<Message>>,
    children: BTreeMap<Box<str>, Self>,
}

impl Retained {
    /// How many topics have one.
    pub(super) const fn len(&self) -> usize {
        self.messages
    }

    /// The bytes of all of them.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes of the one of this topic, if it has one.
    pub(super) fn size(&self, topic: &str) -> Option<usize> {
        self.root.at(topic).map(|message| message.size())
    }

    // [MQTT-3.3.1-5] [v3 MQTT-3.3.1-5] It replaces the one before.
    pub(super) fn insert(&mut self, message: Arc<Message>) -> Option<Arc<Message>> {
        let mut at = &mut self.root;
        for level in message.topic.split('/') {
            if !at.children.contains_key(level) {
                at.children.insert(Box::from(level), Level::default());
            }
            at = at.children.get_mut(level).expect("it is there or was just added");
        }
        let replaced = at.message.replace(Arc::clone(&message));
        self.messages += 1;
        self.bytes += message.size();
        if let Some(replaced) = &replaced {
            self.forget(replaced);
        }
        if let Some(at) = message.expires_at {
            self.expiring += 1;
            self.expiries.push(Reverse((at, message.topic.clone())));
            self.forget_expiries();
        }
        replaced
    }

    /// The one there was.
    pub(super) fn remove(&mut self, topic: &str) -> Option<Arc<Message>> {
        let mut levels = topic.split('/');
        let removed = self.root.remove(&mut levels)?;
        self.forget(&removed);
        Some(removed)
    }

    /// Removes the messages that have expired, and shows each. Costs nothing where none has.
    // [MQTT-3.3.2-5]
    pub(super) fn drop_expired(&mut self, now: Instant, mut expired: impl FnMut(&Message)) {
        while let Some(Reverse((at, _))) = self.expiries.peek()
            && *at < now
            && let Some(Reverse((at, topic))) = self.expiries.pop()
        {
            if expires(&self.root, &topic, at)
                && let Some(removed) = self.remove(&topic)
            {
                expired(&removed);
            }
        }
    }

    fn forget(&mut self, message: &Message) {
        self.messages -= 1;
        self.bytes -= message.size();
        self.expiring -= usize::from(message.expires_at.is_some());
    }

    /// Forgets what means nothing any more, once that is most.
    fn forget_expiries(&mut self) {
        if self.expiries.len() > 2 * self.expiring + 64 {
            let root = &self.root;
            self.expiries
                .retain(|Reverse((at, topic))| expires(root, topic, *at));
        }
    }

    /// The messages whose topics match a filter, in the order of their levels.
    pub(super) fn matching(&self, filter: &str) -> Vec<Arc<Message>> {
        let mut found = Vec::new();
        self.root.collect(Some(filter), true, &mut found);
        found
    }
}

/// Whether the message of a topic expires at this moment.
fn expires(root: &Level, topic: &str, at: Instant) -> bool {
    root.at(topic)
        .is_some_and(|message| message.expires_at == Some(at))
}

impl Level {
    /// The message of exactly this topic.
    fn at(&self, topic: &str) -> Option<&Message> {
        let mut at = self;
        for level in topic.split('/') {
            at = at.children.get(level)?;
        }
        at.message.as_deref()
    }

    fn is_empty(&self) -> bool {
        self.message.is_none() && self.children.is_empty()
    }

    /// The one there was. Levels that hold nothing more go with it.
    fn remove<'a>(&mut self, levels: &mut impl Iterator<Item = &'a str>) -> Option<Arc<Message>> {
        let Some(level) = levels.next() else {
            return self.message.take();
        };
        let child = self.children.get_mut(level)?;
        let removed = child.remove(levels);
        if child.is_empty() {
            self.children.remove(level);
        }
        removed
    }

    fn collect(&self, filter: Option<&str>, first: bool, found: &mut Vec<Arc<Message>>) {
        let Some(filter) = filter else {
            found.extend(self.message.clone());
            return;
        };
        let (level, rest) = match filter.split_once('/') {
            Some((level, rest)) => (level, Some(rest)),
            None => (filter, None),
        };
        match level {
            "#" => self.collect_all(first, found),
            "+" => {
                for (_, child) in self.children.iter().filter(|(name, _)| !hidden(name, first)) {
                    child.collect(rest, false, found);
                }
            }
            _ => {
                if let Some(child) = self.children.get(level) {
                    child.collect(rest, false, found);
                }
            }
        }
    }

    fn collect_all(&self, first: bool, found: &mut Vec<Arc<Message>>) {
        found.extend(self.message.clone());
        for (_, child) in self.children.iter().filter(|(name, _)| !hidden(name, first)) {
            child.collect_all(false, found);
        }
    }
}

/// Whether a wildcard passes over this level.
// [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1] A leading wildcard does not match a topic that begins with `$`.
fn hidden(level: &str, first: bool) -> bool {
    first && level.starts_with('$')
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use bytes::Bytes;

    use super::*;
    use crate::{Instant, Properties, Qos, TopicName};

    fn retained(topics: &[&str]) -> Retained {
        let mut retained = Retained::default();
        for topic in topics {
            let topic = TopicName::new(topic).unwrap();
            let message = Message::new(
                Instant::ZERO,
                topic,
                Bytes::new(),
                Qos::AtMostOnce,
                Properties::new(),
            );
            retained.insert(Arc::new(message));
        }
        retained
    }

    fn found(retained: &Retained, filter: &str) -> Vec<String> {
        retained
            .matching(filter)
            .iter()
            .map(|message| message.topic.to_string())
            .collect()
    }

    #[test]
    fn filters_find_the_topics_they_match() {
        let retained = retained(&["a", "a/b", "a/b/c", "a//c", "/a", "$SYS/a"]);
        assert_eq!(found(&retained, "a/#"), ["a", "a//c", "a/b", "a/b/c"]);
        assert_eq!(found(&retained, "a/+"), ["a/b"]);
        assert_eq!(found(&retained, "+/+"), ["/a", "a/b"]);
        assert_eq!(found(&retained, "#"), ["/a", "a", "a//c", "a/b", "a/b/c"]);
        assert_eq!(found(&retained, "$SYS/#"), ["$SYS/a"]);
        assert_eq!(found(&retained, "a/b"), ["a/b"]);
        assert_eq!(found(&retained, "a/+/c"), ["a//c", "a/b/c"]);
    }

    #[test]
    fn removing_leaves_the_levels_that_are_still_needed() {
        let mut retained = retained(&["a/b", "a/b/c"]);
        retained.remove("a/b");
        assert_eq!(found(&retained, "#"), ["a/b/c"]);
        retained.remove("a/b/c");
        retained.remove("a/b/c");
        assert_eq!((retained.len(), retained.bytes()), (0, 0));
        assert!(retained.root.is_empty());
    }
}
