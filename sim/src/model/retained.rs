use std::collections::BTreeMap;

use squall_proto::Instant;

use super::numbered::{MessageId, TopicId};

/// What may be retained for each topic. It is one message as soon as the broker has said that it has the last; what reaches it on two
/// connections at about the same time it may take in either order, and then each may be the last.
#[derive(Debug, Default)]
pub(crate) struct Retained {
    topics: BTreeMap<TopicId, OfTopic>,
}

#[derive(Debug, Default)]
struct OfTopic {
    /// Oldest first.
    candidates: Vec<Candidate>,
    /// Where the last of those was replaced that are not known any more.
    known_since: usize,
    /// One of those may be back when the broker's process has ended.
    may_be_back: bool,
}

/// What may be the retained message of a topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// `None`: there is none, because an empty one cleared it.
    pub(crate) message: Option<MessageId>,
    /// Where it reached the broker.
    pub(crate) from: usize,
    /// Where the broker was sure to have taken it.
    settled: Option<usize>,
    /// Where another was sure to have replaced it.
    pub(crate) until: Option<usize>,
    /// When it expires.
    pub(crate) expires: Option<Instant>,
    /// QoS 0: nobody was told that the broker has it.
    is_unsure: bool,
    /// Nothing replaced it but what is.
    may_be_back: bool,
}

impl Retained {
    /// A PUBLISH with RETAIN has reached the broker.
    pub(super) fn published(
        &mut self,
        topic: TopicId,
        message: Option<MessageId>,
        from: usize,
        expires: Option<Instant>,
        is_unsure: bool,
    ) {
        self.topics.entry(topic).or_default().candidates.push(Candidate {
            message,
            from,
            settled: None,
            until: None,
            expires,
            is_unsure,
            may_be_back: false,
        });
    }

    /// A Will with RETAIN may be published at any time from here on, and never surely.
    pub(super) fn promised(&mut self, topic: TopicId, message: MessageId, from: usize) {
        self.published(topic, Some(message), from, None, true);
    }

    /// The broker is sure to have handled the one that came at `from`: it replaces those that it was sure to have had before that came.
    // [MQTT-3.3.1-5] [v3 MQTT-3.3.1-5]
    pub(super) fn settled(&mut self, topic: TopicId, from: usize, index: usize) {
        let Some(of_topic) = self.topics.get_mut(&topic) else {
            return;
        };
        let candidates = &mut of_topic.candidates;
        let Some(settled) = candidates.iter_mut().find(|candidate| candidate.from == from) else {
            return;
        };
        settled.settled.get_or_insert(index);
        let is_unsure = settled.is_unsure;
        for candidate in candidates.iter_mut() {
            if candidate.settled.is_some_and(|settled| settled < from) {
                candidate.may_be_back = is_unsure && (candidate.may_be_back || candidate.until.is_none());
                candidate.until.get_or_insert(index);
            }
        }
        of_topic.forget();
    }

    /// The broker has refused the one that came at `from`.
    pub(super) fn refused(&mut self, topic: TopicId, from: usize, index: usize) {
        let candidates = self.topics.get_mut(&topic).into_iter();
        for candidate in candidates.flat_map(|of_topic| &mut of_topic.candidates) {
            if candidate.from == from {
                candidate.until = Some(index);
            }
        }
    }

    /// The broker's process is gone, and what it has not answered may be with it: what that had replaced is there again.
    pub(super) fn may_be_forgotten(&mut self) {
        for of_topic in self.topics.values_mut() {
            if of_topic.may_be_back {
                of_topic.known_since = usize::MAX;
            }
            for candidate in &mut of_topic.candidates {
                candidate.settled = candidate.settled.filter(|_| !candidate.is_unsure);
                candidate.until = candidate.until.filter(|_| !candidate.may_be_back);
                candidate.may_be_back = false;
            }
        }
    }

    /// The broker's process is gone, and all it knew with it.
    pub(super) fn forget_all(&mut self, index: usize) {
        let candidates = self
            .topics
            .values_mut()
            .flat_map(|of_topic| &mut of_topic.candidates);
        candidates.for_each(|candidate| _ = candidate.until.get_or_insert(index));
    }

    /// The message that is sure to be retained, and has been since before `asked`, for each topic that has one.
    pub(super) fn certain(&self, asked: usize, now: Instant) -> impl Iterator<Item = (TopicId, MessageId)> {
        self.topics.iter().filter_map(move |(topic, of_topic)| {
            let mut open = of_topic
                .candidates
                .iter()
                .filter(|candidate| candidate.until.is_none_or(|until| until > asked));
            let only = open.next().filter(|_| open.next().is_none())?;
            let is_there = only.settled.is_some_and(|settled| settled < asked)
                && only.expires.is_none_or(|expires| expires > now);
            only.message.filter(|_| is_there).map(|message| (*topic, message))
        })
    }

    /// Whether this may have been retained for a topic at or after a place of the trace.
    pub(crate) fn may_have_been(&self, topic: TopicId, message: MessageId, asked: usize) -> bool {
        self.topics.get(&topic).is_some_and(|of_topic| {
            let meets = |candidate: &Candidate| {
                candidate.message == Some(message) && candidate.until.is_none_or(|until| until > asked)
            };
            asked < of_topic.known_since || of_topic.candidates.iter().any(meets)
        })
    }
}

impl Retained {
    /// How many topics may have a retained message at most. When an expired one goes is not on the wire.
    pub(crate) fn count_max(&self) -> usize {
        let is_there = |candidate: &Candidate| candidate.until.is_none() && candidate.message.is_some();
        let may_have = |of_topic: &&OfTopic| of_topic.candidates.iter().any(is_there);
        self.topics.values().filter(may_have).count()
    }
}

impl OfTopic {
    /// What was replaced long ago matters only to those that asked before.
    fn forget(&mut self) {
        let replaced = self
            .candidates
            .iter()
            .filter(|candidate| candidate.until.is_some())
            .count();
        let mut spare = replaced.saturating_sub(REPLACED_MAX);
        let Self {
            known_since,
            may_be_back,
            ..
        } = self;
        self.candidates.retain(|candidate| match candidate.until {
            Some(until) if spare > 0 => {
                spare -= 1;
                *may_be_back |= candidate.may_be_back;
                *known_since = until.max(*known_since);
                false
            }
            Some(_) | None => true,
        });
    }
}

/// So many replaced ones are known of each topic.
const REPLACED_MAX: usize = 16;
