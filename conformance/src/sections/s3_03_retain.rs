use std::time::Duration;

use squall_proto::{Packet, Property, Qos, RetainHandling, SubscriptionOptions};
use tokio::time::sleep;

use crate::{
    Capability::{Qos2, Retain, Wildcards},
    Case, Context,
    Level::Must,
    Outcome,
    packets::{Also as _, handling, publish},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "retained_message_is_sent_to_a_new_subscription",
        v3: &["MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-8"],
        v5: &["MQTT-3.3.1-5", "MQTT-3.3.1-9"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retained_message_is_sent_to_a_new_subscription(t)),
    },
    Case {
        name: "last_retained_message_replaces_the_one_before",
        v3: &["MQTT-3.3.1-5", "MQTT-3.3.1-6"],
        v5: &["MQTT-3.3.1-5"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(last_retained_message_replaces_the_one_before(t)),
    },
    Case {
        name: "qos_0_retained_message_evicts_the_one_before",
        v3: &["MQTT-3.3.1-7"],
        v5: &["MQTT-3.3.1-5"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(qos_0_retained_message_evicts_the_one_before(t)),
    },
    Case {
        name: "live_message_has_retain_0",
        v3: &["MQTT-3.3.1-9"],
        v5: &["MQTT-3.3.1-12"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(live_message_has_retain_0(t)),
    },
    Case {
        name: "empty_retained_message_is_delivered_and_deletes",
        v3: &["MQTT-3.3.1-10", "MQTT-3.3.1-11"],
        v5: &["MQTT-3.3.1-6", "MQTT-3.3.1-7"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(empty_retained_message_is_delivered_and_deletes(t)),
    },
    Case {
        name: "message_without_retain_leaves_the_retained_one",
        v3: &["MQTT-3.3.1-12"],
        v5: &["MQTT-3.3.1-8"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(message_without_retain_leaves_the_retained_one(t)),
    },
    Case {
        name: "message_without_retain_is_not_kept",
        v3: &["MQTT-3.3.1-12"],
        v5: &["MQTT-3.3.1-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(message_without_retain_is_not_kept(t)),
    },
    Case {
        name: "retained_message_outlives_the_session",
        v3: &["MQTT-3.1.2-7"],
        v5: &["MQTT-3.3.1-5", "MQTT-3.3.1-9"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retained_message_outlives_the_session(t)),
    },
    Case {
        name: "wildcard_subscription_gets_every_matching_retained_message",
        v3: &["MQTT-3.3.1-6"],
        v5: &["MQTT-3.3.1-9"],
        level: Must,
        needs: &[Retain, Wildcards],
        run: |t| Box::pin(wildcard_subscription_gets_every_matching_retained_message(t)),
    },
    Case {
        name: "retained_message_is_sent_at_the_lower_qos",
        v3: &["MQTT-3.8.4-6"],
        v5: &["MQTT-3.8.4-8"],
        level: Must,
        needs: &[Retain, Qos2],
        run: |t| Box::pin(retained_message_is_sent_at_the_lower_qos(t)),
    },
    Case {
        name: "subscribing_again_sends_retained_messages_again",
        v3: &["MQTT-3.8.4-3"],
        v5: &["MQTT-3.8.4-4", "MQTT-3.3.1-9"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(subscribing_again_sends_retained_messages_again(t)),
    },
    Case {
        name: "resumed_session_gets_no_retained_messages",
        v3: &["MQTT-3.3.1-6"],
        v5: &["MQTT-3.3.1-9"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(resumed_session_gets_no_retained_messages(t)),
    },
    Case {
        name: "retain_handling_1_sends_to_a_new_subscription_alone",
        v3: &[],
        v5: &["MQTT-3.3.1-10"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retain_handling_1_sends_to_a_new_subscription_alone(t)),
    },
    Case {
        name: "retain_handling_2_sends_nothing",
        v3: &[],
        v5: &["MQTT-3.3.1-11"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retain_handling_2_sends_nothing(t)),
    },
    Case {
        name: "retain_as_published_keeps_retain",
        v3: &[],
        v5: &["MQTT-3.3.1-13"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(retain_as_published_keeps_retain(t)),
    },
    Case {
        name: "expired_retained_message_is_not_sent",
        v3: &[],
        v5: &["MQTT-3.3.2-5"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(expired_retained_message_is_not_sent(t)),
    },
];

async fn retained_message_is_sent_to_a_new_subscription(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    t.retain(&mut client, publish(&topic, "kept").retained().qos1(1))
        .await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    let got = client.expect_publish(&topic).await?;
    check(
        got.retain && got.payload == "kept",
        "the retained message with RETAIN 1",
        || format!("{got:?}"),
    )
}

async fn last_retained_message_replaces_the_one_before(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "old").retained().qos1(1)).await?;
    t.retain(&mut client, publish(&topic, "new").retained().qos1(2))
        .await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    let got = client.expect_publish(&topic).await?;
    check(got.payload == "new", "the last one", || format!("{got:?}"))?;
    client.expect_no_publish(&topic).await
}

async fn qos_0_retained_message_evicts_the_one_before(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "old").retained().qos1(1)).await?;
    t.retain(&mut client, publish(&topic, "new").retained()).await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client
        .expect_none(
            "not the message before",
            |packet| matches!(packet, Packet::Publish(publish) if publish.payload == "old"),
        )
        .await
}

async fn live_message_has_retain_0(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher.publish(publish(&topic, "x").retained()).await?;
    let got = sub.expect_publish(&topic).await?;
    check(!got.retain, "RETAIN 0 to an established subscription", || {
        format!("{got:?}")
    })
}

async fn empty_retained_message_is_delivered_and_deletes(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher
        .publish(publish(&topic, "kept").retained().qos1(1))
        .await?;
    sub.expect_publish(&topic).await.set_up()?;
    publisher.publish(publish(&topic, "").retained().qos1(2)).await?;
    // A server that looks for retained messages late may send the first once more.
    sub.expect_payload("").await?;
    publisher.subscribe(&topic, Qos::AtMostOnce).await?;
    publisher.expect_no_publish(&topic).await
}

async fn message_without_retain_leaves_the_retained_one(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained().qos1(1)).await?;
    client.publish(publish(&topic, "passing").qos1(2)).await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    let got = client.expect_publish(&topic).await?;
    check(got.payload == "kept", "the retained message", || {
        format!("{got:?}")
    })
}

async fn message_without_retain_is_not_kept(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    t.retain(&mut client, publish(&topic, "passing").qos1(1)).await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client.expect_no_publish(&topic).await
}

async fn retained_message_outlives_the_session(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained().qos1(1)).await?;
    client.disconnect().await?;
    let mut later = t.connect("later").await?;
    later.subscribe(&topic, Qos::AtMostOnce).await?;
    later.expect_publish(&topic).await.map(drop)
}

async fn wildcard_subscription_gets_every_matching_retained_message(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    for (id, below) in [(1, "a/x"), (2, "a/y"), (3, "b/x")] {
        client
            .publish(publish(&t.topic(below), below).retained().qos1(id))
            .await?;
    }
    client.subscribe(&t.topic("a/+"), Qos::AtMostOnce).await?;
    client.expect_publish(&t.topic("a/x")).await?;
    client.expect_publish(&t.topic("a/y")).await?;
    client.expect_no_publish(&t.topic("b/x")).await
}

async fn retained_message_is_sent_at_the_lower_qos(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained().qos1(1)).await?;
    client.subscribe(&topic, Qos::ExactlyOnce).await?;
    let got = client.expect_publish(&topic).await?;
    check(got.delivery.qos() == Qos::AtLeastOnce, "PUBLISH at QoS 1", || {
        format!("{got:?}")
    })
}

async fn subscribing_again_sends_retained_messages_again(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained().qos1(1)).await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client.expect_publish(&topic).await.set_up()?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client.expect_publish(&topic).await.map(drop)
}

async fn resumed_session_gets_no_retained_messages(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .publish(publish(&topic, "kept").retained().qos1(1))
        .await?;
    sub.expect_publish(&topic).await.set_up()?;
    sub.disconnect().await?;
    let (mut sub, connack) = t.resume("sub").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })
    .set_up()?;
    sub.expect_no_publish(&topic).await
}

async fn retain_handling_1_sends_to_a_new_subscription_alone(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained().qos1(1)).await?;
    client
        .subscribe_with(&topic, handling(RetainHandling::SendIfNew), None)
        .await?;
    client.expect_publish(&topic).await?;
    client
        .subscribe_with(&topic, handling(RetainHandling::SendIfNew), None)
        .await?;
    client.expect_no_publish(&topic).await
}

async fn retain_handling_2_sends_nothing(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.publish(publish(&topic, "kept").retained().qos1(1)).await?;
    client
        .subscribe_with(&topic, handling(RetainHandling::DoNotSend), None)
        .await?;
    client.expect_no_publish(&topic).await
}

async fn retain_as_published_keeps_retain(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = t.connect("sub").await?;
    let options = SubscriptionOptions {
        retain_as_published: true,
        ..SubscriptionOptions::default()
    };
    sub.subscribe_with(&topic, options, None).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "kept").retained()).await?;
    let got = sub.expect_publish(&topic).await?;
    check(got.retain, "RETAIN 1, as it was published", || format!("{got:?}"))?;
    publisher.publish(publish(&topic, "passing")).await?;
    let got = sub.expect_publish(&topic).await?;
    check(!got.retain, "RETAIN 0, as it was published", || {
        format!("{got:?}")
    })
}

async fn expired_retained_message_is_not_sent(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client
        .publish(
            publish(&topic, "kept")
                .retained()
                .qos1(1)
                .with(Property::MessageExpiryInterval(1)),
        )
        .await?;
    sleep(Duration::from_millis(2500)).await;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client.expect_no_publish(&topic).await
}
