use std::time::Duration;

use squall_proto::{Connect, Packet, Property, Qos, ReasonCode};
use tokio::time::sleep;

use crate::{
    Capability::Qos1,
    Case, Context,
    Level::{Must, Should},
    Outcome, Stop,
    packets::{Also as _, publish},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "subscriptions_outlive_the_connection",
        v3: &["MQTT-3.1.2-4", "MQTT-4.1.0-1"],
        v5: &["MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-3.1.3-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscriptions_outlive_the_connection(t)),
    },
    Case {
        name: "messages_wait_for_an_absent_client",
        v3: &["MQTT-3.1.2-5", "MQTT-4.1.0-1"],
        v5: &["MQTT-3.1.2-23", "MQTT-4.5.0-1"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(messages_wait_for_an_absent_client(t)),
    },
    Case {
        name: "qos_0_messages_for_an_absent_client_may_wait",
        v3: &["MQTT-3.1.2-5"],
        v5: &["MQTT-3.1.2-23"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(qos_0_messages_for_an_absent_client_may_wait(t)),
    },
    Case {
        name: "clean_start_throws_the_session_away",
        v3: &["MQTT-3.1.2-6", "MQTT-3.1.4-3"],
        v5: &["MQTT-3.1.2-4", "MQTT-3.1.4-4"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(clean_start_throws_the_session_away(t)),
    },
    Case {
        name: "clean_session_leaks_nothing_into_a_later_one",
        v3: &["MQTT-3.1.2-6", "MQTT-3.2.2-3"],
        v5: &["MQTT-4.1.0-2", "MQTT-3.2.2-3"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(clean_session_leaks_nothing_into_a_later_one(t)),
    },
    Case {
        name: "session_without_expiry_ends_with_its_connection",
        v3: &[],
        v5: &["MQTT-4.1.0-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_without_expiry_ends_with_its_connection(t)),
    },
    Case {
        name: "session_ends_when_its_expiry_interval_has_passed",
        v3: &[],
        v5: &["MQTT-4.1.0-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_ends_when_its_expiry_interval_has_passed(t)),
    },
    Case {
        name: "session_lasts_while_its_connection_does",
        v3: &["MQTT-4.1.0-2"],
        v5: &["MQTT-4.1.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(session_lasts_while_its_connection_does(t)),
    },
    Case {
        name: "taken_over_session_keeps_its_subscriptions",
        v3: &["MQTT-3.1.4-2", "MQTT-3.1.2-4"],
        v5: &["MQTT-3.1.4-3", "MQTT-3.1.2-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(taken_over_session_keeps_its_subscriptions(t)),
    },
    Case {
        name: "old_connection_is_told_that_its_session_was_taken_over",
        v3: &[],
        v5: &["MQTT-3.1.4-3"],
        level: Should,
        needs: &[],
        run: |t| Box::pin(old_connection_is_told_that_its_session_was_taken_over(t)),
    },
];

async fn subscriptions_outlive_the_connection(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtMostOnce).await?;
    sub.cut();
    let (mut sub, _) = t.resume("sub").await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    sub.expect_publish(&topic).await.map(drop)
}

async fn messages_wait_for_an_absent_client(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    sub.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    for (id, payload) in [(1, "one"), (2, "two"), (3, "three")] {
        publisher.publish(publish(&topic, payload).qos1(id)).await?;
    }
    let (mut sub, _) = t.resume("sub").await?;
    for payload in ["one", "two", "three"] {
        let got = sub.expect_publish(&topic).await?;
        check(
            got.payload == payload && !got.dup,
            &format!("{payload:?} with DUP 0"),
            || format!("{got:?}"),
        )?;
        sub.acknowledge(&got).await?;
    }
    Ok(())
}

async fn qos_0_messages_for_an_absent_client_may_wait(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtMostOnce).await?;
    sub.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    publisher.ping().await?;
    let (mut sub, _) = t.resume("sub").await?;
    let dropped = sub.expect_no_publish(&topic).await.is_ok();
    Err(Stop::Choice(if dropped { "dropped" } else { "kept" }.into()))
}

async fn clean_start_throws_the_session_away(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t.resume("sub").await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    sub.disconnect().await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "queued").qos1(1)).await?;
    let mut sub = t.connect("sub").await?;
    publisher.publish(publish(&topic, "live").qos1(2)).await?;
    sub.expect_no_publish(&topic).await
}

async fn clean_session_leaks_nothing_into_a_later_one(t: Context) -> Outcome {
    let topic = t.topic("a");
    let mut first = t.connect("client").await?;
    first.subscribe(&topic, Qos::AtMostOnce).await?;
    first.disconnect().await?;
    let (mut client, connack) = t.resume("client").await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    client.expect_no_publish(&topic).await
}

async fn session_without_expiry_ends_with_its_connection(t: Context) -> Outcome {
    let keep = |connect: &mut Connect| connect.clean_start = false;
    let (first, _) = t.connect_with("client", keep).await?;
    first.disconnect().await?;
    let (_client, connack) = t.connect_with("client", keep).await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })
}

async fn session_ends_when_its_expiry_interval_has_passed(t: Context) -> Outcome {
    let short = |connect: &mut Connect| {
        connect.clean_start = false;
        connect.properties.push(Property::SessionExpiryInterval(1));
    };
    let (first, _) = t.connect_with("client", short).await?;
    first.disconnect().await?;
    // Servers look at their sessions now and then; how late is late enough is not said.
    sleep(Duration::from_secs(7)).await;
    let (_client, connack) = t.connect_with("client", short).await?;
    check(!connack.session_present, "Session Present 0", || {
        "Session Present 1".into()
    })
}

async fn session_lasts_while_its_connection_does(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    sub.expect_none_within(Duration::from_secs(3), "no close", |_| false)
        .await
        .set_up()?;
    publisher.publish(publish(&topic, "x")).await?;
    sub.expect_publish(&topic).await.map(drop)
}

async fn taken_over_session_keeps_its_subscriptions(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut first, _) = t.resume("sub").await?;
    first.subscribe(&topic, Qos::AtMostOnce).await?;
    let (mut second, connack) = t.resume("sub").await?;
    check(connack.session_present, "Session Present 1", || {
        "Session Present 0".into()
    })?;
    first.expect_closed("after its session was taken over").await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "x")).await?;
    second.expect_publish(&topic).await.map(drop)
}

async fn old_connection_is_told_that_its_session_was_taken_over(t: Context) -> Outcome {
    let mut first = t.connect("client").await?;
    let _second = t.connect("client").await?;
    let said = first.expect_closed("after its session was taken over").await?;
    let taken_over = ReasonCode::SessionTakenOver;
    let told = |packet: &Packet| matches!(packet, Packet::Disconnect(it) if it.reason_code == taken_over);
    let right = said.iter().any(told);
    check(right, "DISCONNECT 0x8E before the close", || format!("{said:?}"))
}
