use std::time::Duration;

use squall_proto::{Ack, Packet, PacketType, Property, Qos, ReasonCode};

use super::s3_03_publish::listed;
use crate::{
    Outcome,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
        stage::Server,
    },
    packets::{self, Also as _, id},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "qos_0_is_taken_without_an_answer",
        v3: &["MQTT-3.3.4-1"],
        v5: &["MQTT-3.3.4-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 0).await?;
                server.send(Packet::Publish(packets::publish("t", "x"))).await;
                t.driver.expect_message("t").await?;
                server
                    .expect_none("no acknowledgement of QoS 0", is_acknowledgement)
                    .await
            })
        },
    },
    Case {
        name: "qos_1_is_answered_with_puback_of_its_packet_identifier",
        v3: &["MQTT-2.3.1-6", "MQTT-3.3.4-1", "MQTT-4.3.2-2"],
        v5: &["MQTT-2.2.1-5", "MQTT-3.3.4-1", "MQTT-3.4.2-1", "MQTT-4.3.2-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 1).await?;
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos1(7)))
                    .await;
                server.expect_puback(7).await?;
                t.driver.expect_message("t").await?;
                server
                    .expect_none("one acknowledgement", is_acknowledgement)
                    .await
            })
        },
    },
    Case {
        name: "qos_2_is_answered_with_pubrec_and_pubrel_with_pubcomp",
        v3: &["MQTT-2.3.1-6", "MQTT-3.3.4-1", "MQTT-4.3.3-2"],
        v5: &[
            "MQTT-2.2.1-5",
            "MQTT-3.3.4-1",
            "MQTT-3.5.2-1",
            "MQTT-3.7.2-1",
            "MQTT-4.3.3-8",
            "MQTT-4.3.3-11",
        ],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 2).await?;
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos2(8)))
                    .await;
                server.expect_pubrec(8).await?;
                server.send(Packet::Pubrel(Ack::success(id(8)))).await;
                let pubcomp = server.expect_pubcomp(8).await?;
                let code = pubcomp.reason_code;
                check(code == ReasonCode::Success, "PUBCOMP 0x00", || {
                    format!("0x{:02X}", code.value())
                })?;
                t.driver.expect_message("t").await?;
                server
                    .expect_none("one acknowledgement each", is_acknowledgement)
                    .await
            })
        },
    },
    Case {
        name: "what_nobody_subscribed_to_is_acknowledged_too",
        v3: &["MQTT-4.5.0-2"],
        v5: &["MQTT-4.5.0-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                server
                    .send(Packet::Publish(packets::publish("other", "x").qos1(9)))
                    .await;
                server.expect_puback(9).await?;
                server
                    .send(Packet::Publish(packets::publish("other", "y").qos2(10)))
                    .await;
                server.expect_pubrec(10).await?;
                server.send(Packet::Pubrel(Ack::success(id(10)))).await;
                server.expect_pubcomp(10).await.map(drop)
            })
        },
    },
    Case {
        name: "pubacks_come_in_the_order_of_the_publishes",
        v3: &["MQTT-4.6.0-2"],
        v5: &["MQTT-4.6.0-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { acknowledged_in_order(&mut t, Qos::AtLeastOnce).await }),
    },
    Case {
        name: "pubrecs_come_in_the_order_of_the_publishes",
        v3: &["MQTT-4.6.0-3"],
        v5: &["MQTT-4.6.0-3"],
        levels: MUST,
        run: |mut t| Box::pin(async move { acknowledged_in_order(&mut t, Qos::ExactlyOnce).await }),
    },
    Case {
        name: "after_puback_the_same_packet_identifier_is_a_new_message",
        v3: &["MQTT-4.3.2-2"],
        v5: &["MQTT-4.3.2-5"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 1).await?;
                for payload in ["first", "second"] {
                    let publish = packets::publish("t", payload).qos1(3);
                    // What DUP says makes no difference.
                    let publish = if payload == "second" {
                        publish.again()
                    } else {
                        publish
                    };
                    server.send(Packet::Publish(publish)).await;
                    server.expect_puback(3).await?;
                    let message = t.driver.expect_message("t").await?;
                    check(message.payload == payload.as_bytes(), payload, || {
                        message.to_string()
                    })?;
                }
                Ok(())
            })
        },
    },
    Case {
        name: "a_repeated_qos_2_message_is_answered_again_and_delivered_once",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-10"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 2).await?;
                let publish = packets::publish("t", "x").qos2(4);
                server.send(Packet::Publish(publish.clone())).await;
                server.expect_pubrec(4).await?;
                server.send(Packet::Publish(publish.again())).await;
                server.expect_pubrec(4).await?;
                server.send(Packet::Pubrel(Ack::success(id(4)))).await;
                server.expect_pubcomp(4).await?;
                t.driver.expect_message("t").await?;
                t.driver.expect_no_message("the message once", "t").await
            })
        },
    },
    Case {
        name: "after_pubcomp_the_same_packet_identifier_is_a_new_message",
        v3: &["MQTT-4.3.3-2"],
        v5: &["MQTT-4.3.3-12"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 2).await?;
                for payload in ["first", "second"] {
                    server
                        .send(Packet::Publish(packets::publish("t", payload).qos2(5)))
                        .await;
                    server.expect_pubrec(5).await?;
                    server.send(Packet::Pubrel(Ack::success(id(5)))).await;
                    server.expect_pubcomp(5).await?;
                    let message = t.driver.expect_message("t").await?;
                    check(message.payload == payload.as_bytes(), payload, || {
                        message.to_string()
                    })?;
                }
                Ok(())
            })
        },
    },
    Case {
        name: "a_qos_2_message_that_has_expired_is_acknowledged_to_the_end",
        v3: &[],
        v5: &["MQTT-4.3.3-13"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 2).await?;
                let expiring = Property::MessageExpiryInterval(1);
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos2(8).with(expiring)))
                    .await;
                server.expect_pubrec(8).await?;
                let window = Duration::from_millis(1500);
                server
                    .expect_none_within(window, "nothing before PUBREL", is_acknowledgement)
                    .await?;
                server.send(Packet::Pubrel(Ack::success(id(8)))).await;
                server.expect_pubcomp(8).await.map(drop)
            })
        },
    },
    Case {
        name: "a_byte_order_mark_in_a_topic_name_is_kept",
        v3: &["MQTT-1.5.3-3"],
        v5: &["MQTT-1.5.4-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, 1).await?;
                // To U+FEFF "t".
                let publish = t.by_version("32 08 0004 efbbbf74 0001", "32 09 0004 efbbbf74 0001 00");
                server.send_hex(publish).await;
                server.expect_puback(1).await.set_up()?;
                t.driver.expect_message("\u{feff}t").await.map(drop)
            })
        },
    },
];

/// A client that is subscribed to everything.
pub(super) async fn subscribed(t: &mut Stage, qos: u8) -> Outcome<Server> {
    let mut server = t.connected().await?;
    subscribe(t, &mut server, qos).await?;
    Ok(server)
}

/// Has the client subscribe to everything, and grants it.
pub(super) async fn subscribe(t: &mut Stage, server: &mut Server, qos: u8) -> Outcome {
    t.driver.tell(&Command::subscribe("#", qos)).await?;
    let subscribe = server.expect_subscribe().await.set_up()?;
    server.grant(&subscribe).await;
    Ok(())
}

fn is_acknowledgement(packet: &Packet) -> bool {
    matches!(
        packet.packet_type(),
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp
    )
}

/// Of four messages sent at once.
async fn acknowledged_in_order(t: &mut Stage, qos: Qos) -> Outcome {
    let mut server = subscribed(t, qos.value()).await?;
    let ids = [7, 3, 9, 1].map(id);
    for id in ids {
        let publish = packets::publish("t", "x");
        let publish = match qos {
            Qos::ExactlyOnce => publish.qos2(id.value()),
            Qos::AtLeastOnce | Qos::AtMostOnce => publish.qos1(id.value()),
        };
        server.send(Packet::Publish(publish)).await;
    }
    let mut came = Vec::new();
    for _ in ids {
        came.push(server.expect_acknowledgement(qos).await?.packet_id);
    }
    check(
        came == ids,
        &format!("acknowledgements of {}", listed(&ids)),
        || listed(&came),
    )
}
