use std::num::NonZeroU16;

use squall_proto::{Ack, Connect, Packet, Qos};

use crate::{
    Capability::{Qos1, Qos2},
    Case, Context,
    Level::Must,
    Outcome, Stop,
    packets::{Also as _, publish, receive_maximum},
    stop::{SetUp as _, check},
};

/// More than this a case does not leave unfinished.
const UNDER_WAY_MAX: u16 = 4096;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "no_more_is_under_way_than_the_receive_maximum",
        v3: &[],
        v5: &["MQTT-3.3.4-9", "MQTT-4.9.0-1", "MQTT-4.9.0-2"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(no_more_is_under_way_than_the_receive_maximum(t)),
    },
    Case {
        name: "full_window_holds_back_nothing_else",
        v3: &[],
        v5: &["MQTT-3.3.4-10", "MQTT-4.9.0-3"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(full_window_holds_back_nothing_else(t)),
    },
    Case {
        name: "pubrel_does_not_give_the_window_back",
        v3: &[],
        v5: &["MQTT-4.9.0-2"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(pubrel_does_not_give_the_window_back(t)),
    },
    Case {
        name: "pubcomp_of_an_earlier_connection_makes_room_or_not",
        v3: &[],
        v5: &["MQTT-3.3.4-9", "MQTT-4.9.0-1"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(pubcomp_of_an_earlier_connection_makes_room_or_not(t)),
    },
    Case {
        name: "more_than_the_servers_receive_maximum_is_refused",
        v3: &[],
        v5: &["MQTT-3.3.4-7", "X5-3.3.4-3"],
        level: Must,
        needs: &[Qos2],
        run: |t| Box::pin(more_than_the_servers_receive_maximum_is_refused(t)),
    },
];

async fn no_more_is_under_way_than_the_receive_maximum(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, _) = t
        .connect_with("sub", |connect| connect.properties.push(receive_maximum(2)))
        .await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    for n in 1..=5 {
        publisher.publish(publish(&topic, &n.to_string()).qos1(n)).await?;
    }
    let first = sub.expect_publish(&topic).await?;
    sub.expect_publish(&topic).await?;
    sub.expect_no_publish(&topic).await?;
    sub.acknowledge(&first).await?;
    sub.expect_publish(&topic).await?;
    sub.expect_no_publish(&topic).await
}

async fn full_window_holds_back_nothing_else(t: Context) -> Outcome {
    let (topic, other) = (t.topic("a"), t.topic("b"));
    let (mut sub, _) = t
        .connect_with("sub", |connect| connect.properties.push(receive_maximum(1)))
        .await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    sub.subscribe(&other, Qos::AtMostOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "1").qos1(1)).await?;
    publisher.publish(publish(&topic, "2").qos1(2)).await?;
    sub.expect_publish(&topic).await.set_up()?;
    sub.send(Packet::Pingreq).await;
    sub.expect_pingresp().await?;
    sub.send(Packet::Publish(publish(&t.topic("c"), "x").qos1(1)))
        .await;
    sub.expect_puback(1).await?;
    publisher.publish(publish(&other, "x")).await?;
    match sub.expect_publish(&other).await {
        Ok(_) => Ok(()),
        // 4.9 lets a sender hold back QoS 0 too.
        Err(_) => Err(Stop::Choice("messages at QoS 0 wait too".into())),
    }
}

async fn pubrel_does_not_give_the_window_back(t: Context) -> Outcome {
    let topic = t.topic("a");
    let small = |connect: &mut Connect| connect.properties.push(receive_maximum(1));
    let (mut sub, _) = t.connect_with("sub", small).await?;
    sub.subscribe(&topic, Qos::ExactlyOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "1").qos2(1)).await?;
    publisher.publish(publish(&topic, "2").qos2(2)).await?;
    let got = sub.expect_publish(&topic).await.set_up()?;
    let Some(id) = got.delivery.packet_id() else {
        return Err(Stop::Inconclusive("set-up: a delivery at QoS 0".into()));
    };
    sub.send(Packet::Pubrec(Ack::success(id))).await;
    sub.expect_pubrel(id).await?;
    sub.expect_no_publish(&topic).await?;
    sub.send(Packet::Pubcomp(Ack::success(id))).await;
    let next = sub.expect_publish(&topic).await?;
    check(next.payload == "2", "the next message", || format!("{next:?}"))
}

/// Receive Maximum counts PUBLISH packets without PUBACK or PUBCOMP, of the connection; 4.9 adds one to the quota for each PUBCOMP, and
/// that of an exchange whose PUBLISH went over an earlier connection has taken nothing from it.
async fn pubcomp_of_an_earlier_connection_makes_room_or_not(t: Context) -> Outcome {
    let topic = t.topic("a");
    let small = |connect: &mut Connect| {
        t.make_persistent(connect);
        connect.properties.push(receive_maximum(1));
    };
    let (mut sub, _) = t.connect_with("sub", small).await?;
    sub.subscribe(&topic, Qos::ExactlyOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&topic, "1").qos2(1)).await?;
    let got = sub.expect_publish(&topic).await.set_up()?;
    let Some(id) = got.delivery.packet_id() else {
        return Err(Stop::Inconclusive("set-up: a delivery at QoS 0".into()));
    };
    sub.send(Packet::Pubrec(Ack::success(id))).await;
    sub.expect_pubrel(id).await.set_up()?;
    sub.cut();
    publisher.publish(publish(&topic, "2").qos2(2)).await?;
    publisher.publish(publish(&topic, "3").qos2(3)).await?;
    let (mut sub, _) = t.connect_with("sub", small).await?;
    sub.expect_pubrel(id).await.set_up()?;
    let Ok(_) = sub.expect_publish(&topic).await else {
        return Err(Stop::Choice(
            "what is released takes a place of the window".into(),
        ));
    };
    sub.expect_no_publish(&topic).await?;
    sub.send(Packet::Pubcomp(Ack::success(id))).await;
    let full = sub.expect_no_publish(&topic).await.is_ok();
    Err(Stop::Choice(
        if full { "makes no room" } else { "makes room" }.into(),
    ))
}

async fn more_than_the_servers_receive_maximum_is_refused(t: Context) -> Outcome {
    let (mut client, connack) = t.connect_with("client", |_| ()).await?;
    let maximum = connack.properties.receive_maximum().map(NonZeroU16::get);
    let Some(maximum) = maximum.filter(|maximum| *maximum <= UNDER_WAY_MAX) else {
        return Err(Stop::Unsupported(
            "its CONNACK says no small Receive Maximum".into(),
        ));
    };
    let topic = t.topic("a");
    for id in 1..=maximum + 1 {
        client.send(Packet::Publish(publish(&topic, "x").qos2(id))).await;
    }
    client
        .expect_closed("after one message more than the Receive Maximum")
        .await
        .map(drop)
}
