use std::time::Duration;

use squall_proto::{Packet, Property, Publish, Qos};
use tokio::time::sleep;

use crate::{
    Capability::{Qos1, SubscriptionIdentifiers, TopicAliases, Wildcards},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{
        Also as _, at, binary, publish, subscription_id, subscription_identifier, text, topic_alias,
        topic_name, user_property,
    },
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "payload_format_indicator_is_forwarded",
        v3: &[],
        v5: &["MQTT-3.3.2-4"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(payload_format_indicator_is_forwarded(t)),
    },
    Case {
        name: "response_topic_is_forwarded",
        v3: &[],
        v5: &["MQTT-3.3.2-15"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(response_topic_is_forwarded(t)),
    },
    Case {
        name: "correlation_data_is_forwarded",
        v3: &[],
        v5: &["MQTT-3.3.2-16"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(correlation_data_is_forwarded(t)),
    },
    Case {
        name: "content_type_is_forwarded",
        v3: &[],
        v5: &["MQTT-3.3.2-20"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(content_type_is_forwarded(t)),
    },
    Case {
        name: "user_properties_are_forwarded_in_order",
        v3: &[],
        v5: &["MQTT-3.3.2-17", "MQTT-3.3.2-18"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(user_properties_are_forwarded_in_order(t)),
    },
    Case {
        name: "message_expiry_interval_counts_down",
        v3: &[],
        v5: &["MQTT-3.3.2-6"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(message_expiry_interval_counts_down(t)),
    },
    Case {
        name: "expired_message_is_not_delivered",
        v3: &[],
        v5: &["MQTT-3.3.2-5"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(expired_message_is_not_delivered(t)),
    },
    Case {
        name: "topic_alias_stands_for_its_topic",
        v3: &[],
        v5: &["MQTT-3.3.2-12"],
        level: Must,
        needs: &[TopicAliases],
        run: |t| Box::pin(topic_alias_stands_for_its_topic(t)),
    },
    Case {
        name: "topic_alias_ends_with_the_connection",
        v3: &[],
        v5: &["MQTT-3.3.2-7"],
        level: Must,
        needs: &[TopicAliases],
        run: |t| Box::pin(topic_alias_ends_with_the_connection(t)),
    },
    Case {
        name: "topic_alias_0_is_refused",
        v3: &[],
        v5: &["MQTT-3.3.2-8", "MQTT-4.13.1-1", "X5-3.3.2.3.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_alias_0_is_refused(t)),
    },
    Case {
        name: "topic_alias_above_the_maximum_is_refused",
        v3: &[],
        v5: &["MQTT-3.3.2-9", "MQTT-3.2.2-17", "MQTT-3.2.2-18", "X5-3.3.2.3.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_alias_above_the_maximum_is_refused(t)),
    },
    Case {
        name: "response_topic_with_a_wildcard_is_refused_or_not",
        v3: &[],
        v5: &["MQTT-3.3.2-14"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(response_topic_with_a_wildcard_is_refused_or_not(t)),
    },
    Case {
        name: "subscription_identifier_comes_with_the_message",
        v3: &[],
        v5: &["MQTT-3.3.4-3"],
        level: Must,
        needs: &[SubscriptionIdentifiers],
        run: |t| Box::pin(subscription_identifier_comes_with_the_message(t)),
    },
    Case {
        name: "overlapping_subscriptions_send_all_their_identifiers",
        v3: &[],
        v5: &["MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5", "X5-3.3.4-2"],
        level: Must,
        needs: &[SubscriptionIdentifiers, Wildcards],
        run: |t| Box::pin(overlapping_subscriptions_send_all_their_identifiers(t)),
    },
    Case {
        name: "unknown_topic_alias_is_refused",
        v3: &[],
        v5: &["X5-3.3.4-1"],
        level: Must,
        needs: &[TopicAliases],
        run: |t| Box::pin(unknown_topic_alias_is_refused(t)),
    },
];

async fn payload_format_indicator_is_forwarded(t: Context) -> Outcome {
    forwarded(&t, vec![Property::PayloadFormatIndicator(true)]).await
}

async fn response_topic_is_forwarded(t: Context) -> Outcome {
    forwarded(&t, vec![Property::ResponseTopic(topic_name("reply/to"))]).await
}

async fn correlation_data_is_forwarded(t: Context) -> Outcome {
    forwarded(&t, vec![Property::CorrelationData(binary(&[0, 0xff, 7]))]).await
}

async fn content_type_is_forwarded(t: Context) -> Outcome {
    forwarded(&t, vec![Property::ContentType(text("text/plain"))]).await
}

async fn user_properties_are_forwarded_in_order(t: Context) -> Outcome {
    forwarded(
        &t,
        vec![
            user_property("b", "1"),
            user_property("a", "2"),
            user_property("b", "1"),
        ],
    )
    .await
}

async fn message_expiry_interval_counts_down(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    sub.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .publish(
            publish(&topic, "x")
                .qos1(1)
                .with(Property::MessageExpiryInterval(60)),
        )
        .await?;
    sleep(Duration::from_millis(2500)).await;
    let (mut sub, _) = t.resume("sub").await?;
    let got = sub.expect_publish(&topic).await?;
    let left = got.properties.message_expiry_interval();
    check(
        left.is_some_and(|left| (50..=58).contains(&left)),
        "the interval of 60 s less two or more",
        || format!("{left:?}"),
    )
}

async fn expired_message_is_not_delivered(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    sub.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .publish(
            publish(&topic, "short")
                .qos1(1)
                .with(Property::MessageExpiryInterval(1)),
        )
        .await?;
    publisher.publish(publish(&topic, "long").qos1(2)).await?;
    sleep(Duration::from_millis(2500)).await;
    let (mut sub, _) = t.resume("sub").await?;
    let got = sub.expect_publish(&topic).await?;
    check(
        got.payload == "long",
        "the message that has not expired, alone",
        || format!("{got:?}"),
    )
}

async fn topic_alias_stands_for_its_topic(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    let highest = t.target().topic_alias_maximum();
    publisher
        .publish(publish(&topic, "1").with(topic_alias(highest)))
        .await?;
    sub.expect_publish(&topic).await?;
    publisher
        .publish(Publish {
            topic: None,
            ..publish(&topic, "2").with(topic_alias(highest))
        })
        .await?;
    let got = sub.expect_publish(&topic).await?;
    check(got.payload == "2", "the message sent by its alias", || {
        format!("{got:?}")
    })
}

async fn topic_alias_ends_with_the_connection(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher
        .publish(publish(&topic, "1").with(topic_alias(1)))
        .await?;
    sub.expect_publish(&topic).await?;
    publisher.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .send(Packet::Publish(Publish {
            topic: None,
            ..publish(&topic, "2").with(topic_alias(1))
        }))
        .await;
    sub.expect_no_publish(&topic).await
}

async fn topic_alias_0_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 09 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 9 bytes follow
             03 23 00 00          # properties: Topic Alias 0",
        )
        .await;
    client.expect_closed("after Topic Alias 0").await?;
    Ok(())
}

async fn topic_alias_above_the_maximum_is_refused(t: Context) -> Outcome {
    let Some(above) = t.target().topic_alias_maximum().checked_add(1) else {
        return Err(Stop::Unsupported("every Topic Alias is allowed".into()));
    };
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Publish(
            publish(&t.topic("a"), "x").with(topic_alias(above)),
        ))
        .await;
    client
        .expect_closed("after a Topic Alias above its maximum")
        .await?;
    Ok(())
}

async fn response_topic_with_a_wildcard_is_refused_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 0c 00 03 61 2f 62    # PUBLISH at QoS 0, a/b, 12 bytes follow
             06 08 00 03 61 2f 23    # properties: Response Topic a/#",
        )
        .await;
    client.closed_or_not().await
}

async fn subscription_identifier_comes_with_the_message(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = t.connect("sub").await?;
    sub.subscribe_with(
        &topic,
        at(Qos::AtMostOnce),
        Some(subscription_identifier(268_435_455)),
    )
    .await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    let got = sub.expect_publish(&topic).await?;
    let ids: Vec<_> = got.properties.subscription_identifiers().collect();
    check(
        ids == [subscription_id(268_435_455)],
        "Subscription Identifier 268435455",
        || format!("{ids:?}"),
    )
}

async fn overlapping_subscriptions_send_all_their_identifiers(t: Context) -> Outcome {
    let topic = t.topic("a/b");
    let mut sub = t.connect("sub").await?;
    sub.subscribe_with(&topic, at(Qos::AtMostOnce), Some(subscription_identifier(1)))
        .await?;
    sub.subscribe_with(
        &t.topic("a/+"),
        at(Qos::AtMostOnce),
        Some(subscription_identifier(2)),
    )
    .await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    let mut ids: Vec<_> = sub
        .expect_publish(&topic)
        .await?
        .properties
        .subscription_identifiers()
        .collect();
    if ids.len() == 1 {
        ids.extend(
            sub.expect_publish(&topic)
                .await?
                .properties
                .subscription_identifiers(),
        );
    }
    ids.sort_unstable();
    check(
        ids == [subscription_id(1), subscription_id(2)],
        "Subscription Identifiers 1 and 2, in one copy or in two",
        || format!("{ids:?}"),
    )
}

/// A message with these properties reaches a subscriber with the same, in the same order among those of a kind.
async fn forwarded(t: &Context, properties: Vec<Property>) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    let message = properties
        .iter()
        .cloned()
        .fold(publish(&topic, "x"), |message, property| message.with(property));
    publisher.publish(message).await?;
    let got = sub.expect_publish(&topic).await?;
    let kinds: Vec<_> = properties.iter().map(Property::id).collect();
    let same: Vec<_> = got
        .properties
        .iter()
        .filter(|property| kinds.contains(&property.id()))
        .cloned()
        .collect();
    check(same == properties, "the properties as they were sent", || {
        format!("{same:?}")
    })
}

async fn unknown_topic_alias_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex("30 06 00 00 03 23 00 01 # PUBLISH at QoS 0, no topic, Topic Alias 1")
        .await;
    client
        .expect_closed("after a Topic Alias that nothing was mapped to")
        .await
        .map(drop)
}
