use alloc::collections::BTreeMap;

use crate::{Property, Publish, TopicAlias, TopicName};

/// Topic Aliases that this client uses on one connection. With more topics than aliases, the one that was not used for longest gives its
/// alias away.
// [MQTT-3.3.2-7] They end with the connection.
#[derive(Debug)]
pub(super) struct Aliases {
    /// The highest; 0 for none.
    // [MQTT-3.2.2-17] [MQTT-3.2.2-18] [MQTT-3.3.2-9] Never above what the server takes.
    maximum: u16,
    given: BTreeMap<TopicName, Given>,
    /// Which topic was used when.
    used: BTreeMap<u64, TopicName>,
    uses: u64,
}

#[derive(Clone, Copy, Debug)]
struct Given {
    alias: TopicAlias,
    used: u64,
}

impl Aliases {
    pub(super) const fn new(maximum: u16) -> Self {
        Self {
            maximum,
            given: BTreeMap::new(),
            used: BTreeMap::new(),
            uses: 0,
        }
    }

    /// The same PUBLISH with an alias: in the place of its Topic Name, or beside it the first time. `None` where there are none.
    pub(super) fn shorten(&mut self, publish: &Publish) -> Option<Publish> {
        let topic = publish.topic.as_ref()?;
        let (alias, known) = match self.given.get(topic).copied() {
            Some(given) => {
                self.used.remove(&given.used);
                (given.alias, true)
            }
            None => (self.give()?, false),
        };
        self.uses += 1;
        let used = self.uses;
        self.given.insert(topic.clone(), Given { alias, used });
        self.used.insert(used, topic.clone());
        let mut short = publish.clone();
        if known {
            short.topic = None;
        }
        short.properties.push(Property::TopicAlias(alias));
        Some(short)
    }

    /// One that no topic has, or the one that was not used for longest.
    // [MQTT-3.3.2-8]
    fn give(&mut self) -> Option<TopicAlias> {
        let count = u16::try_from(self.given.len()).unwrap_or(u16::MAX);
        if count < self.maximum {
            return TopicAlias::new(count + 1);
        }
        let (_, topic) = self.used.pop_first()?;
        self.given.remove(&topic).map(|given| given.alias)
    }
}
