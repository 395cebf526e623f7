//! Topic Aliases.

use std::collections::BTreeMap;

use bytes::Bytes;
use squall_proto::{Packet, Property, TopicAlias, TopicName};

use super::{
    Mutant, Mutation, caught_by, caught_in,
    conn::{Conn, Way},
    mutation::{seen_as, sent_as, wire},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-keeps-aliases-over-connections",
        does: "sends a Topic Alias without its topic on a connection that has not been told it",
        stands_for: "D9, MQTT-3.3.2-7",
        side: Side::Broker,
        caught_by: caught_by("topic-aliases-end-with-their-connection", "topic_alias"),
        make: keeps_aliases,
    },
    Mutant {
        name: "broker-exceeds-the-topic-alias-maximum",
        does: "uses a Topic Alias above what the client takes",
        stands_for: "MQTT-3.3.2-11",
        side: Side::Broker,
        caught_by: caught_by("topic-aliases-end-with-their-connection", "topic_alias"),
        make: || sent_as(higher_alias),
    },
    Mutant {
        name: "client-keeps-aliases-over-connections",
        does: "sends a Topic Alias without its topic on a connection that has not been told it",
        stands_for: "D9, MQTT-3.3.2-7",
        side: Side::Client,
        caught_by: caught_by("topic-aliases-end-with-their-connection", "topic_alias"),
        make: keeps_aliases,
    },
    Mutant {
        name: "client-exceeds-the-topic-alias-maximum",
        does: "uses a Topic Alias above what the broker takes",
        stands_for: "MQTT-3.3.2-9",
        side: Side::Client,
        caught_by: caught_by("topic-aliases-end-with-their-connection", "topic_alias"),
        make: || sent_as(higher_alias),
    },
    Mutant {
        name: "client-believes-aliases-of-an-earlier-connection",
        does: "takes a Topic Alias for what it stood for on an earlier connection",
        stands_for: "D9, MQTT-3.3.2-7",
        side: Side::Client,
        caught_by: caught_by("a-message-without-topic-is-handed-to-nobody", "expectations"),
        make: remembers_aliases,
    },
    Mutant {
        name: "broker-forwards-topic-aliases",
        does: "sends a message on with the Topic Alias that its publisher gave it",
        stands_for: "MQTT-3.3.2-9",
        side: Side::Broker,
        caught_by: caught_by("the-publishers-topic-alias-goes-no-further", "topic_alias"),
        make: forwards_aliases,
    },
    Mutant {
        name: "client-writes-down-aliases",
        does: "sends again with the Topic Alias, and without the topic, that it sent at first",
        stands_for: "D9, MQTT-3.3.2-7",
        side: Side::Client,
        caught_by: caught_in(
            "kind=process",
            "what-is-on-disk-has-its-whole-topic",
            "expectations",
        ),
        make: writes_down_aliases,
    },
];

const fn is_alias(property: &Property) -> bool {
    matches!(property, Property::TopicAlias(_))
}

/// Of messages of QoS 0 and first deliveries; what is sent again goes with its topic.
fn keeps_aliases() -> Mutation {
    let mut known: BTreeMap<String, BTreeMap<TopicName, Property>> = BTreeMap::new();
    sent_as(move |packet, conn| {
        let Packet::Publish(publish) = packet else { return };
        let known = known.entry(conn.client_id().to_owned()).or_default();
        let alias = publish
            .properties
            .iter()
            .find(|property| is_alias(property))
            .cloned();
        let Some(topic) = publish.topic.clone() else {
            return;
        };
        match (alias, known.get(&topic)) {
            (Some(alias), _) if conn.nth() == 1 => _ = known.insert(topic, alias),
            (alias, Some(earlier)) if conn.nth() > 1 && !publish.dup => {
                if alias.is_none() {
                    publish.properties.push(earlier.clone());
                }
                publish.topic = None;
            }
            (_, _) => {}
        }
    })
}

/// On its first connection: each ends with it.
fn higher_alias(packet: &mut Packet, conn: &Conn) {
    if let Packet::Publish(publish) = packet
        && conn.nth() == 1
        && publish.properties.topic_alias().is_some()
    {
        publish.properties.retain(|property| !is_alias(property));
        let above = TopicAlias::new(u16::MAX).map(Property::TopicAlias);
        above.into_iter().for_each(|above| publish.properties.push(above));
    }
}

fn remembers_aliases() -> Mutation {
    let mut known: BTreeMap<TopicAlias, TopicName> = BTreeMap::new();
    seen_as(move |packet, _| {
        let Packet::Publish(publish) = packet else { return };
        let Some(alias) = publish.properties.topic_alias() else {
            return;
        };
        match &publish.topic {
            Some(topic) => _ = known.insert(alias, topic.clone()),
            None => publish.topic = known.get(&alias).cloned(),
        }
    })
}

fn forwards_aliases() -> Mutation {
    let mut aliases: BTreeMap<Bytes, TopicAlias> = BTreeMap::new();
    wire(move |mut packet, conn| {
        if let Packet::Publish(publish) = &mut packet {
            match (conn.way(), publish.properties.topic_alias()) {
                (Way::Seen, Some(alias)) => _ = aliases.insert(publish.payload.clone(), alias),
                (Way::Sent, None) => {
                    if let Some(alias) = aliases.get(&publish.payload) {
                        publish.properties.push(Property::TopicAlias(*alias));
                    }
                }
                (Way::Seen, None) | (Way::Sent, Some(_)) => {}
            }
        }
        conn.pass(packet);
    })
}

fn writes_down_aliases() -> Mutation {
    let mut written: BTreeMap<Bytes, TopicAlias> = BTreeMap::new();
    sent_as(move |packet, _| {
        let Packet::Publish(publish) = packet else { return };
        if let Some(alias) = publish.properties.topic_alias() {
            written.entry(publish.payload.clone()).or_insert(alias);
        }
        if let Some(alias) = written.get(&publish.payload).filter(|_| publish.dup) {
            publish.topic = None;
            publish
                .properties
                .retain(|property| !matches!(property, Property::TopicAlias(_)));
            publish.properties.push(Property::TopicAlias(*alias));
        }
    })
}
