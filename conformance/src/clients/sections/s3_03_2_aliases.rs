use squall_proto::{Packet, Property};

use super::s3_03_publish::said;
use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{CLOSES, Case, MUST},
        driver::Command,
        reaction::{closes, subscribed},
        stage::{Server, connect},
    },
    packets::{self, topic_alias},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "without_topic_alias_maximum_the_client_gives_no_alias",
        v3: &[],
        v5: &["MQTT-3.2.2-18"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected_by(&connect().with("topic_aliases", 10), &[]).await?;
                gives_no_alias_above(&mut t, &mut server, 0).await
            })
        },
    },
    Case {
        name: "aliases_of_the_clients_choice_stay_within_topic_alias_maximum",
        v3: &[],
        v5: &["MQTT-3.2.2-17", "MQTT-3.3.2-8", "MQTT-3.3.2-9"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let maximum = [Property::TopicAliasMaximum(2)];
                let connect = connect().with("topic_aliases", 10);
                let mut server = t.connected_by(&connect, &maximum).await?;
                gives_no_alias_above(&mut t, &mut server, 2).await
            })
        },
    },
    Case {
        name: "an_alias_above_topic_alias_maximum_is_not_sent",
        v3: &[],
        v5: &["MQTT-3.2.2-17", "MQTT-3.3.2-9"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move { alias_is_not_sent(&mut t, &[Property::TopicAliasMaximum(2)], 3).await })
        },
    },
    Case {
        name: "an_alias_is_not_sent_to_a_server_that_takes_none",
        v3: &[],
        v5: &["MQTT-3.2.2-18"],
        levels: MUST,
        run: |mut t| Box::pin(async move { alias_is_not_sent(&mut t, &[], 1).await }),
    },
    Case {
        name: "topic_alias_0_is_not_sent",
        v3: &[],
        v5: &["MQTT-3.3.2-8"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move { alias_is_not_sent(&mut t, &[Property::TopicAliasMaximum(2)], 0).await })
        },
    },
    Case {
        name: "an_alias_ends_with_its_connection",
        v3: &[],
        v5: &["MQTT-3.3.2-7"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let maximum = [Property::TopicAliasMaximum(10)];
                let connect = t.connect_to_session().with("topic_aliases", 10);
                let mut server = t.connected_by(&connect, &maximum).await?;
                for payload in ["1", "2"] {
                    t.driver.tell(&Command::publish("t", 0, payload)).await?;
                    server.expect_payload(payload).await.set_up()?;
                }
                server.cut();
                let (mut server, _) = t.back_unanswered().await?;
                server.send(crate::clients::stage::connack(true, &maximum)).await;
                t.driver.expect_connected().await.set_up()?;
                t.driver.tell(&Command::publish("t", 0, "3")).await?;
                let publish = server.expect_payload("3").await?;
                check(
                    publish.topic.is_some(),
                    "the Topic Name beside an alias that is new",
                    || said(&publish),
                )
            })
        },
    },
    Case {
        name: "every_alias_up_to_the_announced_maximum_is_taken",
        v3: &[],
        v5: &["MQTT-3.3.2-10"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, &connect().with("topic_alias_maximum", 3), &[]).await?;
                for (alias, topic) in [(3, "c"), (1, "a"), (2, "b")] {
                    send_with_alias(&mut server, Some(topic), alias).await;
                    t.driver.expect_message(topic).await?;
                }
                for (alias, topic) in [(1, "a"), (2, "b"), (3, "c")] {
                    send_with_alias(&mut server, None, alias).await;
                    t.driver.expect_message(topic).await?;
                }
                Ok(())
            })
        },
    },
    Case {
        name: "an_alias_above_the_announced_maximum_closes_the_connection",
        v3: &[],
        v5: &["MQTT-3.1.2-26", "MQTT-3.3.2-11", "X5-3.3.2.3.4-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, &connect().with("topic_alias_maximum", 3), &[]).await?;
                send_with_alias(&mut server, Some("t"), 4).await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "an_alias_where_none_was_announced_closes_the_connection",
        v3: &[],
        v5: &["MQTT-3.1.2-27"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, announced) = t.asked_to_connect(&connect()).await?;
                if announced.properties.topic_alias_maximum().unwrap_or(0) > 0 {
                    return Err(Stop::Unsupported(
                        "it announces a Topic Alias Maximum unasked".into(),
                    ));
                }
                server.send(crate::clients::stage::connack(false, &[])).await;
                t.driver.expect_connected().await.set_up()?;
                send_with_alias(&mut server, Some("t"), 1).await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "topic_alias_0_closes_the_connection",
        v3: &[],
        v5: &["MQTT-3.3.2-8", "X5-3.3.2.3.4-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, &connect().with("topic_alias_maximum", 3), &[]).await?;
                // Topic Alias 0.
                server.send_hex("30 07 0001 74 03 23 0000").await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "an_alias_that_stands_for_no_topic_yet_closes_the_connection",
        v3: &[],
        v5: &["X5-3.3.4-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, &connect().with("topic_alias_maximum", 3), &[]).await?;
                send_with_alias(&mut server, Some("t"), 1).await;
                send_with_alias(&mut server, None, 2).await;
                closes(&mut server).await
            })
        },
    },
];

async fn send_with_alias(server: &mut Server, topic: Option<&str>, alias: u16) {
    let mut publish = packets::publish(topic.unwrap_or("t"), "x");
    publish.properties.push(topic_alias(alias));
    if topic.is_none() {
        publish.topic = None;
    }
    server.send(Packet::Publish(publish)).await;
}

/// Three topics, twice.
async fn gives_no_alias_above(t: &mut Stage, server: &mut Server, maximum: u16) -> Outcome {
    for topic in ["a", "b", "c", "a", "b", "c"] {
        t.driver.tell(&Command::publish(topic, 0, topic)).await?;
        let publish = server.expect_payload(topic).await?;
        let alias = publish.properties.topic_alias().map_or(0, |alias| alias.value());
        let expected = format!("no Topic Alias above {maximum}");
        check(alias <= maximum, &expected, || said(&publish))?;
    }
    Ok(())
}

async fn alias_is_not_sent(t: &mut Stage, properties: &[Property], alias: u16) -> Outcome {
    let mut server = t.connected_by(&connect(), properties).await?;
    let publish = Command::publish("t", 0, "x").with("topic_alias", alias);
    let has_alias = |packet: &Packet| matches!(packet, Packet::Publish(publish) if publish.properties.topic_alias().is_some());
    let expected = format!("no PUBLISH with Topic Alias {alias}");
    t.must_not_send(&mut server, &publish, &expected, has_alias).await
}
