use squall_proto::{Packet, Publish};

use crate::{
    Outcome,
    clients::{
        Stage,
        case::{CLOSES, Case, MUST},
        driver::Command,
        reaction::{closes, subscribed},
        stage::{Server, connect},
    },
    packets::{self, Also as _, receive_maximum},
    stop::SetUp as _,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "no_more_is_unacknowledged_than_receive_maximum",
        v3: &[],
        v5: &["MQTT-3.3.4-7", "MQTT-4.9.0-1", "MQTT-4.9.0-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, first) = full(&mut t).await?;
                for (payload, qos) in [("3", 1), ("4", 2)] {
                    t.driver.tell(&Command::publish("t", qos, payload)).await?;
                }
                server.expect_none("no third PUBLISH", is_publish).await?;
                server.acknowledge_qos1(&first).await;
                server.expect_payload("3").await.map(drop)
            })
        },
    },
    Case {
        name: "at_receive_maximum_other_packets_are_sent_and_answered",
        v3: &[],
        v5: &["MQTT-3.3.4-8", "MQTT-4.9.0-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = full(&mut t).await?;
                t.driver.tell(&Command::publish("t", 1, "3")).await?;
                t.driver.tell(&Command::subscribe("a", 1)).await?;
                server.expect_subscribe().await?;
                t.driver.tell(&Command::unsubscribe("b")).await?;
                server.expect_unsubscribe().await?;
                server
                    .send(Packet::Publish(packets::publish("a", "x").qos1(1)))
                    .await;
                server.expect_puback(1).await.map(drop)
            })
        },
    },
    Case {
        name: "more_than_the_clients_receive_maximum_closes_the_connection",
        v3: &[],
        v5: &["MQTT-3.3.4-9", "X5-3.3.4-3"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let connect = connect().with("receive_maximum", 2);
                let mut server = subscribed(&mut t, &connect, &[]).await?;
                for id in 1..=3 {
                    server
                        .send(Packet::Publish(packets::publish("t", "x").qos2(id)))
                        .await;
                }
                closes(&mut server).await
            })
        },
    },
];

/// A connection with as many unacknowledged messages as the server takes, which are two, and the first of them.
async fn full(t: &mut Stage) -> Outcome<(Server, Publish)> {
    let mut server = t.connected_by(&connect(), &[receive_maximum(2)]).await?;
    t.driver.tell(&Command::publish("t", 1, "1")).await?;
    let first = server.expect_payload("1").await.set_up()?;
    t.driver.tell(&Command::publish("t", 2, "2")).await?;
    server.expect_payload("2").await.set_up()?;
    Ok((server, first))
}

fn is_publish(packet: &Packet) -> bool {
    matches!(packet, Packet::Publish(_))
}
