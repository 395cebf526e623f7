//! Topic Aliases that the server gives. It may give none: what it does is recorded by `server_gives_topic_aliases_or_not`.

use std::collections::BTreeMap;

use squall_proto::{Packet, Property, Publish, Qos, TopicName};

use crate::{
    Capability::Qos1,
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{Also as _, publish},
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "aliases_of_the_server_stay_within_the_maximum_and_stand_for_their_topics",
        v3: &[],
        v5: &["MQTT-3.3.2-11", "MQTT-3.1.2-26", "MQTT-3.3.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(aliases_of_the_server_stay_within_the_maximum_and_stand_for_their_topics(t)),
    },
    Case {
        name: "aliases_of_the_server_end_with_the_connection",
        v3: &[],
        v5: &["MQTT-3.3.2-7"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(aliases_of_the_server_end_with_the_connection(t)),
    },
    Case {
        name: "server_gives_topic_aliases_or_not",
        v3: &[],
        v5: &["MQTT-3.1.2-26"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(server_gives_topic_aliases_or_not(t)),
    },
];

/// Topic Alias Maximum of the subscriber.
const MAXIMUM: u16 = 2;

/// What a receiver knows of its sender's aliases.
#[derive(Default)]
struct Aliases(BTreeMap<u16, TopicName>);

impl Aliases {
    /// The topic of a PUBLISH, by its name or the alias that was given one.
    fn topic(&mut self, publish: &Publish) -> Outcome<TopicName> {
        let alias = publish.properties.topic_alias().map(|alias| alias.value());
        check(
            alias.is_none_or(|alias| alias <= MAXIMUM),
            "no Topic Alias above the Topic Alias Maximum",
            || format!("{publish:?}"),
        )?;
        let topic = match (&publish.topic, alias) {
            (Some(topic), Some(alias)) => {
                self.0.insert(alias, topic.clone());
                Some(topic.clone())
            }
            (Some(topic), None) => Some(topic.clone()),
            (None, alias) => alias.and_then(|alias| self.0.get(&alias).cloned()),
        };
        topic.ok_or_else(|| {
            Stop::broken(
                "a Topic Name, or a Topic Alias that was given one on this connection",
                format!("{publish:?}"),
            )
        })
    }
}

async fn next_publish(client: &mut Client) -> Outcome<Publish> {
    client
        .expect("a PUBLISH", |packet| {
            if let Packet::Publish(publish) = packet {
                Some(publish.clone())
            } else {
                None
            }
        })
        .await
}

async fn subscriber(t: &Context) -> Outcome<Client> {
    let (client, _) = t
        .connect_with("sub", |connect| {
            t.make_persistent(connect);
            connect.properties.push(Property::TopicAliasMaximum(MAXIMUM));
        })
        .await?;
    Ok(client)
}

async fn aliases_of_the_server_stay_within_the_maximum_and_stand_for_their_topics(t: Context) -> Outcome {
    let topics = ["a", "b", "c"].map(|below| t.topic(below));
    let mut sub = subscriber(&t).await?;
    for topic in &topics {
        sub.subscribe(topic, Qos::AtMostOnce).await?;
    }
    let mut publisher = t.connect("pub").await?;
    let mut aliases = Aliases::default();
    for topic in topics.iter().cycle().take(12) {
        publisher.publish(publish(topic, topic)).await?;
        let got = next_publish(&mut sub).await?;
        let named = aliases.topic(&got)?;
        check(
            named.as_bytes() == got.payload,
            "the topic that was published to",
            || format!("{got:?}, which is {named:?}"),
        )?;
    }
    Ok(())
}

async fn aliases_of_the_server_end_with_the_connection(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = subscriber(&t).await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    let mut aliases = Aliases::default();
    for packet_id in 1..=2 {
        publisher.publish(publish(&topic, "x").qos1(packet_id)).await?;
        aliases.topic(&next_publish(&mut sub).await?)?;
    }
    sub.cut();
    let mut sub = subscriber(&t).await?;
    let mut aliases = Aliases::default();
    for _ in 0..2 {
        aliases.topic(&next_publish(&mut sub).await?)?;
    }
    Ok(())
}

async fn server_gives_topic_aliases_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = subscriber(&t).await?;
    sub.subscribe(&topic, Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    let mut given = false;
    for _ in 0..4 {
        publisher.publish(publish(&topic, "x")).await?;
        given |= next_publish(&mut sub).await?.properties.topic_alias().is_some();
    }
    Err(Stop::Choice(if given { "given" } else { "not given" }.into()))
}
