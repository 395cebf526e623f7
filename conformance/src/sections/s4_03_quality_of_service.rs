use std::time::Duration;

use squall_proto::{Ack, Delivery, Packet, Property, Qos, ReasonCode};
use tokio::time::sleep;

use crate::{
    Capability::{Qos1, Qos2},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{Also as _, id, publish},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "qos_1_publish_is_acknowledged",
        v3: &["MQTT-4.3.2-2"],
        v5: &["MQTT-4.3.2-4"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(qos_1_publish_is_acknowledged(t)),
    },
    Case {
        name: "qos_1_id_is_new_after_its_puback",
        v3: &["MQTT-4.3.2-2"],
        v5: &["MQTT-4.3.2-5"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(qos_1_id_is_new_after_its_puback(t)),
    },
    Case {
        name: "qos_1_delivery_has_an_id_and_dup_0",
        v3: &["MQTT-4.3.2-1"],
        v5: &["MQTT-4.3.2-2"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(qos_1_delivery_has_an_id_and_dup_0(t)),
    },
    Case {
        name: "qos_2_publish_is_received_released_and_completed",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-8", "MQTT-4.3.3-11"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_publish_is_received_released_and_completed(t)),
    },
    Case {
        name: "repeated_qos_2_publish_is_delivered_once",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-10"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(repeated_qos_2_publish_is_delivered_once(t)),
    },
    Case {
        name: "qos_2_publish_repeated_on_a_new_connection_is_delivered_once",
        v3: &["MQTT-4.3.3-2", "MQTT-4.1.0-1"],
        v5: &["MQTT-4.3.3-10", "MQTT-3.1.2-23"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_publish_repeated_on_a_new_connection_is_delivered_once(t)),
    },
    Case {
        name: "qos_2_id_is_new_after_its_pubcomp",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-12"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_id_is_new_after_its_pubcomp(t)),
    },
    Case {
        name: "repeated_pubrel_is_answered",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-11"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(repeated_pubrel_is_answered(t)),
    },
    Case {
        name: "qos_2_delivery_goes_its_four_steps",
        v3: &["MQTT-4.3.3-1"],
        v5: &["MQTT-4.3.3-2", "MQTT-4.3.3-4", "MQTT-3.6.2-1"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_delivery_goes_its_four_steps(t)),
    },
    Case {
        name: "qos_2_message_is_forwarded_before_or_after_its_pubrel",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-8"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_message_is_forwarded_before_or_after_its_pubrel(t)),
    },
    Case {
        name: "pubrel_with_wrong_flags_is_refused",
        v3: &["MQTT-3.6.1-1"],
        v5: &["MQTT-3.6.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(pubrel_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "error_in_pubrec_ends_the_delivery",
        v3: &[],
        v5: &["MQTT-4.4.0-2", "MQTT-4.3.3-4"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(error_in_pubrec_ends_the_delivery(t)),
    },
    Case {
        name: "qos_2_delivery_under_way_does_not_expire",
        v3: &[],
        v5: &["MQTT-4.3.3-7"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_delivery_under_way_does_not_expire(t)),
    },
    Case {
        name: "qos_2_exchange_is_finished_after_its_message_expired",
        v3: &[],
        v5: &["MQTT-4.3.3-13"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_exchange_is_finished_after_its_message_expired(t)),
    },
    Case {
        name: "id_of_a_refused_qos_2_message_is_free",
        v3: &[],
        v5: &["MQTT-4.3.3-9"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(id_of_a_refused_qos_2_message_is_free(t)),
    },
];

async fn qos_1_publish_is_acknowledged(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Publish(publish(&t.topic("a"), "x").qos1(7)))
        .await;
    client.expect_puback(7).await.map(drop)
}

async fn qos_1_id_is_new_after_its_puback(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtLeastOnce).await?;
    publisher.publish(publish(&topic, "one").qos1(7)).await?;
    publisher.publish(publish(&topic, "two").qos1(7).again()).await?;
    for payload in ["one", "two"] {
        let got = sub.expect_publish(&topic).await?;
        check(got.payload == payload, &format!("{payload:?}"), || {
            format!("{got:?}")
        })?;
    }
    Ok(())
}

async fn qos_1_delivery_has_an_id_and_dup_0(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtLeastOnce).await?;
    publisher.publish(publish(&topic, "x").qos1(1)).await?;
    let got = sub.expect_publish(&topic).await?;
    check(
        matches!(got.delivery, Delivery::AtLeastOnce(_)) && !got.dup,
        "PUBLISH at QoS 1 with DUP 0",
        || format!("{got:?}"),
    )
}

async fn qos_2_publish_is_received_released_and_completed(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send(Packet::Publish(publish(&t.topic("a"), "x").qos2(7)))
        .await;
    client.expect_pubrec(7).await?;
    client.send(Packet::Pubrel(Ack::success(id(7)))).await;
    client.expect_pubcomp(7).await.map(drop)
}

async fn repeated_qos_2_publish_is_delivered_once(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher
        .send(Packet::Publish(publish(&topic, "x").qos2(7)))
        .await;
    publisher.expect_pubrec(7).await?;
    publisher
        .send(Packet::Publish(publish(&topic, "x").qos2(7).again()))
        .await;
    publisher.expect_pubrec(7).await?;
    publisher.send(Packet::Pubrel(Ack::success(id(7)))).await;
    publisher.expect_pubcomp(7).await?;
    sub.expect_publish(&topic).await?;
    sub.expect_no_publish(&topic).await
}

async fn qos_2_publish_repeated_on_a_new_connection_is_delivered_once(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut sub = t.connect("sub").await?;
    sub.subscribe(&topic, Qos::AtMostOnce).await?;
    let (mut publisher, _) = t.resume("pub").await?;
    publisher
        .send(Packet::Publish(publish(&topic, "x").qos2(7)))
        .await;
    publisher.expect_pubrec(7).await?;
    publisher.cut();
    let (mut publisher, connack) = t.resume("pub").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })
    .set_up()?;
    publisher
        .send(Packet::Publish(publish(&topic, "x").qos2(7).again()))
        .await;
    publisher.expect_pubrec(7).await?;
    publisher.send(Packet::Pubrel(Ack::success(id(7)))).await;
    publisher.expect_pubcomp(7).await?;
    sub.expect_publish(&topic).await?;
    sub.expect_no_publish(&topic).await
}

async fn qos_2_id_is_new_after_its_pubcomp(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    for payload in ["one", "two"] {
        publisher.publish(publish(&topic, payload).qos2(7)).await?;
        let got = sub.expect_publish(&topic).await?;
        check(got.payload == payload, &format!("{payload:?}"), || {
            format!("{got:?}")
        })?;
    }
    Ok(())
}

async fn repeated_pubrel_is_answered(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.publish(publish(&t.topic("a"), "x").qos2(7)).await?;
    client.send(Packet::Pubrel(Ack::success(id(7)))).await;
    client.expect_pubcomp(7).await.map(drop)
}

async fn qos_2_delivery_goes_its_four_steps(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::ExactlyOnce).await?;
    publisher.publish(publish(&topic, "x").qos2(1)).await?;
    let got = sub.expect_publish(&topic).await?;
    let Delivery::ExactlyOnce(id) = got.delivery else {
        return Err(Stop::broken("PUBLISH at QoS 2", format!("{got:?}")));
    };
    check(!got.dup, "DUP 0", || "DUP 1".into())?;
    sub.expect_none("no PUBREL before PUBREC", |packet| {
        matches!(packet, Packet::Pubrel(_))
    })
    .await?;
    sub.send(Packet::Pubrec(Ack::success(id))).await;
    sub.expect_pubrel(id).await?;
    sub.send(Packet::Pubcomp(Ack::success(id))).await;
    sub.expect_none("nothing after PUBCOMP", |_| true).await
}

async fn qos_2_message_is_forwarded_before_or_after_its_pubrel(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher
        .send(Packet::Publish(publish(&topic, "x").qos2(7)))
        .await;
    publisher.expect_pubrec(7).await?;
    let held = sub.expect_no_publish(&topic).await.is_ok();
    publisher.send(Packet::Pubrel(Ack::success(id(7)))).await;
    publisher.expect_pubcomp(7).await?;
    if held {
        sub.expect_publish(&topic).await?;
    }
    Err(Stop::Choice(if held { "at PUBREL" } else { "at PUBLISH" }.into()))
}

async fn pubrel_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex("60 02 00 07 # PUBREL with flags 0000, id 7")
        .await;
    client.expect_closed("after PUBREL with flags 0000").await?;
    Ok(())
}

async fn error_in_pubrec_ends_the_delivery(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::ExactlyOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x").qos2(1)).await?;
    let got = sub.expect_publish(&topic).await.set_up()?;
    let Some(id) = got.delivery.packet_id() else {
        return Err(Stop::Inconclusive("set-up: a delivery at QoS 0".into()));
    };
    sub.send(Packet::Pubrec(Ack::of(id, ReasonCode::UnspecifiedError)))
        .await;
    sub.expect_none("no PUBREL after an error", |packet| {
        matches!(packet, Packet::Pubrel(_))
    })
    .await?;
    sub.cut();
    let (mut sub, _) = t.resume("sub").await?;
    sub.expect_no_publish(&topic).await
}

async fn qos_2_delivery_under_way_does_not_expire(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::ExactlyOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .publish(
            publish(&topic, "x")
                .qos2(1)
                .with(Property::MessageExpiryInterval(1)),
        )
        .await?;
    let first = sub.expect_publish(&topic).await.set_up()?;
    sub.cut();
    sleep(Duration::from_millis(2500)).await;
    let (mut sub, _) = t.resume("sub").await?;
    let again = sub.expect_publish(&topic).await?;
    check(
        again.delivery == first.delivery,
        "the same delivery again",
        || format!("{again:?}"),
    )
}

async fn qos_2_exchange_is_finished_after_its_message_expired(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let publish = publish(&t.topic("a"), "x").qos2(1);
    client
        .send(Packet::Publish(publish.with(Property::MessageExpiryInterval(1))))
        .await;
    client.expect_pubrec(1).await.set_up()?;
    sleep(Duration::from_millis(2500)).await;
    client.send(Packet::Pubrel(Ack::success(id(1)))).await;
    client.expect_pubcomp(1).await.map(drop)
}

async fn id_of_a_refused_qos_2_message_is_free(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::ExactlyOnce).await?;
    let mut bad = publish(&topic, "")
        .qos2(1)
        .with(Property::PayloadFormatIndicator(true));
    bad.payload = b"\xff"[..].into();
    publisher.send(Packet::Publish(bad)).await;
    let pubrec = publisher.expect_pubrec(1).await;
    if !pubrec.is_ok_and(|pubrec| pubrec.reason_code.is_error()) {
        let why = "it refuses no payload that is not what it is said to be";
        return Err(Stop::Unsupported(why.into()));
    }
    publisher.publish(publish(&topic, "good").qos2(1)).await?;
    let got = sub.expect_publish(&topic).await?;
    check(got.payload == "good", "the message after the refused one", || {
        format!("{got:?}")
    })
}
