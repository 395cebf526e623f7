use std::collections::BTreeSet;

use squall_proto::{Ack, Delivery, Packet, PacketId, Publish, Qos, ReasonCode};

use crate::{
    Outcome,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
        stage::Server,
    },
    context::log::describe,
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "qos_0_is_published_without_dup_and_packet_identifier",
        v3: &["MQTT-2.3.1-5", "MQTT-3.3.1-2", "MQTT-4.3.1-1"],
        v5: &["MQTT-2.2.1-2", "MQTT-3.3.1-2", "MQTT-4.3.1-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::publish("t", 0, "payload")).await?;
                // A Packet Identifier would stand before the payload as a part of it.
                let publish = server.expect_publish("t").await?;
                check(
                    publish.payload == "payload",
                    "the payload and nothing before it",
                    || said(&publish),
                )?;
                let is_right = publish.delivery == Delivery::AtMostOnce && !publish.dup;
                check(is_right, "QoS 0, DUP 0", || said(&publish))
            })
        },
    },
    Case {
        name: "the_topic_name_is_published_as_it_was_given",
        v3: &["MQTT-3.3.2-1"],
        v5: &["MQTT-3.3.2-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver
                    .tell(&Command::publish("/\u{fc}/\u{1f980} b", 0, "x"))
                    .await?;
                server.expect_publish("/\u{fc}/\u{1f980} b").await.map(drop)
            })
        },
    },
    Case {
        name: "qos_1_is_published_with_a_packet_identifier_and_without_dup",
        v3: &["MQTT-2.3.1-1", "MQTT-4.3.2-1"],
        v5: &["MQTT-4.3.2-1", "MQTT-4.3.2-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { first_publish(&mut t, Qos::AtLeastOnce).await }),
    },
    Case {
        name: "qos_2_is_published_with_a_packet_identifier_and_without_dup",
        v3: &["MQTT-2.3.1-1", "MQTT-4.3.3-1"],
        v5: &["MQTT-4.3.3-1", "MQTT-4.3.3-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { first_publish(&mut t, Qos::ExactlyOnce).await }),
    },
    Case {
        name: "pubrec_is_answered_with_pubrel_of_the_same_packet_identifier",
        v3: &["MQTT-2.3.1-6", "MQTT-3.6.1-1", "MQTT-4.3.3-1"],
        v5: &["MQTT-2.2.1-5", "MQTT-3.6.1-1", "MQTT-3.6.2-1", "MQTT-4.3.3-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::publish("t", 2, "x")).await?;
                let id = id_of(&server.expect_publish("t").await?)?;
                server.send(Packet::Pubrec(Ack::success(id))).await;
                let pubrel = server.expect_pubrel(id).await?;
                let code = pubrel.reason_code;
                check(code == ReasonCode::Success, "PUBREL 0x00", || {
                    format!("0x{:02X}", code.value())
                })?;
                server.send(Packet::Pubcomp(Ack::success(id))).await;
                let is_again = |packet: &Packet| matches!(packet, Packet::Publish(_) | Packet::Pubrel(_));
                server
                    .expect_none("no more of a message that is complete", is_again)
                    .await
            })
        },
    },
    Case {
        name: "pubrels_come_in_the_order_of_the_pubrecs",
        v3: &["MQTT-4.6.0-4"],
        v5: &["MQTT-4.6.0-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                let mut ids = Vec::new();
                for payload in ["1", "2", "3"] {
                    t.driver.tell(&Command::publish("t", 2, payload)).await?;
                    ids.push(id_of(&server.expect_payload(payload).await?)?);
                }
                ids.rotate_left(1);
                for id in &ids {
                    server.send(Packet::Pubrec(Ack::success(*id))).await;
                }
                let mut came = Vec::new();
                for _ in &ids {
                    came.push(server.expect_any_pubrel().await?.packet_id);
                }
                check(came == ids, &format!("PUBREL of {}", listed(&ids)), || {
                    listed(&came)
                })
            })
        },
    },
    Case {
        name: "a_packet_identifier_in_use_is_not_given_again",
        v3: &["MQTT-2.3.1-1", "MQTT-2.3.1-2"],
        v5: &["MQTT-2.2.1-3", "MQTT-4.3.2-1", "MQTT-4.3.3-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { ids_are_distinct(&mut t).await }),
    },
    Case {
        name: "a_packet_identifier_is_in_use_until_pubcomp",
        v3: &["MQTT-2.3.1-3"],
        v5: &["MQTT-2.2.1-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::publish("t", 2, "first")).await?;
                let id = id_of(&server.expect_payload("first").await?)?;
                server.send(Packet::Pubrec(Ack::success(id))).await;
                server.expect_pubrel(id).await?;
                for payload in ["2", "3", "4"] {
                    t.driver.tell(&Command::publish("t", 1, payload)).await?;
                    let publish = server.expect_payload(payload).await?;
                    let is_other = publish.delivery.packet_id() != Some(id);
                    check(is_other, "another Packet Identifier", || said(&publish))?;
                    server.acknowledge_qos1(&publish).await;
                }
                Ok(())
            })
        },
    },
    Case {
        name: "a_topic_name_with_a_wildcard_is_not_published",
        v3: &["MQTT-3.3.2-2", "MQTT-4.7.1-1"],
        v5: &["MQTT-3.3.2-2", "MQTT-4.7.0-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_published(&mut t, &["a/+", "a/#", "#", "a+b"]).await }),
    },
    Case {
        name: "an_empty_topic_name_is_not_published",
        v3: &["MQTT-4.7.3-1"],
        v5: &["MQTT-4.7.3-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_published(&mut t, &[""]).await }),
    },
    Case {
        name: "a_topic_name_with_a_null_character_is_not_published",
        v3: &["MQTT-1.5.3-2", "MQTT-4.7.3-2"],
        v5: &["MQTT-1.5.4-2", "MQTT-4.7.3-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { not_published(&mut t, &["a\0b"]).await }),
    },
    Case {
        name: "a_topic_name_that_is_too_long_is_not_published",
        v3: &["MQTT-4.7.3-3"],
        v5: &["MQTT-4.7.3-3"],
        levels: MUST,
        run: |mut t| {
            let long = "a".repeat(65_536);
            Box::pin(async move { not_published(&mut t, &[&long]).await })
        },
    },
];

/// The Packet Identifier of a PUBLISH that must have one.
pub(super) fn id_of(publish: &Publish) -> Outcome<PacketId> {
    let id = publish.delivery.packet_id();
    id.ok_or_else(|| {
        crate::Stop::Inconclusive(format!("set-up: expected a Packet Identifier: {}", said(publish)))
    })
}

pub(super) fn said(publish: &Publish) -> String {
    describe(&Packet::Publish(publish.clone()))
}

pub(super) fn listed(ids: &[PacketId]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| id.value().to_string()).collect();
    format!("id {}", ids.join(", "))
}

async fn first_publish(t: &mut Stage, qos: Qos) -> Outcome {
    let mut server = t.connected().await?;
    t.driver
        .tell(&Command::publish("t", qos.value(), "payload"))
        .await?;
    let publish = server.expect_publish("t").await?;
    let is_right = publish.delivery.qos() == qos && !publish.dup && publish.payload == "payload";
    let expected = format!("QoS {}, DUP 0, and the payload as it was given", qos.value());
    check(is_right, &expected, || said(&publish))
}

/// Nothing is acknowledged, and every packet has an identifier of its own.
async fn ids_are_distinct(t: &mut Stage) -> Outcome {
    let mut server = t.connected().await?;
    let mut ids = Vec::new();
    for (qos, payload) in [(1, "1"), (2, "2"), (1, "3"), (2, "4")] {
        t.driver.tell(&Command::publish("t", qos, payload)).await?;
        ids.push(id_of(&server.expect_payload(payload).await?)?);
    }
    t.driver.tell(&Command::subscribe("a", 1)).await?;
    ids.push(server.expect_subscribe().await?.packet_id);
    t.driver.tell(&Command::unsubscribe("b")).await?;
    ids.push(server.expect_unsubscribe().await?.packet_id);
    let distinct: BTreeSet<_> = ids.iter().map(|id| id.value()).collect();
    check(distinct.len() == ids.len(), "six Packet Identifiers", || {
        listed(&ids)
    })
}

/// What the client must not publish, it refuses, drops or ends the connection for.
async fn not_published(t: &mut Stage, topics: &[&str]) -> Outcome {
    for topic in topics {
        let mut server: Server = t.connected().await?;
        let publish = Command::publish(topic, 0, "x");
        let expected = "no PUBLISH to a Topic Name that is none";
        let is_publish = |packet: &Packet| matches!(packet, Packet::Publish(_));
        t.must_not_send(&mut server, &publish, expected, is_publish)
            .await?;
    }
    Ok(())
}
