use squall_proto::{Ack, Packet, Qos};

use crate::{
    Capability::{Qos1, Qos2, Wildcards},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{Also as _, id, publish},
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "publish_at_qos_3_is_refused",
        v3: &["MQTT-3.3.1-4"],
        v5: &["MQTT-3.3.1-4", "MQTT-4.13.1-1", "X5-3.3.1.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(publish_at_qos_3_is_refused(t)),
    },
    Case {
        name: "dup_is_not_passed_on",
        v3: &["MQTT-3.3.1-3"],
        v5: &["MQTT-3.3.1-3"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(dup_is_not_passed_on(t)),
    },
    Case {
        name: "delivery_matches_the_filter",
        v3: &["MQTT-3.3.2-3"],
        v5: &["MQTT-3.3.2-3"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(delivery_matches_the_filter(t)),
    },
    Case {
        name: "empty_payload_is_delivered",
        v3: &["MQTT-4.5.0-1"],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(empty_payload_is_delivered(t)),
    },
    Case {
        name: "large_payload_is_delivered_unaltered",
        v3: &["MQTT-3.3.4-1", "MQTT-4.5.0-1"],
        v5: &["MQTT-3.3.4-1", "MQTT-4.5.0-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(large_payload_is_delivered_unaltered(t)),
    },
    Case {
        name: "topic_name_with_a_wildcard_is_refused",
        v3: &["MQTT-3.3.2-2", "MQTT-4.7.1-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.3.2-2", "MQTT-4.7.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(topic_name_with_a_wildcard_is_refused(t)),
    },
    Case {
        name: "empty_topic_name_is_refused",
        v3: &["MQTT-4.7.3-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-4.7.3-1", "MQTT-4.13.1-1", "X5-3.3.2.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(empty_topic_name_is_refused(t)),
    },
    Case {
        name: "overlapping_subscriptions_deliver_at_the_highest_qos",
        v3: &["MQTT-3.3.5-1"],
        v5: &["MQTT-3.3.4-2"],
        level: Must,
        needs: &[Wildcards, Qos2],
        run: |t| Box::pin(overlapping_subscriptions_deliver_at_the_highest_qos(t)),
    },
    Case {
        name: "overlapping_subscriptions_deliver_one_copy_or_several",
        v3: &["MQTT-3.3.5-1"],
        v5: &["MQTT-3.3.4-2"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(overlapping_subscriptions_deliver_one_copy_or_several(t)),
    },
    Case {
        name: "subscription_identifier_from_a_client_is_refused_or_not",
        v3: &[],
        v5: &["MQTT-3.3.4-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscription_identifier_from_a_client_is_refused_or_not(t)),
    },
    Case {
        name: "publish_of_every_qos_is_answered_as_it_demands",
        v3: &["MQTT-3.3.4-1"],
        v5: &["MQTT-3.3.4-1", "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.7.2-1"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(publish_of_every_qos_is_answered_as_it_demands(t)),
    },
];

async fn publish_at_qos_3_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# PUBLISH with QoS bits 11, a/b, id 1
             36 07 00 03 61 2f 62 00 01",
            "# PUBLISH with QoS bits 11, a/b, id 1, no properties
             36 08 00 03 61 2f 62 00 01 00",
        ))
        .await;
    client.expect_closed("after PUBLISH at QoS 3").await?;
    Ok(())
}

async fn dup_is_not_passed_on(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtLeastOnce).await?;
    publisher.publish(publish(&topic, "x").qos1(1).again()).await?;
    let got = sub.expect_publish(&topic).await?;
    check(!got.dup, "DUP 0 at the first delivery", || format!("{got:?}"))
}

async fn delivery_matches_the_filter(t: Context) -> Outcome {
    let (mut sub, mut publisher) = t.pair(&t.topic("+/x"), Qos::AtMostOnce).await?;
    publisher.publish(publish(&t.topic("a/y"), "no")).await?;
    publisher.publish(publish(&t.topic("a/x"), "yes")).await?;
    sub.expect_publish(&t.topic("a/x")).await?;
    sub.expect_no_publish(&t.topic("a/y")).await
}

async fn empty_payload_is_delivered(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher.publish(publish(&topic, "")).await?;
    let got = sub.expect_publish(&topic).await?;
    check(got.payload.is_empty(), "an empty payload", || format!("{got:?}"))
}

async fn large_payload_is_delivered_unaltered(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtLeastOnce).await?;
    let payload = "0123456789".repeat(2000);
    publisher.publish(publish(&topic, &payload).qos1(1)).await?;
    let got = sub.expect_publish(&topic).await?;
    check(got.payload == payload, "the 20,000 bytes that were sent", || {
        format!("{} bytes", got.payload.len())
    })
}

async fn topic_name_with_a_wildcard_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# PUBLISH at QoS 0, a/+
             30 05 00 03 61 2f 2b",
            "# PUBLISH at QoS 0, a/+, no properties
             30 06 00 03 61 2f 2b 00",
        ))
        .await;
    client.expect_closed("after a Topic Name with a wildcard").await?;
    Ok(())
}

async fn empty_topic_name_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# PUBLISH at QoS 0 without a topic
             30 02 00 00",
            "# PUBLISH at QoS 0 without a topic, no properties
             30 03 00 00 00",
        ))
        .await;
    client.expect_closed("after PUBLISH without a topic").await?;
    Ok(())
}

async fn overlapping_subscriptions_deliver_at_the_highest_qos(t: Context) -> Outcome {
    let topic = t.topic("a/b");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    sub.subscribe(&t.topic("a/+"), Qos::AtLeastOnce).await?;
    sub.subscribe(&t.topic("+/b"), Qos::ExactlyOnce).await?;
    publisher.publish(publish(&topic, "x").qos2(1)).await?;
    let mut highest = sub.expect_publish(&topic).await?.delivery.qos();
    // One copy, or one a subscription: both are legal.
    for _ in 0..2 {
        if highest < Qos::ExactlyOnce {
            highest = highest.max(sub.expect_publish(&topic).await?.delivery.qos());
        }
    }
    check(highest == Qos::ExactlyOnce, "a copy at QoS 2", || {
        format!("{highest:?} at the highest")
    })
}

async fn overlapping_subscriptions_deliver_one_copy_or_several(t: Context) -> Outcome {
    let topic = t.topic("a/b");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    sub.subscribe(&t.topic("a/+"), Qos::AtMostOnce).await?;
    publisher.publish(publish(&topic, "x")).await?;
    sub.expect_publish(&topic).await?;
    let copies = if sub.expect_no_publish(&topic).await.is_ok() {
        "one copy"
    } else {
        "a copy a subscription"
    };
    Err(Stop::Choice(copies.into()))
}

async fn subscription_identifier_from_a_client_is_refused_or_not(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "30 08 00 03 61 2f 62 # PUBLISH at QoS 0, a/b, 8 bytes follow
             02 0b 01             # properties: Subscription Identifier 1",
        )
        .await;
    client.closed_or_not().await
}

async fn publish_of_every_qos_is_answered_as_it_demands(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.send(Packet::Publish(publish(&topic, "0"))).await;
    client.send(Packet::Publish(publish(&topic, "1").qos1(1))).await;
    client.expect_puback(1).await?;
    client.send(Packet::Publish(publish(&topic, "2").qos2(2))).await;
    client.expect_pubrec(2).await?;
    client.send(Packet::Pubrel(Ack::success(id(2)))).await;
    client.expect_pubcomp(2).await?;
    client
        .expect_none("no acknowledgement of QoS 0, no second of the others", |_| true)
        .await
}
