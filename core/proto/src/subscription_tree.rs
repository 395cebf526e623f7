//! Finds the subscriptions a Topic Name matches, at a cost that follows the topic's depth and the matches, not the number of
//! subscriptions.

use alloc::{boxed::Box, vec::Vec};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use indexmap::IndexMap;
use slab::Slab;

/// Subscriptions by their Topic Filters, level by level. `K` names a subscriber, `V` is what it subscribed with; a subscriber
/// has at most one value a filter.
///
/// Matches are visited in an order that depends only on the calls made so far.
#[derive(Debug)]
pub struct SubscriptionTree<V> {
    nodes: Slab<Node<V>>,
    root: NodeId,
    hasher: FixedState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NodeId(usize);

type Subscribers<V> = IndexMap<u32, V, FixedState>;

/// One level of some filters. What ends here and what goes on from here.
#[derive(Debug)]
struct Node<V> {
    children: HashMap<Box<str>, NodeId, FixedState>,
    single_level: Option<NodeId>,
    ends_here: Subscribers<V>,
    multi_level: Subscribers<V>,
}

impl<V> Node<V> {
    fn new(hasher: &FixedState) -> Self {
        Self {
            children: HashMap::with_hasher(hasher.clone()),
            single_level: None,
            ends_here: IndexMap::with_hasher(hasher.clone()),
            multi_level: IndexMap::with_hasher(hasher.clone()),
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty()
            && self.single_level.is_none()
            && self.ends_here.is_empty()
            && self.multi_level.is_empty()
    }

    fn child(&self, level: &str) -> Option<NodeId> {
        match level {
            "+" => self.single_level,
            _ => self.children.get(level).copied(),
        }
    }
}

impl<V> SubscriptionTree<V> {
    /// An empty tree. `seed` keeps peers from choosing level names that collide.
    pub fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        let mut nodes = Slab::new();
        let root = NodeId(nodes.insert(Node::new(&hasher)));
        Self { nodes, root, hasher }
    }

    /// Adds or replaces the subscription of `subscriber` to `filter` (without `$share/{ShareName}/`); returns what it replaced.
    pub fn insert(&mut self, filter: &str, subscriber: u32, value: V) -> Option<V> {
        let (path, multi_level) = split_filter(filter);
        let mut at = self.root;
        for level in path.into_iter().flat_map(|path| path.split('/')) {
            at = match self.node(at).child(level) {
                Some(next) => next,
                None => self.grow(at, level),
            };
        }
        let node = self.node_mut(at);
        if multi_level {
            node.multi_level.insert(subscriber, value)
        } else {
            node.ends_here.insert(subscriber, value)
        }
    }

    /// Removes the subscription of `subscriber` to exactly this filter; returns what it was.
    // [MQTT-3.10.4-1] [v3 MQTT-3.10.4-1] Compared character by character.
    pub fn remove(&mut self, filter: &str, subscriber: u32) -> Option<V> {
        let (path, multi_level) = split_filter(filter);
        let mut parents: Vec<(NodeId, &str)> = Vec::new();
        let mut at = self.root;
        for level in path.into_iter().flat_map(|path| path.split('/')) {
            parents.push((at, level));
            at = self.node(at).child(level)?;
        }
        let node = self.node_mut(at);
        let removed = if multi_level {
            node.multi_level.swap_remove(&subscriber)
        } else {
            node.ends_here.swap_remove(&subscriber)
        };
        for (parent, level) in parents.into_iter().rev() {
            if !self.node(at).is_empty() {
                break;
            }
            self.prune(parent, level);
            at = parent;
        }
        removed
    }

    /// Calls `visit` for every subscription whose filter matches `topic`; a subscriber as often as it has matching filters.
    // [MQTT-4.7.3-4] [v3 MQTT-4.7.3-4] Levels are compared as they are.
    pub fn for_each_match<'a>(&'a self, topic: &str, mut visit: impl FnMut(u32, &'a V)) {
        let root = self.node(self.root);
        if topic.starts_with('$') {
            // [MQTT-4.7.2-1] [v3 MQTT-4.7.2-1] A leading wildcard does not match these.
            let (level, rest) = first_level(topic);
            if let Some(child) = root.children.get(level) {
                self.descend(self.node(*child), rest, &mut visit);
            }
        } else {
            self.descend(root, Some(topic), &mut visit);
        }
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.node(self.root).is_empty()
    }

    /// `rest` is what of the topic lies below `node`; `None` when the topic ends there.
    fn descend<'a>(&'a self, node: &'a Node<V>, rest: Option<&str>, visit: &mut impl FnMut(u32, &'a V)) {
        each(&node.multi_level, visit);
        let Some(rest) = rest else {
            each(&node.ends_here, visit);
            return;
        };
        let (level, rest) = first_level(rest);
        if let Some(child) = node.children.get(level) {
            self.descend(self.node(*child), rest, visit);
        }
        if let Some(child) = node.single_level {
            self.descend(self.node(child), rest, visit);
        }
    }

    fn grow(&mut self, at: NodeId, level: &str) -> NodeId {
        let new = NodeId(self.nodes.insert(Node::new(&self.hasher)));
        let node = self.node_mut(at);
        if level == "+" {
            node.single_level = Some(new);
        } else {
            node.children.insert(Box::from(level), new);
        }
        new
    }

    fn prune(&mut self, parent: NodeId, level: &str) {
        let node = self.node_mut(parent);
        let child = if level == "+" {
            node.single_level.take()
        } else {
            node.children.remove(level)
        };
        if let Some(child) = child {
            self.nodes.remove(child.0);
        }
    }

    fn node(&self, id: NodeId) -> &Node<V> {
        self.nodes
            .get(id.0)
            .expect("a node lives as long as its parent names it")
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node<V> {
        self.nodes
            .get_mut(id.0)
            .expect("a node lives as long as its parent names it")
    }
}

fn each<'a, V>(subscribers: &'a Subscribers<V>, visit: &mut impl FnMut(u32, &'a V)) {
    for (subscriber, value) in subscribers {
        visit(*subscriber, value);
    }
}

/// The first level, and what follows its separator.
fn first_level(topic: &str) -> (&str, Option<&str>) {
    match topic.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (topic, None),
    }
}

/// The levels before a trailing `#`, and whether there was one. `#` alone has no levels before it.
fn split_filter(filter: &str) -> (Option<&str>, bool) {
    match filter.strip_suffix('#') {
        Some("") => (None, true),
        // [v3 MQTT-4.7.1-2] [MQTT-4.7.1-1] The last level: the separator before it belongs to it, so that `a/#` matches `a`.
        Some(path) => (Some(path.strip_suffix('/').unwrap_or(path)), true),
        None => (Some(filter), false),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn matches(filters: &[&str], topic: &str) -> Vec<u32> {
        let mut tree = SubscriptionTree::new(7);
        for (subscriber, filter) in (0..).zip(filters) {
            tree.insert(filter, subscriber, ());
        }
        let mut found = Vec::new();
        tree.for_each_match(topic, |subscriber, ()| found.push(subscriber));
        found.sort_unstable();
        found
    }

    #[test]
    fn every_kind_of_filter_matches_what_the_standard_says() {
        let filters = ["a/b", "a/+", "a/#", "#", "+/+", "/+", "+", "a/b/#", "a//b", "A/b"];
        assert_eq!(matches(&filters, "a/b"), vec![0, 1, 2, 3, 4, 7]);
        assert_eq!(matches(&filters, "a"), vec![2, 3, 6]);
        assert_eq!(matches(&filters, "/x"), vec![3, 4, 5]);
        assert_eq!(matches(&filters, "a//b"), vec![2, 3, 8]);
        assert_eq!(matches(&filters, "a/"), vec![1, 2, 3, 4]);
    }

    #[test]
    fn a_leading_wildcard_does_not_match_a_dollar_topic() {
        assert_eq!(matches(&["#", "+/x", "$SYS/#", "$SYS/+"], "$SYS/x"), vec![2, 3]);
    }

    #[test]
    fn a_removed_filter_leaves_nothing_behind() {
        let mut tree = SubscriptionTree::new(7);
        for filter in ["a/b/c", "a/+/c", "a/#", "#", "+"] {
            tree.insert(filter, 1, filter);
        }
        assert_eq!(tree.remove("a/b", 1), None);
        for filter in ["a/b/c", "a/+/c", "a/#", "#", "+"] {
            assert_eq!(tree.remove(filter, 2), None);
            assert_eq!(tree.remove(filter, 1), Some(filter));
        }
        assert!(tree.is_empty());
        assert_eq!(tree.nodes.len(), 1);
    }

    #[test]
    fn subscribing_again_replaces() {
        let mut tree = SubscriptionTree::new(7);
        assert_eq!(tree.insert("a/#", 1, 0), None);
        assert_eq!(tree.insert("a/#", 1, 2), Some(0));
        let mut found = Vec::new();
        tree.for_each_match("a/b", |subscriber, qos| found.push((subscriber, *qos)));
        assert_eq!(found, vec![(1, 2)]);
    }
}
