use std::time::Duration;

use squall_proto::{Ack, Packet, PacketId, Publish, ReasonCode};

use super::s3_03_publish::{id_of, said};
use crate::{
    Outcome,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
        stage::Server,
    },
    packets::{self, Also as _},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "an_unacknowledged_qos_1_message_is_sent_again_with_dup_and_its_packet_identifier",
        v3: &[
            "MQTT-2.3.1-3",
            "MQTT-3.1.2-4",
            "MQTT-3.3.1-1",
            "MQTT-4.3.2-1",
            "MQTT-4.4.0-1",
        ],
        v5: &["MQTT-3.1.2-23", "MQTT-3.3.1-1", "MQTT-4.3.2-3", "MQTT-4.4.0-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { sent_again(&mut t, 1).await }),
    },
    Case {
        name: "an_unacknowledged_qos_2_message_is_sent_again_with_dup_and_its_packet_identifier",
        v3: &[
            "MQTT-2.3.1-3",
            "MQTT-3.1.2-4",
            "MQTT-3.3.1-1",
            "MQTT-4.3.3-1",
            "MQTT-4.4.0-1",
        ],
        v5: &["MQTT-3.1.2-23", "MQTT-3.3.1-1", "MQTT-4.3.3-3", "MQTT-4.4.0-1"],
        levels: MUST,
        run: |mut t| Box::pin(async move { sent_again(&mut t, 2).await }),
    },
    Case {
        name: "after_pubrec_pubrel_is_sent_again_and_publish_is_not",
        v3: &["MQTT-4.3.3-1", "MQTT-4.4.0-1"],
        v5: &["MQTT-4.3.3-5", "MQTT-4.3.3-6", "MQTT-4.4.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected_to_session().await?;
                let publish = published(&mut t, &mut server, 2, "x").await?;
                server.receive(&publish).await.set_up()?;
                server.cut();
                let (mut server, _) = t.back(true).await?;
                server.expect_pubrel(id_of(&publish)?).await?;
                server
                    .expect_none("no PUBLISH after its PUBREL", is_publish)
                    .await
            })
        },
    },
    Case {
        name: "what_is_acknowledged_is_not_sent_again",
        v3: &["MQTT-4.3.2-1", "MQTT-4.3.3-1"],
        v5: &["MQTT-4.4.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected_to_session().await?;
                let publish = published(&mut t, &mut server, 1, "one").await?;
                server.acknowledge_qos1(&publish).await;
                let publish = published(&mut t, &mut server, 2, "two").await?;
                server.receive(&publish).await.set_up()?;
                server.send(Packet::Pubcomp(Ack::success(id_of(&publish)?))).await;
                has_read(&mut server).await?;
                server.cut();
                let (mut server, _) = t.back(true).await?;
                server
                    .expect_none("nothing again of what is acknowledged", is_of_a_message)
                    .await
            })
        },
    },
    Case {
        name: "puback_with_an_error_is_an_acknowledgement",
        v3: &[],
        v5: &["MQTT-4.4.0-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { refused_is_not_sent_again(&mut t, 1, Packet::Puback).await }),
    },
    Case {
        name: "pubrec_with_an_error_ends_the_exchange",
        v3: &[],
        v5: &["MQTT-4.3.3-4", "MQTT-4.4.0-2"],
        levels: MUST,
        run: |mut t| Box::pin(async move { refused_is_not_sent_again(&mut t, 2, Packet::Pubrec).await }),
    },
    Case {
        name: "messages_are_sent_again_in_their_order",
        v3: &["MQTT-4.6.0-1"],
        v5: &["MQTT-4.6.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected_to_session().await?;
                let payloads = ["1", "2", "3", "4"];
                for (payload, qos) in payloads.into_iter().zip([1, 2, 1, 1]) {
                    published(&mut t, &mut server, qos, payload).await?;
                }
                server.cut();
                let (mut server, _) = t.back(true).await?;
                let mut came = Vec::new();
                for _ in payloads {
                    let publish = server.expect_publish("t").await?;
                    // A client may wait for the end of one before it sends the next.
                    server.acknowledge(&publish).await?;
                    came.push(publish.payload);
                }
                check(came == payloads, &format!("{payloads:?}"), || format!("{came:?}"))
            })
        },
    },
    Case {
        name: "nothing_is_sent_again_on_the_same_connection",
        v3: &[],
        v5: &["MQTT-4.4.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected_to_session().await?;
                published(&mut t, &mut server, 1, "one").await?;
                let publish = published(&mut t, &mut server, 2, "two").await?;
                server.receive(&publish).await.set_up()?;
                let window = Duration::from_secs(3);
                server
                    .expect_none_within(window, "nothing again on this connection", is_of_a_message)
                    .await
            })
        },
    },
    Case {
        name: "a_message_that_was_sent_does_not_expire_at_the_client",
        v3: &[],
        v5: &["MQTT-4.3.3-7"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected_to_session().await?;
                t.driver
                    .tell(&Command::publish("t", 2, "x").with("message_expiry", 1))
                    .await?;
                let first = server.expect_payload("x").await.set_up()?;
                let window = Duration::from_secs(2);
                server
                    .expect_none_within(window, "it to wait", is_of_a_message)
                    .await
                    .set_up()?;
                server.cut();
                let (mut server, _) = t.back(true).await?;
                let again = server.expect_payload("x").await?;
                let is_same = again.delivery == first.delivery;
                check(is_same, "the same PUBLISH again", || said(&again))
            })
        },
    },
];

/// Has the client publish, and takes it without an answer.
async fn published(t: &mut Stage, server: &mut Server, qos: u8, payload: &str) -> Outcome<Publish> {
    t.driver.tell(&Command::publish("t", qos, payload)).await?;
    let publish = server.expect_payload(payload).await.set_up()?;
    check(
        publish.delivery.qos().value() == qos,
        &format!("QoS {qos}"),
        || said(&publish),
    )
    .set_up()?;
    Ok(publish)
}

async fn sent_again(t: &mut Stage, qos: u8) -> Outcome {
    let mut server = t.connected_to_session().await?;
    let first = published(t, &mut server, qos, "x").await?;
    server.cut();
    let (mut server, connect) = t.back(true).await?;
    check(!connect.clean_start, "CONNECT without Clean Start", || {
        "Clean Start 1".into()
    })
    .set_up()?;
    let again = server.expect_payload("x").await?;
    let is_same = again.delivery == first.delivery && again.topic == first.topic;
    check(is_same, &said(&first), || said(&again))?;
    check(again.dup, "DUP 1", || said(&again))
}

/// The server refuses a message: neither PUBREL nor another PUBLISH comes of it.
async fn refused_is_not_sent_again(t: &mut Stage, qos: u8, packet: fn(Ack) -> Packet) -> Outcome {
    let mut server = t.connected_to_session().await?;
    let id: PacketId = id_of(&published(t, &mut server, qos, "x").await?)?;
    server.send(packet(Ack::of(id, ReasonCode::QuotaExceeded))).await;
    has_read(&mut server).await?;
    server
        .expect_none("nothing more of a message that was refused", is_of_a_message)
        .await?;
    server.cut();
    let (mut server, _) = t.back(true).await?;
    server
        .expect_none("nothing more of a message that was refused", is_of_a_message)
        .await
}

/// What was sent to the client has been read once it acknowledges what comes behind it.
async fn has_read(server: &mut Server) -> Outcome {
    server
        .send(Packet::Publish(packets::publish("after", "x").qos1(4242)))
        .await;
    server.expect_puback(4242).await.set_up().map(drop)
}

fn is_publish(packet: &Packet) -> bool {
    matches!(packet, Packet::Publish(_))
}

fn is_of_a_message(packet: &Packet) -> bool {
    matches!(packet, Packet::Publish(_) | Packet::Pubrel(_))
}
