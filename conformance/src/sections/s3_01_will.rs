use std::time::Duration;

use squall_proto::{Connect, Disconnect, Packet, Properties, Property, Qos, ReasonCode, Will};

use crate::{
    Capability::{Qos1, Retain},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{user_property, will},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "will_is_published_when_the_connection_is_cut",
        v3: &["MQTT-3.1.2-8", "MQTT-3.1.2-9"],
        v5: &["MQTT-3.1.2-8", "MQTT-3.1.2-7"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_published_when_the_connection_is_cut(t)),
    },
    Case {
        name: "will_is_published_once",
        v3: &["MQTT-3.1.2-10"],
        v5: &["MQTT-3.1.2-10"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_published_once(t)),
    },
    Case {
        name: "will_is_dropped_at_disconnect",
        v3: &["MQTT-3.14.4-3", "MQTT-3.1.2-10"],
        v5: &["MQTT-3.14.4-3", "MQTT-3.1.2-10"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_dropped_at_disconnect(t)),
    },
    Case {
        name: "will_is_published_after_a_protocol_error",
        v3: &["MQTT-3.1.2-8"],
        v5: &["MQTT-3.1.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_published_after_a_protocol_error(t)),
    },
    Case {
        name: "will_is_published_when_the_keep_alive_runs_out",
        v3: &["MQTT-3.1.2-8", "MQTT-3.1.2-24"],
        v5: &["MQTT-3.1.2-8", "MQTT-3.1.2-22"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_published_when_the_keep_alive_runs_out(t)),
    },
    Case {
        name: "will_has_the_qos_asked_for",
        v3: &["MQTT-3.1.2-9"],
        v5: &["MQTT-3.1.2-9"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(will_has_the_qos_asked_for(t)),
    },
    Case {
        name: "will_without_will_retain_is_not_kept",
        v3: &["MQTT-3.1.2-16"],
        v5: &["MQTT-3.1.2-14"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_without_will_retain_is_not_kept(t)),
    },
    Case {
        name: "will_with_will_retain_is_kept",
        v3: &["MQTT-3.1.2-17"],
        v5: &["MQTT-3.1.2-15"],
        level: Must,
        needs: &[Retain],
        run: |t| Box::pin(will_with_will_retain_is_kept(t)),
    },
    Case {
        name: "will_is_published_at_disconnect_0x04",
        v3: &[],
        v5: &["MQTT-3.1.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_published_at_disconnect_0x04(t)),
    },
    Case {
        name: "will_waits_for_its_delay",
        v3: &[],
        v5: &["MQTT-3.1.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_waits_for_its_delay(t)),
    },
    Case {
        name: "reconnecting_within_the_delay_takes_the_will_back",
        v3: &[],
        v5: &["MQTT-3.1.3-9"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(reconnecting_within_the_delay_takes_the_will_back(t)),
    },
    Case {
        name: "clean_start_within_the_delay_publishes_the_will_or_not",
        v3: &[],
        v5: &["MQTT-3.1.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(clean_start_within_the_delay_publishes_the_will_or_not(t)),
    },
    Case {
        name: "will_is_published_when_the_session_ends_before_the_delay",
        v3: &[],
        v5: &["MQTT-3.1.2-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_is_published_when_the_session_ends_before_the_delay(t)),
    },
    Case {
        name: "will_keeps_its_properties_and_their_order",
        v3: &[],
        v5: &["MQTT-3.1.3-10"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_keeps_its_properties_and_their_order(t)),
    },
    Case {
        name: "connection_without_a_will_publishes_none",
        v3: &["MQTT-3.1.2-12", "MQTT-3.1.2-10"],
        v5: &["MQTT-3.1.2-10"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connection_without_a_will_publishes_none(t)),
    },
];

async fn will_is_published_when_the_connection_is_cut(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.cut();
    let got = sub.expect_publish(&topic).await?;
    check(got.payload == "gone", "the Will Message", || format!("{got:?}"))
}

async fn will_is_published_once(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.cut();
    sub.expect_publish(&topic).await.set_up()?;
    t.connect("client").await?.cut();
    sub.expect_no_publish(&topic).await
}

async fn will_is_dropped_at_disconnect(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.disconnect().await?;
    sub.expect_no_publish(&topic).await
}

async fn will_is_published_after_a_protocol_error(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (mut client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client
        .send_hex(t.by_version(
            "# PUBLISH with QoS bits 11, a/b, id 1
             36 07 00 03 61 2f 62 00 01",
            "# PUBLISH with QoS bits 11, a/b, id 1, no properties
             36 08 00 03 61 2f 62 00 01 00",
        ))
        .await;
    sub.expect_publish(&topic).await?;
    Ok(())
}

async fn will_is_published_when_the_keep_alive_runs_out(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let silent = |connect: &mut Connect| {
        connect.keep_alive = 1;
        connect.will = Some(will(&topic, "gone"));
    };
    let (_client, connack) = t.connect_with("client", silent).await?;
    let keep_alive = Duration::from_secs(connack.properties.server_keep_alive().unwrap_or(1).into());
    sub.patience += keep_alive * 3;
    sub.expect_publish(&topic).await?;
    Ok(())
}

async fn will_has_the_qos_asked_for(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtLeastOnce).await?;
    let at_qos_1 = |connect: &mut Connect| {
        connect.will = Some(Will {
            qos: Qos::AtLeastOnce,
            ..will(&topic, "gone")
        });
    };
    t.connect_with("client", at_qos_1).await?.0.cut();
    let got = sub.expect_publish(&topic).await?;
    check(got.delivery.qos() == Qos::AtLeastOnce, "PUBLISH at QoS 1", || {
        format!("{got:?}")
    })
}

async fn will_without_will_retain_is_not_kept(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, mut later) = t.pair(&topic, Qos::AtMostOnce).await?;
    t.connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?
        .0
        .cut();
    sub.expect_publish(&topic).await.set_up()?;
    later.subscribe(&topic, Qos::AtMostOnce).await?;
    later.expect_no_publish(&topic).await
}

async fn will_with_will_retain_is_kept(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, mut later) = t.pair(&topic, Qos::AtMostOnce).await?;
    let retained = |connect: &mut Connect| {
        connect.will = Some(Will {
            retain: true,
            ..will(&topic, "gone")
        })
    };
    t.connect_with("client", retained).await?.0.cut();
    sub.expect_publish(&topic).await.set_up()?;
    later.subscribe(&topic, Qos::AtMostOnce).await?;
    let got = later.expect_publish(&topic).await?;
    check(
        got.retain && got.payload == "gone",
        "the Will Message with RETAIN 1",
        || format!("{got:?}"),
    )
}

async fn will_is_published_at_disconnect_0x04(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (mut client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client
        .send(Packet::Disconnect(Disconnect::of(
            ReasonCode::DisconnectWithWillMessage,
        )))
        .await;
    sub.expect_publish(&topic).await?;
    Ok(())
}

async fn will_waits_for_its_delay(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| delayed(connect, &topic, 2))
        .await?;
    client.cut();
    sub.expect_none_within(
        Duration::from_millis(1500),
        "no Will before its delay of 2 s",
        |packet| matches!(packet, Packet::Publish(_)),
    )
    .await?;
    sub.expect_publish(&topic).await?;
    Ok(())
}

async fn reconnecting_within_the_delay_takes_the_will_back(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| delayed(connect, &topic, 1))
        .await?;
    client.cut();
    let (_again, _) = t.resume("client").await?;
    sub.expect_none_within(
        Duration::from_secs(2),
        "no Will of a session that was resumed in time",
        |packet| matches!(packet, Packet::Publish(_)),
    )
    .await
}

/// Clean Start ends the session, which publishes the Will; or it is a reconnect in time, which takes it back.
async fn clean_start_within_the_delay_publishes_the_will_or_not(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| delayed(connect, &topic, 60))
        .await?;
    client.cut();
    let _again = t.connect("client").await?;
    let published = sub.expect_publish(&topic).await.is_ok();
    let seen = if published { "published" } else { "not published" };
    Err(Stop::Choice(seen.into()))
}

async fn will_is_published_when_the_session_ends_before_the_delay(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let short = |connect: &mut Connect| {
        delayed(connect, &topic, 60);
        connect.properties = Properties::from_iter([Property::SessionExpiryInterval(1)]);
    };
    let (client, _) = t.connect_with("client", short).await?;
    client.cut();
    sub.expect_publish(&topic).await?;
    Ok(())
}

async fn will_keeps_its_properties_and_their_order(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let pairs = [
        user_property("b", "1"),
        user_property("a", "2"),
        user_property("b", "1"),
    ];
    let with_pairs = |connect: &mut Connect| {
        connect.will = Some(Will {
            properties: pairs.clone().into_iter().collect(),
            ..will(&topic, "gone")
        });
    };
    t.connect_with("client", with_pairs).await?.0.cut();
    let got = sub.expect_publish(&topic).await?;
    let kept: Vec<_> = got
        .properties
        .iter()
        .filter(|property| matches!(property, Property::UserProperty(..)))
        .cloned()
        .collect();
    check(kept == pairs, "User Properties b=1, a=2, b=1", || {
        format!("{kept:?}")
    })
}

/// A Will with a delay, in seconds, in a session that outlives it.
fn delayed(connect: &mut Connect, topic: &str, seconds: u32) {
    let mut will = will(topic, "gone");
    will.properties.push(Property::WillDelayInterval(seconds));
    connect.will = Some(will);
    connect.properties.push(Property::SessionExpiryInterval(600));
}

async fn connection_without_a_will_publishes_none(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.disconnect().await?;
    t.connect("client").await?.cut();
    sub.expect_no_publish(&topic).await
}
