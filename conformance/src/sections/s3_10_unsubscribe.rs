use squall_proto::{Ack, Packet, Qos, ReasonCode};

use crate::{
    Capability::{Qos2, Wildcards},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{Also as _, publish, unsubscribe},
    stop::SetUp as _,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "unsubscribe_is_answered_with_unsuback",
        v3: &["MQTT-3.10.4-4"],
        v5: &["MQTT-3.10.4-4", "MQTT-3.11.3-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribe_is_answered_with_unsuback(t)),
    },
    Case {
        name: "unsubscribing_from_nothing_is_answered",
        v3: &["MQTT-3.10.4-5"],
        v5: &["MQTT-3.10.4-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribing_from_nothing_is_answered(t)),
    },
    Case {
        name: "unsubscribing_ends_delivery",
        v3: &["MQTT-3.10.4-1", "MQTT-3.10.4-2"],
        v5: &["MQTT-3.10.4-1", "MQTT-3.10.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribing_ends_delivery(t)),
    },
    Case {
        name: "filters_are_compared_character_by_character",
        v3: &["MQTT-3.10.4-1"],
        v5: &["MQTT-3.10.4-1"],
        level: Must,
        needs: &[Wildcards],
        run: |t| Box::pin(filters_are_compared_character_by_character(t)),
    },
    Case {
        name: "several_filters_in_one_unsubscribe_all_end",
        v3: &["MQTT-3.10.4-6"],
        v5: &["MQTT-3.10.4-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(several_filters_in_one_unsubscribe_all_end(t)),
    },
    Case {
        name: "delivery_under_way_is_finished_after_unsubscribe",
        v3: &["MQTT-3.10.4-3"],
        v5: &["MQTT-3.10.4-3"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(delivery_under_way_is_finished_after_unsubscribe(t)),
    },
    Case {
        name: "unsuback_has_a_code_for_each_filter_in_order",
        v3: &[],
        v5: &["MQTT-3.11.3-1", "MQTT-3.11.3-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsuback_has_a_code_for_each_filter_in_order(t)),
    },
    Case {
        name: "unsubscribe_with_wrong_flags_is_refused",
        v3: &["MQTT-3.10.1-1"],
        v5: &["MQTT-3.10.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribe_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "unsubscribe_without_filters_is_refused",
        v3: &["MQTT-3.10.3-2", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.10.3-2", "MQTT-4.13.1-1", "X5-3.10.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribe_without_filters_is_refused(t)),
    },
];

async fn unsubscribe_is_answered_with_unsuback(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client.send(Packet::Unsubscribe(unsubscribe(1, &[&topic]))).await;
    client.expect_unsuback(1).await.map(drop)
}

async fn unsubscribing_from_nothing_is_answered(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Unsubscribe(unsubscribe(1, &[&t.topic("never")])))
        .await;
    client.expect_unsuback(1).await.map(drop)
}

async fn unsubscribing_ends_delivery(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    sub.send(Packet::Unsubscribe(unsubscribe(1, &[&topic]))).await;
    sub.expect_unsuback(1).await.set_up()?;
    publisher.publish(publish(&topic, "x")).await?;
    sub.expect_no_publish(&topic).await
}

async fn filters_are_compared_character_by_character(t: Context) -> Outcome {
    let (topic, filter) = (t.topic("a/b"), t.topic("a/+"));
    let (mut sub, mut publisher) = t.pair(&filter, Qos::AtMostOnce).await?;
    sub.send(Packet::Unsubscribe(unsubscribe(
        1,
        &[&topic, &t.topic("a/#"), &t.topic("A/+")],
    )))
    .await;
    sub.expect_unsuback(1).await.set_up()?;
    publisher.publish(publish(&topic, "x")).await?;
    sub.expect_publish(&topic).await.map(drop)
}

async fn several_filters_in_one_unsubscribe_all_end(t: Context) -> Outcome {
    let (a, b) = (t.topic("a"), t.topic("b"));
    let (mut sub, mut publisher) = t.pair(&a, Qos::AtMostOnce).await?;
    sub.subscribe(&b, Qos::AtMostOnce).await?;
    sub.send(Packet::Unsubscribe(unsubscribe(1, &[&a, &b]))).await;
    sub.expect_unsuback(1).await?;
    publisher.publish(publish(&a, "x")).await?;
    publisher.publish(publish(&b, "x")).await?;
    sub.expect_none("no PUBLISH, and no second UNSUBACK", |_| true)
        .await
}

async fn delivery_under_way_is_finished_after_unsubscribe(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::ExactlyOnce).await?;
    publisher.publish(publish(&topic, "x").qos2(1)).await?;
    let got = sub.expect_publish(&topic).await.set_up()?;
    sub.send(Packet::Unsubscribe(unsubscribe(1, &[&topic]))).await;
    sub.expect_unsuback(1).await.set_up()?;
    let Some(id) = got.delivery.packet_id() else {
        return Err(Stop::Inconclusive("set-up: a delivery at QoS 0".into()));
    };
    sub.send(Packet::Pubrec(Ack::success(id))).await;
    sub.expect_pubrel(id).await.map(drop)
}

async fn unsuback_has_a_code_for_each_filter_in_order(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut client = t.connect("client").await?;
    client.subscribe(&topic, Qos::AtMostOnce).await?;
    client
        .send(Packet::Unsubscribe(unsubscribe(1, &[&t.topic("never"), &topic])))
        .await;
    let codes = client.expect_unsuback(1).await?.reason_codes;
    match codes.as_slice() {
        [ReasonCode::Success, ReasonCode::Success] => Err(Stop::Choice(
            "0x00, also for a filter without a subscription".into(),
        )),
        [_, ReasonCode::Success] => Ok(()),
        other => Err(Stop::broken(
            "one code for the filter without a subscription, then 0x00",
            format!("{other:?}"),
        )),
    }
}

async fn unsubscribe_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# UNSUBSCRIBE with flags 0000, id 1, a/b
             a0 07 00 01 00 03 61 2f 62",
            "# UNSUBSCRIBE with flags 0000, id 1, no properties, a/b
             a0 08 00 01 00 00 03 61 2f 62",
        ))
        .await;
    client.expect_closed("after UNSUBSCRIBE with flags 0000").await?;
    Ok(())
}

async fn unsubscribe_without_filters_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# UNSUBSCRIBE id 1 and nothing more
             a2 02 00 01",
            "# UNSUBSCRIBE id 1, no properties and nothing more
             a2 03 00 01 00",
        ))
        .await;
    client.expect_closed("after UNSUBSCRIBE without a filter").await?;
    Ok(())
}
