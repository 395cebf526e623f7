use alloc::vec::Vec;

use crate::{PublishRef, TopicAlias, TopicName};

/// What a Topic Alias takes up in a packet: its property.
const ALIAS_BYTES: usize = 3;

/// The Topic Aliases that the broker has given a client on one connection.
///
/// A topic gets the next free one when it is sent first. When none is free, the topic that was not sent for longest gives up
/// its own, but only once in as many packets as there are aliases: with more topics than aliases most still stand in short,
/// and what changes them costs little.
// [MQTT-3.3.2-7] They end with the connection.
#[derive(Debug, Default)]
pub(super) struct SentAliases {
    /// How many the client takes, and the limits allow.
    // [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-11]
    max: u16,
    /// Topics with an alias; the first has alias 1.
    // [MQTT-3.3.2-8] Never alias 0.
    named: Vec<Named>,
    /// PUBLISH packets sent that may have had an alias.
    sent: u64,
    /// When a topic may give up its alias.
    replace_at: u64,
}

#[derive(Debug)]
struct Named {
    topic: TopicName,
    last_sent: u64,
}

/// How a PUBLISH names its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Without an alias.
    Whole,
    /// With an alias that the client is to remember.
    Introducing(TopicAlias),
    /// By an alias alone.
    Short(TopicAlias),
}

impl SentAliases {
    /// For a client that takes so many.
    pub(super) const fn new(max: u16) -> Self {
        Self {
            max,
            named: Vec::new(),
            sent: 0,
            replace_at: 0,
        }
    }

    /// Whether the client takes any.
    pub(super) const fn are_any(&self) -> bool {
        self.max > 0
    }

    /// How a PUBLISH to this topic may name it.
    pub(super) fn spelling(&self, topic: &TopicName) -> Spelling {
        if self.max == 0 || topic.len() <= ALIAS_BYTES {
            return Spelling::Whole;
        }
        if let Some(index) = self.named.iter().position(|named| named.topic == *topic) {
            return alias(index).map_or(Spelling::Whole, Spelling::Short);
        }
        let index = if self.named.len() < usize::from(self.max) {
            Some(self.named.len())
        } else {
            self.replaceable()
        };
        index
            .and_then(alias)
            .map_or(Spelling::Whole, Spelling::Introducing)
    }

    fn replaceable(&self) -> Option<usize> {
        if self.sent < self.replace_at {
            return None;
        }
        let oldest = self
            .named
            .iter()
            .enumerate()
            .min_by_key(|(_, named)| named.last_sent);
        oldest.map(|(index, _)| index)
    }

    /// A PUBLISH to this topic was sent like that: the client now knows what it says.
    pub(super) fn sent(&mut self, topic: &TopicName, spelling: Spelling) {
        let (Spelling::Introducing(alias) | Spelling::Short(alias)) = spelling else {
            self.sent += u64::from(self.max > 0);
            return;
        };
        let last_sent = self.sent;
        self.sent += 1;
        match self.named.get_mut(usize::from(alias.value()) - 1) {
            Some(named) if spelling == Spelling::Short(alias) => named.last_sent = last_sent,
            Some(named) => {
                let topic = topic.detached();
                *named = Named { topic, last_sent };
                self.replace_at = self.sent + u64::from(self.max);
            }
            None => {
                let topic = topic.detached();
                self.named.push(Named { topic, last_sent });
                self.replace_at = self.sent + u64::from(self.max);
            }
        }
    }
}

impl Spelling {
    /// The PUBLISH, spelt like this.
    pub(super) const fn of<'a>(self, publish: PublishRef<'a>) -> PublishRef<'a> {
        match self {
            Self::Whole => publish,
            Self::Introducing(alias) => PublishRef {
                topic_alias: Some(alias),
                ..publish
            },
            Self::Short(alias) => PublishRef {
                topic: None,
                topic_alias: Some(alias),
                ..publish
            },
        }
    }
}

fn alias(index: usize) -> Option<TopicAlias> {
    u16::try_from(index + 1).ok().and_then(TopicAlias::new)
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::*;

    /// How each of these topics is named, one after the other: `whole`, `+1` with a new alias 1, `1` by alias 1 alone.
    fn named(aliases: &mut SentAliases, topics: &[&str]) -> Vec<String> {
        topics
            .iter()
            .map(|topic| {
                let topic = TopicName::new(topic).unwrap();
                let spelling = aliases.spelling(&topic);
                aliases.sent(&topic, spelling);
                match spelling {
                    Spelling::Whole => "whole".into(),
                    Spelling::Introducing(alias) => format!("+{}", alias.value()),
                    Spelling::Short(alias) => format!("{}", alias.value()),
                }
            })
            .collect()
    }

    #[test]
    fn a_topic_keeps_its_alias() {
        let mut aliases = SentAliases::new(2);
        let topics = ["long/a", "long/a", "long/b", "long/a", "long/b"];
        assert_eq!(named(&mut aliases, &topics), ["+1", "1", "+2", "1", "2"]);
    }

    /// [MQTT-3.1.2-27] [MQTT-3.3.2-11]
    #[test]
    fn without_aliases_and_where_one_saves_nothing_a_topic_is_written_out() {
        assert_eq!(
            named(&mut SentAliases::new(0), &["long/a", "long/a"]),
            ["whole", "whole"]
        );
        assert_eq!(
            named(&mut SentAliases::new(9), &["abc", "abc"]),
            ["whole", "whole"]
        );
    }

    #[test]
    fn the_topic_not_sent_for_longest_gives_up_its_alias_once_in_as_many_packets_as_there_are() {
        let mut aliases = SentAliases::new(2);
        let topics = [
            "long/a", "long/b", "long/c", "long/a", "long/c", "long/c", "long/b", "long/d", "long/b",
        ];
        assert_eq!(
            named(&mut aliases, &topics),
            ["+1", "+2", "whole", "1", "+2", "2", "whole", "+1", "whole"]
        );
    }

    #[test]
    fn an_alias_that_was_not_sent_is_not_known() {
        let aliases = SentAliases::new(2);
        let topic = TopicName::new("long/a").unwrap();
        assert_eq!(aliases.spelling(&topic), aliases.spelling(&topic));
    }
}
