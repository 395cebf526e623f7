use std::time::Duration;

use squall_proto::{Ack, Packet, PacketId, Publish, Qos};

use crate::{
    Capability::{Qos1, Qos2},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{Also as _, publish},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "unacknowledged_qos_1_delivery_is_repeated_on_resuming",
        v3: &["MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.2-1"],
        v5: &["MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.2-3"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(unacknowledged_qos_1_delivery_is_repeated_on_resuming(t)),
    },
    Case {
        name: "unacknowledged_qos_2_delivery_is_repeated_on_resuming",
        v3: &["MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.3-1"],
        v5: &["MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.3-3"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(unacknowledged_qos_2_delivery_is_repeated_on_resuming(t)),
    },
    Case {
        name: "pubrel_without_pubcomp_is_repeated_on_resuming",
        v3: &["MQTT-4.4.0-1", "MQTT-4.3.3-1"],
        v5: &["MQTT-4.4.0-1", "MQTT-4.3.3-5", "MQTT-4.3.3-6"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(pubrel_without_pubcomp_is_repeated_on_resuming(t)),
    },
    Case {
        name: "acknowledged_delivery_is_not_repeated",
        v3: &["MQTT-4.3.2-1"],
        v5: &["MQTT-4.3.2-3", "MQTT-4.4.0-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(acknowledged_delivery_is_not_repeated(t)),
    },
    Case {
        name: "completed_qos_2_delivery_is_not_repeated",
        v3: &["MQTT-4.3.3-1"],
        v5: &["MQTT-4.3.3-5", "MQTT-4.4.0-1"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(completed_qos_2_delivery_is_not_repeated(t)),
    },
    Case {
        name: "nothing_is_repeated_while_the_connection_lasts",
        v3: &[],
        v5: &["MQTT-4.4.0-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(nothing_is_repeated_while_the_connection_lasts(t)),
    },
    Case {
        name: "id_of_a_repeated_delivery_is_not_given_to_a_new_one",
        v3: &["MQTT-2.3.1-4"],
        v5: &["MQTT-2.2.1-4"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(id_of_a_repeated_delivery_is_not_given_to_a_new_one(t)),
    },
];

async fn unacknowledged_qos_1_delivery_is_repeated_on_resuming(t: Context) -> Outcome {
    let (sub, first, _) = under_way(&t, Qos::AtLeastOnce).await?;
    sub.cut();
    let (mut sub, connack) = t.resume("sub").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })
    .set_up()?;
    let again = sub.expect_publish(&t.topic("a")).await?;
    let same = again.delivery == first.delivery && again.payload == first.payload;
    check(same && again.dup, "the same PUBLISH with DUP 1", || {
        format!("{again:?}")
    })
}

async fn unacknowledged_qos_2_delivery_is_repeated_on_resuming(t: Context) -> Outcome {
    let (sub, first, _) = under_way(&t, Qos::ExactlyOnce).await?;
    sub.cut();
    let (mut sub, connack) = t.resume("sub").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })
    .set_up()?;
    let again = sub.expect_publish(&t.topic("a")).await?;
    let same = again.delivery == first.delivery && again.payload == first.payload;
    check(same && again.dup, "the same PUBLISH with DUP 1", || {
        format!("{again:?}")
    })
}

async fn pubrel_without_pubcomp_is_repeated_on_resuming(t: Context) -> Outcome {
    let (mut sub, _, id) = under_way(&t, Qos::ExactlyOnce).await?;
    sub.send(Packet::Pubrec(Ack::success(id))).await;
    sub.expect_pubrel(id).await.set_up()?;
    sub.cut();
    let (mut sub, connack) = t.resume("sub").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })
    .set_up()?;
    sub.expect_pubrel(id).await?;
    sub.expect_no_publish(&t.topic("a")).await
}

async fn acknowledged_delivery_is_not_repeated(t: Context) -> Outcome {
    let (mut sub, first, _) = under_way(&t, Qos::AtLeastOnce).await?;
    sub.acknowledge(&first).await?;
    sub.ping().await?;
    sub.cut();
    let (mut sub, _) = t.resume("sub").await?;
    sub.expect_no_publish(&t.topic("a")).await
}

async fn completed_qos_2_delivery_is_not_repeated(t: Context) -> Outcome {
    let (mut sub, first, _) = under_way(&t, Qos::ExactlyOnce).await?;
    sub.acknowledge(&first).await?;
    sub.ping().await?;
    sub.cut();
    let (mut sub, _) = t.resume("sub").await?;
    sub.expect_none("neither PUBLISH nor PUBREL", |packet| {
        matches!(packet, Packet::Publish(_) | Packet::Pubrel(_))
    })
    .await
}

async fn nothing_is_repeated_while_the_connection_lasts(t: Context) -> Outcome {
    let (mut sub, _, _) = under_way(&t, Qos::AtLeastOnce).await?;
    let window = Duration::from_secs(5);
    sub.expect_none_within(window, "no repetition without a new connection", |packet| {
        matches!(packet, Packet::Publish(_))
    })
    .await
}

async fn id_of_a_repeated_delivery_is_not_given_to_a_new_one(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (sub, _, id) = under_way(&t, Qos::AtLeastOnce).await?;
    sub.cut();
    let (mut sub, _) = t.resume("sub").await?;
    sub.expect_publish(&topic).await.set_up()?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "new").qos1(2)).await?;
    let got = sub.expect_publish(&topic).await?;
    check(
        got.delivery.packet_id() != Some(id),
        "an id that no delivery under way has",
        || format!("{got:?}"),
    )
}

/// A session with one delivery that is not acknowledged: its client, the PUBLISH and its Packet Identifier.
async fn under_way(t: &Context, qos: Qos) -> Outcome<(Client, Publish, PacketId)> {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, qos).await?;
    let mut publisher = t.connect("pub").await?;
    let message = match qos {
        Qos::AtMostOnce | Qos::AtLeastOnce => publish(&topic, "x").qos1(1),
        Qos::ExactlyOnce => publish(&topic, "x").qos2(1),
    };
    publisher.publish(message).await?;
    let got = sub.expect_publish(&topic).await.set_up()?;
    match got.delivery.packet_id() {
        Some(id) => Ok((sub, got, id)),
        None => Err(Stop::Inconclusive("set-up: a delivery at QoS 0".into())),
    }
}
