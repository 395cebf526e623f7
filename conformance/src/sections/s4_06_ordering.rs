use squall_proto::{Ack, Packet, Qos};

use crate::{
    Capability::{Qos1, Qos2, Wildcards},
    Case, Context,
    Level::Must,
    Outcome,
    packets::{Also as _, id, publish},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "qos_0_messages_keep_their_order",
        v3: &["MQTT-4.6.0-5", "MQTT-4.6.0-6"],
        v5: &["MQTT-4.6.0-5", "MQTT-4.6.0-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(qos_0_messages_keep_their_order(t)),
    },
    Case {
        name: "qos_1_messages_keep_their_order",
        v3: &["MQTT-4.6.0-5", "MQTT-4.6.0-6"],
        v5: &["MQTT-4.6.0-5", "MQTT-4.6.0-6"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(qos_1_messages_keep_their_order(t)),
    },
    Case {
        name: "qos_2_messages_keep_their_order",
        v3: &["MQTT-4.6.0-5", "MQTT-4.6.0-6"],
        v5: &["MQTT-4.6.0-5", "MQTT-4.6.0-6"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_messages_keep_their_order(t)),
    },
    Case {
        name: "repeated_deliveries_keep_their_order",
        v3: &["MQTT-4.6.0-6"],
        v5: &["MQTT-4.6.0-5"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(repeated_deliveries_keep_their_order(t)),
    },
    Case {
        name: "message_reaches_every_matching_client",
        v3: &["MQTT-4.5.0-1"],
        v5: &["MQTT-4.5.0-1"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(message_reaches_every_matching_client(t)),
    },
];

async fn qos_0_messages_keep_their_order(t: Context) -> Outcome {
    in_order(&t, Qos::AtMostOnce).await
}

async fn qos_1_messages_keep_their_order(t: Context) -> Outcome {
    in_order(&t, Qos::AtLeastOnce).await
}

async fn qos_2_messages_keep_their_order(t: Context) -> Outcome {
    in_order(&t, Qos::ExactlyOnce).await
}

async fn repeated_deliveries_keep_their_order(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    for n in 1..=10 {
        publisher.publish(publish(&topic, &n.to_string()).qos1(n)).await?;
        sub.expect_publish(&topic).await.set_up()?;
    }
    sub.cut();
    let (mut sub, _) = t.resume("sub").await?;
    for n in 1..=10 {
        let got = sub.expect_publish(&topic).await?;
        check(got.payload == n.to_string(), &format!("message {n}"), || {
            format!("{got:?}")
        })?;
    }
    Ok(())
}

async fn message_reaches_every_matching_client(t: Context) -> Outcome {
    let topic = t.topic("a/b");
    let mut subs = Vec::new();
    for (name, filter) in [("one", "a/b"), ("two", "a/+"), ("three", "#"), ("four", "+/b")] {
        let mut sub = t.connect(name).await?;
        sub.subscribe(&t.topic(filter), Qos::AtMostOnce).await?;
        subs.push(sub);
    }
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    for sub in &mut subs {
        sub.expect_publish(&topic).await?;
    }
    Ok(())
}

/// Messages of one publisher, topic and QoS come in the order they were sent.
async fn in_order(t: &Context, qos: Qos) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, qos).await?;
    for n in 1..=20 {
        let message = publish(&topic, &n.to_string());
        let message = match qos {
            Qos::AtMostOnce => message,
            Qos::AtLeastOnce => message.qos1(n),
            Qos::ExactlyOnce => message.qos2(n),
        };
        publisher.send(Packet::Publish(message)).await;
        if qos == Qos::ExactlyOnce {
            publisher.expect_pubrec(n).await.set_up()?;
            publisher.send(Packet::Pubrel(Ack::success(id(n)))).await;
        }
    }
    for n in 1..=20 {
        let got = sub.expect_publish(&topic).await?;
        check(got.payload == n.to_string(), &format!("message {n}"), || {
            format!("{got:?}")
        })?;
        sub.acknowledge(&got).await?;
    }
    Ok(())
}
