use squall_proto::{Ack, Packet};

use super::s3_03_publish::id_of;
use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
        stage::{Server, connack, connect},
    },
    hex,
    packets::{self, Also as _, id, maximum_packet_size},
    stop::SetUp as _,
};

/// Bytes that every packet of these cases fits into, and none with a Reason String or a User Property of more than a few letters.
const SIZE_MAX: u32 = 12;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "puback_fits_into_the_servers_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.4.2-2", "MQTT-3.4.2-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = narrow(&mut t).await?;
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos1(1)))
                    .await;
                server.expect_puback(1).await.map(drop)
            })
        },
    },
    Case {
        name: "pubrec_and_pubcomp_fit_into_the_servers_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.5.2-2", "MQTT-3.5.2-3", "MQTT-3.7.2-2", "MQTT-3.7.2-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = narrow(&mut t).await?;
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos2(1)))
                    .await;
                server.expect_pubrec(1).await?;
                server.send(Packet::Pubrel(Ack::success(id(1)))).await;
                server.expect_pubcomp(1).await?;
                // One that nobody waits for: the answer, if there is one, names an error.
                server.send(Packet::Pubrel(Ack::success(id(2)))).await;
                server
                    .expect_none_before_the_end(t.patience / 5, "packets of 12 bytes at most", |_| false)
                    .await
            })
        },
    },
    Case {
        name: "pubrel_fits_into_the_servers_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.6.2-2", "MQTT-3.6.2-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = narrow(&mut t).await?;
                t.driver.tell(&Command::publish("t", 2, "x")).await?;
                let id = id_of(&server.expect_publish("t").await.set_up()?)?;
                server.send(Packet::Pubrec(Ack::success(id))).await;
                server.expect_pubrel(id).await.map(drop)
            })
        },
    },
    Case {
        name: "disconnect_fits_into_the_servers_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.14.2-3", "MQTT-3.14.2-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = narrow(&mut t).await?;
                // PUBLISH with QoS 3, which a client may say something about.
                server.send_hex("36 06 0001 74 0001 00").await;
                server
                    .expect_none_before_the_end(t.patience / 5, "packets of 12 bytes at most", |_| false)
                    .await
            })
        },
    },
    Case {
        name: "suback_of_another_packet_identifier_closes_the_connection_or_not",
        v3: &["MQTT-2.3.1-7"],
        v5: &["MQTT-2.2.1-6"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::subscribe("a", 0)).await?;
                let subscribe = server.expect_subscribe().await.set_up()?;
                let other = subscribe.packet_id.value() ^ 0x0100;
                let mut other = if other == 0 {
                    vec![0, 1]
                } else {
                    other.to_be_bytes().to_vec()
                };
                other.extend(t.by_version([0].as_slice(), &[0, 0]));
                server.send_bytes(&hex::packet(0x90, &other)).await;
                closed_or_not(&mut server).await
            })
        },
    },
    Case {
        name: "disconnect_before_connack_closes_the_connection_or_not",
        v3: &[],
        v5: &["MQTT-3.14.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = t.asked_to_connect(&connect()).await?;
                server.send_hex("e0 02 8b 00").await;
                server.send(connack(false, &[])).await;
                closed_or_not(&mut server).await
            })
        },
    },
];

/// A connection on which the server takes short packets alone.
async fn narrow(t: &mut Stage) -> Outcome<Server> {
    let mut server = t
        .connected_by(&connect(), &[maximum_packet_size(SIZE_MAX)])
        .await?;
    server.take_at_most(SIZE_MAX);
    Ok(server)
}

/// Ends a case about something wrong for which the standard names no answer.
async fn closed_or_not(server: &mut Server) -> Outcome {
    server
        .send(Packet::Publish(packets::publish("next", "x").qos1(4242)))
        .await;
    let goes_on = server.expect_puback(4242).await.is_ok();
    Err(Stop::Choice(
        if goes_on {
            "tolerated"
        } else {
            "closed, or no answer"
        }
        .into(),
    ))
}
