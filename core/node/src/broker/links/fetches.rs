use squall_proto::broker::Fetch;

use super::Links;

impl Links {
    /// Whether the broker wants messages from the store.
    pub(in crate::broker) fn has_fetches(&self) -> bool {
        self.keeping
            .as_ref()
            .is_some_and(|keeping| !keeping.fetches.is_empty())
    }

    /// Some of what the broker wants from the store, which the records so far may have brought there.
    pub(in crate::broker) fn take_fetches(&mut self) -> Vec<Fetch> {
        let Some(keeping) = &mut self.keeping else {
            return Vec::new();
        };
        let few = keeping.fetches.len().min(FETCHES_MAX);
        keeping.fetches.drain(..few).collect()
    }
}

/// Sessions whose messages are fetched at a time, so that few are in memory that cannot leave yet.
const FETCHES_MAX: usize = 64;
