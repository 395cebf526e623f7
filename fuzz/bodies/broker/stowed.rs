//! What the broker has put on record of its messages, for what it leaves there alone.

use std::collections::BTreeMap;

use squall_proto::broker::{Fetch, Fetched, Input, Record};

/// A store of messages that answers when it is told to.
#[derive(Default)]
pub(super) struct Stowed {
    kept: BTreeMap<u64, Fetched>,
    fetches: Vec<Fetch>,
}

impl Stowed {
    /// Messages are kept once, and forgotten once.
    pub(super) fn persist(&mut self, record: &Record<'_>) {
        if let Record::Message { message, content } = record {
            let kept = Fetched {
                message: *message,
                topic: content.topic.clone(),
                payload: content.payload.clone(),
                properties: content.properties.clone(),
            };
            let before = self.kept.insert(*message, kept);
            assert_eq!(before, None, "a message is put on record once");
        } else if let Record::Forgotten { message } = record {
            self.kept
                .remove(message)
                .expect("what is forgotten was on record");
        }
    }

    pub(super) fn fetch(&mut self, fetch: Fetch) {
        assert_ne!(fetch.messages(), [], "something is fetched");
        for message in fetch.messages() {
            assert!(self.kept.contains_key(message), "what is fetched is on record");
        }
        self.fetches.push(fetch);
    }

    /// The answer to one of the fetches that wait, by what is there by now.
    pub(super) fn answer(&mut self, which: usize) -> Option<Input> {
        let fetch =
            (!self.fetches.is_empty()).then(|| self.fetches.swap_remove(which % self.fetches.len()))?;
        let messages = fetch.messages().iter();
        let found = messages
            .filter_map(|message| self.kept.get(message).cloned())
            .collect();
        Some(Input::Fetched(fetch, found))
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}
