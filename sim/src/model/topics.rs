use std::collections::BTreeSet;

use squall_proto::{TopicFilter, TopicName};

use super::numbered::{FilterId, Lookup, Numbered, SessionId, TopicId};

/// The Topic Names and Topic Filters of a run, and which of them match: found once a pair, not once a message.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    topics: Numbered<TopicId, Topic>,
    filters: Numbered<FilterId, Filter>,
    by_name: Lookup<TopicName, TopicId>,
    by_filter: Lookup<TopicFilter, FilterId>,
    /// Those that match more than the topic they are equal to.
    patterns: Vec<FilterId>,
    /// `$share/{ShareName}/` begins a shared subscription though the version does not know them.
    shares_in_v3: bool,
}

#[derive(Debug)]
struct Topic {
    name: TopicName,
    /// Those that match it, in order.
    filters: Vec<FilterId>,
}

#[derive(Debug)]
struct Filter {
    filter: TopicFilter,
    subscribers: BTreeSet<SessionId>,
}

impl Topics {
    pub(crate) fn new(shares_in_v3: bool) -> Self {
        Self {
            shares_in_v3,
            ..Self::default()
        }
    }

    pub(crate) fn name(&self, topic: TopicId) -> &TopicName {
        &self.topics.of(topic).name
    }

    /// The topic of this name, if anything was ever published to it.
    pub(super) fn find(&self, name: &TopicName) -> Option<TopicId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn filter(&self, filter: FilterId) -> &TopicFilter {
        &self.filters.of(filter).filter
    }

    /// The filters that match a topic, those of shared subscriptions among them.
    pub(crate) fn matching(&self, topic: TopicId) -> &[FilterId] {
        &self.topics.of(topic).filters
    }

    pub(crate) fn matches(&self, filter: FilterId, topic: TopicId) -> bool {
        self.matching(topic).binary_search(&filter).is_ok()
    }

    /// The sessions that have, or may have, a subscription with this filter.
    pub(crate) fn subscribers(&self, filter: FilterId) -> impl Iterator<Item = SessionId> {
        self.filters.of(filter).subscribers.iter().copied()
    }

    pub(super) fn learn_topic(&mut self, name: &TopicName) -> TopicId {
        if let Some(topic) = self.find(name) {
            return topic;
        }
        let matches = |filter: &&FilterId| self.filter(**filter).matches(name);
        let mut filters: Vec<FilterId> = self.patterns.iter().filter(matches).copied().collect();
        let same = TopicFilter::not_shared(name.text().clone()).ok();
        filters.extend(same.and_then(|same| self.by_filter.get(&same)));
        filters.sort_unstable();
        let topic = self.topics.push(Topic {
            name: name.clone(),
            filters,
        });
        self.by_name.insert(name.clone(), topic);
        topic
    }

    pub(super) fn learn_filter(&mut self, filter: &TopicFilter) -> FilterId {
        let as_shared = TopicFilter::from_text(filter.text().clone());
        let filter = match &as_shared {
            Ok(shared) if self.shares_in_v3 => shared,
            Ok(_) | Err(_) => filter,
        };
        if let Some(filter) = self.by_filter.get(filter) {
            return *filter;
        }
        let id = self.filters.push(Filter {
            filter: filter.clone(),
            subscribers: BTreeSet::new(),
        });
        self.by_filter.insert(filter.clone(), id);
        if filter.has_wildcard() || filter.share_name().is_some() {
            self.patterns.push(id);
            // The newest is the greatest: each list stays in order.
            let topics = self.topics.values_mut();
            let matching = topics.filter(|topic| filter.matches(&topic.name));
            matching.for_each(|topic| topic.filters.push(id));
        } else if let Some(topic) = self.topic_of(filter) {
            self.topics.of_mut(topic).filters.push(id);
        }
        id
    }

    /// The topic that a filter without wildcards is equal to.
    fn topic_of(&self, filter: &TopicFilter) -> Option<TopicId> {
        self.find(&TopicName::from_text(filter.text().clone()).ok()?)
    }

    pub(super) fn subscribe(&mut self, filter: FilterId, session: SessionId) {
        self.filters.of_mut(filter).subscribers.insert(session);
    }

    pub(super) fn unsubscribe(&mut self, filter: FilterId, session: SessionId) {
        self.filters.of_mut(filter).subscribers.remove(&session);
    }
}
