use std::collections::BTreeSet;

use squall_proto::{Ack, Packet, Qos};

use crate::{
    Capability::{Qos1, Qos2},
    Case, Context,
    Level::Must,
    Outcome,
    packets::{Also as _, at, id, publish, subscribe, unsubscribe},
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "publish_at_qos_1_with_id_0_is_refused",
        v3: &["MQTT-2.3.1-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-2.2.1-3", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(publish_at_qos_1_with_id_0_is_refused(t)),
    },
    Case {
        name: "subscribe_with_id_0_is_refused",
        v3: &["MQTT-2.3.1-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-2.2.1-3", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscribe_with_id_0_is_refused(t)),
    },
    Case {
        name: "unsubscribe_with_id_0_is_refused",
        v3: &["MQTT-2.3.1-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-2.2.1-3", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unsubscribe_with_id_0_is_refused(t)),
    },
    Case {
        name: "acknowledgements_repeat_the_id_of_the_publish",
        v3: &["MQTT-2.3.1-6"],
        v5: &["MQTT-2.2.1-5"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(acknowledgements_repeat_the_id_of_the_publish(t)),
    },
    Case {
        name: "suback_and_unsuback_repeat_the_id_of_the_request",
        v3: &["MQTT-2.3.1-7", "MQTT-3.8.4-2"],
        v5: &["MQTT-2.2.1-6", "MQTT-3.8.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(suback_and_unsuback_repeat_the_id_of_the_request(t)),
    },
    Case {
        name: "deliveries_under_way_have_ids_of_their_own",
        v3: &["MQTT-2.3.1-4", "MQTT-4.3.2-1"],
        v5: &["MQTT-2.2.1-4", "MQTT-4.3.2-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(deliveries_under_way_have_ids_of_their_own(t)),
    },
    Case {
        name: "publish_at_qos_0_has_no_id",
        v3: &["MQTT-2.3.1-5", "MQTT-3.3.1-2", "MQTT-4.3.1-1"],
        v5: &["MQTT-2.2.1-2", "MQTT-3.3.1-2", "MQTT-4.3.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(publish_at_qos_0_has_no_id(t)),
    },
    Case {
        name: "qos_2_deliveries_under_way_have_ids_of_their_own",
        v3: &["MQTT-2.3.1-4", "MQTT-4.3.3-1"],
        v5: &["MQTT-2.2.1-4", "MQTT-4.3.3-1"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(qos_2_deliveries_under_way_have_ids_of_their_own(t)),
    },
];

async fn publish_at_qos_1_with_id_0_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# PUBLISH at QoS 1, a/b, id 0
             32 07 00 03 61 2f 62 00 00",
            "# PUBLISH at QoS 1, a/b, id 0, no properties
             32 08 00 03 61 2f 62 00 00 00",
        ))
        .await;
    client
        .expect_closed("after PUBLISH with Packet Identifier 0")
        .await?;
    Ok(())
}

async fn subscribe_with_id_0_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# SUBSCRIBE id 0, a/b at QoS 0
             82 08 00 00 00 03 61 2f 62 00",
            "# SUBSCRIBE id 0, no properties, a/b at QoS 0
             82 09 00 00 00 00 03 61 2f 62 00",
        ))
        .await;
    client
        .expect_closed("after SUBSCRIBE with Packet Identifier 0")
        .await?;
    Ok(())
}

async fn unsubscribe_with_id_0_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(t.by_version(
            "# UNSUBSCRIBE id 0, a/b
             a2 07 00 00 00 03 61 2f 62",
            "# UNSUBSCRIBE id 0, no properties, a/b
             a2 08 00 00 00 00 03 61 2f 62",
        ))
        .await;
    client
        .expect_closed("after UNSUBSCRIBE with Packet Identifier 0")
        .await?;
    Ok(())
}

async fn acknowledgements_repeat_the_id_of_the_publish(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let topic = t.topic("a");
    client
        .send(Packet::Publish(publish(&topic, "1").qos1(0x1234)))
        .await;
    client.expect_puback(0x1234).await?;
    client
        .send(Packet::Publish(publish(&topic, "2").qos2(0xffff)))
        .await;
    client.expect_pubrec(0xffff).await?;
    client.send(Packet::Pubrel(Ack::success(id(0xffff)))).await;
    client.expect_pubcomp(0xffff).await.map(drop)
}

async fn suback_and_unsuback_repeat_the_id_of_the_request(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let topic = t.topic("a");
    client
        .send(Packet::Subscribe(subscribe(
            0xabcd,
            &[(&topic, at(Qos::AtMostOnce))],
        )))
        .await;
    client.expect_suback(0xabcd).await?;
    client
        .send(Packet::Unsubscribe(unsubscribe(0xdcba, &[&topic])))
        .await;
    client.expect_unsuback(0xdcba).await.map(drop)
}

async fn deliveries_under_way_have_ids_of_their_own(t: Context) -> Outcome {
    ids_of_their_own(&t, Qos::AtLeastOnce).await
}

async fn qos_2_deliveries_under_way_have_ids_of_their_own(t: Context) -> Outcome {
    ids_of_their_own(&t, Qos::ExactlyOnce).await
}

async fn ids_of_their_own(t: &Context, qos: Qos) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, qos).await?;
    for message in 1..=5 {
        let published = publish(&topic, "x");
        let published = match qos {
            Qos::AtMostOnce | Qos::AtLeastOnce => published.qos1(message),
            Qos::ExactlyOnce => published.qos2(message),
        };
        publisher.publish(published).await?;
    }
    let mut ids = BTreeSet::new();
    for _ in 0..5 {
        let packet_id = sub.expect_publish(&topic).await?.delivery.packet_id();
        check(
            packet_id.is_some_and(|id| ids.insert(id)),
            "an id that no delivery under way has",
            || format!("{packet_id:?} beside {ids:?}"),
        )?;
    }
    Ok(())
}

async fn publish_at_qos_0_has_no_id(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    publisher.publish(publish(&topic, "payload")).await?;
    let got = sub.expect_publish(&topic).await?;
    check(
        got.payload == "payload" && !got.dup,
        "the payload alone, DUP 0",
        || format!("{got:?}"),
    )
}
