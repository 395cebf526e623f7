//! What waits for a session: in memory while there is room for it, or else in the store alone, from where it is fetched in batches as its
//! turn comes. What a queue has to know of a message is its [`Outline`].

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::{
    hash::BuildHasher as _,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use bytes::Bytes;
use foldhash::fast::FixedState;

use super::{
    Broker, Content, Drop, Output,
    keep::Mark,
    message::{Message, Outgoing},
    outbound::Outbound,
    session::{Session, SessionKey},
};
use crate::{Instant, Properties, Qos, TopicName, encode::properties_len};

/// A message that waits.
#[derive(Debug)]
pub(super) enum Waiting {
    /// In memory, with what that takes of the room there is for it.
    Here(Arc<Message>, Option<Charge>),
    /// In the store alone, which holds it as long as this is there.
    Stored(Arc<Mark>),
}

/// What is known of a message wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) qos: Qos,
    pub(super) expires_at: Option<Instant>,
    /// Bytes of what it says.
    pub(super) size: usize,
    pub(super) topic_hash: u64,
}

/// Bytes that wait in memory, over all sessions, and how many may. A message counts once, however many wait for it.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicUsize,
    max: usize,
}

/// A place in a queue that has its message in memory.
#[derive(Debug)]
pub(super) struct Charge(Arc<Mark>);

/// Messages that a session waits for and that are in the store alone. Their turn has come: the owner reads them and says
/// [`Input::Fetched`](super::Input::Fetched).
#[derive(Debug)]
pub struct Fetch {
    key: SessionKey,
    session: u64,
    messages: Vec<u64>,
}

/// What the store has of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Which.
    pub message: u64,
    /// Its topic.
    pub topic: TopicName,
    /// The Application Message itself.
    pub payload: Bytes,
    /// As in [`Content`].
    pub properties: Properties,
}

/// Messages fetched at a time, if the client's window takes fewer.
const FETCHED_MIN: usize = 16;
/// Messages fetched at a time at most.
const FETCHED_MAX: usize = 256;
/// Bytes after which no other message is fetched at the same time.
const FETCHED_BYTES: usize = 64 << 10;

impl Fetch {
    /// Which, in the order of the queue; one may be there twice.
    pub fn messages(&self) -> &[u64] {
        &self.messages
    }
}

impl Outline {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            qos: message.qos,
            expires_at: message.expires_at,
            size: message.size(),
            topic_hash: topic_hash(&message.topic),
        }
    }

    pub(super) fn of_content(content: &Content<'_>) -> Self {
        let size = content.topic.len() + content.payload.len() + properties_len(content.properties);
        Self {
            qos: content.qos,
            expires_at: content.expires_at,
            size,
            topic_hash: topic_hash(content.topic),
        }
    }
}

/// The same in every process.
pub(super) fn topic_hash(topic: &TopicName) -> u64 {
    FixedState::with_seed(0).hash_one(topic.text().as_str())
}

impl Room {
    pub(super) const fn new(max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
        }
    }

    /// Whether there is room for so many more.
    pub(super) fn has(&self, bytes: usize) -> bool {
        self.used.load(Relaxed).saturating_add(bytes) <= self.max
    }

    pub(super) fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }
}

impl Charge {
    /// A place for a message for which there is room.
    fn within_room(mark: &Arc<Mark>) -> Option<Self> {
        mark.has_room().then(|| Self::of(mark))
    }

    fn of(mark: &Arc<Mark>) -> Self {
        mark.enter();
        Self(Arc::clone(mark))
    }
}

impl core::ops::Drop for Charge {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Waiting {
    pub(super) fn mark(&self) -> Option<&Arc<Mark>> {
        match self {
            Self::Here(message, _) => message.mark.as_ref(),
            Self::Stored(mark) => Some(mark),
        }
    }

    pub(super) const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored(_))
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Here(message, _) => message.size(),
            Self::Stored(mark) => mark.outline.size,
        }
    }

    pub(super) fn expires_at(&self) -> Option<Instant> {
        match self {
            Self::Here(message, _) => message.expires_at,
            Self::Stored(mark) => mark.outline.expires_at,
        }
    }

    /// Whether its time has passed. An interval of 0 reaches those who can be sent to in the same moment, and nobody later.
    // [MQTT-3.3.2-5]
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at().is_some_and(|at| at < now)
    }

    pub(super) fn qos(&self) -> Qos {
        match self {
            Self::Here(message, _) => message.qos,
            Self::Stored(mark) => mark.outline.qos,
        }
    }

    pub(super) fn topic_hash(&self) -> u64 {
        match self {
            Self::Here(message, _) => topic_hash(&message.topic),
            Self::Stored(mark) => mark.outline.topic_hash,
        }
    }

    /// One more place on record names the message.
    pub(super) fn hold(&self, out: &mut impl Output) {
        match self {
            Self::Here(message, _) => message.hold(out),
            Self::Stored(mark) => {
                let is_first = mark.hold();
                assert!(!is_first, "what is stored is held until it is not");
            }
        }
    }

    /// Stays in memory while there is room there. It is on record.
    pub(super) fn stow(&mut self) {
        let Self::Here(message, charge @ None) = self else {
            return;
        };
        let Some(mark) = &message.mark else { return };
        *charge = Charge::within_room(mark);
        if charge.is_none() {
            *self = Self::Stored(Arc::clone(mark));
        }
    }
}

impl From<Arc<Message>> for Waiting {
    fn from(message: Arc<Message>) -> Self {
        Self::Here(message, None)
    }
}

impl Fetched {
    fn message(&self, mark: &Arc<Mark>) -> Message {
        Message {
            topic: self.topic.clone(),
            payload: self.payload.clone(),
            qos: mark.outline.qos,
            properties: self.properties.clone(),
            expires_at: mark.outline.expires_at,
            mark: Some(Arc::clone(mark)),
        }
    }
}

impl Outgoing<Waiting> {
    /// Its message was fetched.
    fn fetched(&mut self, mark: &Arc<Mark>, found: &Fetched, out: &mut impl Output) {
        let message = Arc::new(found.message(mark));
        self.message = Waiting::Here(message, Some(Charge::of(mark)));
        if self.order.is_none() {
            mark.let_go(out);
        }
    }

    /// Whether it was asked for and not found.
    fn is_missing(&self, asked: &[u64], found: &BTreeMap<u64, Fetched>) -> bool {
        match &self.message {
            Waiting::Here(..) => false,
            Waiting::Stored(mark) => asked.contains(&mark.number) && !found.contains_key(&mark.number),
        }
    }
}

impl Outbound {
    /// What waits last, and is on record, stays in memory if there is room there.
    fn stow_last(&mut self) {
        if let Some(last) = self.waiting.back_mut()
            && last.order.is_some()
        {
            last.message.stow();
        }
    }

    /// The messages at the head of the queue that are to be fetched for a client whose window takes so many; `None` while others are.
    pub(super) fn begin_fetch(&mut self, window: u16) -> Option<Vec<u64>> {
        if core::mem::replace(&mut self.fetching, true) {
            return None;
        }
        let most = usize::from(window).clamp(FETCHED_MIN, FETCHED_MAX);
        let mut bytes = 0;
        let stored = self.waiting.iter().map_while(|waits| match &waits.message {
            Waiting::Stored(mark) => Some(mark),
            Waiting::Here(..) => None,
        });
        let few = stored.take(most).take_while(|mark| {
            let fits = bytes < FETCHED_BYTES;
            bytes += mark.outline.size;
            fits
        });
        Some(few.map(|mark| mark.number).collect())
    }

    /// Those that were asked for are there, as far as they still wait; how many of them the store has lost.
    fn fetched(&mut self, asked: &[u64], found: &BTreeMap<u64, Fetched>, out: &mut impl Output) -> usize {
        let (mut left, mut missing) = (asked.iter(), 0);
        for waits in self.waiting.iter_mut() {
            let Waiting::Stored(mark) = &waits.message else {
                break;
            };
            if !left.any(|number| *number == mark.number) {
                break;
            }
            let mark = Arc::clone(mark);
            match found.get(&mark.number) {
                Some(found) => waits.fetched(&mark, found, out),
                None => missing += 1,
            }
        }
        if missing > 0 {
            self.keep_waiting(|waits| {
                let is_missing = waits.is_missing(asked, found);
                if is_missing {
                    waits.finished(out);
                }
                !is_missing
            });
        }
        missing
    }
}

impl Broker {
    /// By what records are to name a message.
    pub(super) fn mark(&mut self, message: &Message) -> Arc<Mark> {
        Mark::new(self.numbers.next_message(), Outline::of(message), &self.room)
    }

    /// A message that was for nobody on record comes to somebody who is.
    pub(super) fn be_marked(&mut self, message: &mut Arc<Message>) {
        if message.mark.is_none() {
            let mark = Some(self.mark(message));
            let content = Message::clone(message);
            *message = Arc::new(Message { mark, ..content });
        }
    }

    /// What waits last for a session is from now on in the store alone, where memory has no more room for it.
    pub(super) fn stow(&mut self, key: SessionKey, out: &impl Output) {
        if let Some(session) = self.sessions.get_mut(key.0 as usize)
            && out.can_fetch()
        {
            session.outbound.stow_last();
        }
    }

    /// Messages are there whose turn had come, unless their session has ended or its client is gone.
    pub(super) fn fetched(&mut self, now: Instant, fetch: Fetch, found: Vec<Fetched>, out: &mut impl Output) {
        let session = self.sessions.get_mut(fetch.key.0 as usize);
        let Some(session) = session.filter(|session| session.number == fetch.session) else {
            return;
        };
        session.outbound.fetching = false;
        if session.online().is_none() {
            return;
        }
        let found = found.into_iter().map(|found| (found.message, found)).collect();
        for _ in 0..session.outbound.fetched(&fetch.messages, &found, out) {
            session.dropped(Drop::NotRead, out);
        }
        self.pump(now, fetch.key, out);
    }
}

impl Session {
    /// The head of the queue is in the store alone: it is asked for, with some of those behind it.
    pub(super) fn fetch_head(&mut self, key: SessionKey, window: u16, out: &mut impl Output) {
        if let Some(messages) = self.outbound.begin_fetch(window) {
            out.fetch(Fetch {
                key,
                session: self.number,
                messages,
            });
        }
    }
}
