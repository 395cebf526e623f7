use squall_proto::Packet;

use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{CLOSES, Case, MUST},
        driver::Command,
        reaction::{closes, closes_after},
        stage::{Server, connack, connect},
    },
    packets::{self, Also as _},
    stop::SetUp as _,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_packet_before_connack_closes_the_connection",
        v3: &["MQTT-3.2.0-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.2.0-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = t.asked_to_connect(&connect()).await?;
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos1(1)))
                    .await;
                server.send(connack(false, &[])).await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "a_second_connack_closes_the_connection",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-3.2.0-2"],
        levels: CLOSES,
        run: |mut t| Box::pin(async move { closes_after(&mut t, "20 02 00 00", "20 03 00 00 00").await }),
    },
    Case {
        name: "reserved_acknowledge_flags_close_the_connection",
        v3: &["MQTT-4.8.0-1"],
        v5: &["MQTT-3.2.2-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = t.asked_to_connect(&connect()).await?;
                server
                    .send_hex(t.by_version("20 02 02 00", "20 03 02 00 00"))
                    .await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "a_late_connack_is_waited_for",
        v3: &["MQTT-3.1.0-1"],
        v5: &["MQTT-3.1.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = t.asked_to_connect(&connect()).await?;
                let is_connect = |packet: &Packet| matches!(packet, Packet::Connect(_));
                server.expect_none("CONNECT once", is_connect).await?;
                server.send(connack(false, &[])).await;
                t.driver.expect_connected().await.set_up()
            })
        },
    },
    Case {
        name: "session_present_without_a_session_at_the_client_closes_the_connection",
        v3: &[],
        v5: &["MQTT-3.2.2-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                // With Clean Start there can be no session at either side.
                let (mut server, _) = t.asked_to_connect(&connect()).await?;
                server.send(connack(true, &[])).await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "without_session_present_the_client_drops_its_session",
        v3: &[],
        v5: &["MQTT-3.2.2-5"],
        levels: MUST,
        run: |mut t| Box::pin(async move { drops_its_session(&mut t).await }),
    },
    Case {
        name: "a_new_session_has_nothing_of_an_earlier_one",
        v3: &["MQTT-3.1.2-6"],
        v5: &["MQTT-3.1.2-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::publish("t", 1, "one")).await?;
                server.expect_payload("one").await.set_up()?;
                server.cut();
                let (mut server, connect) = t.back(false).await?;
                match connect.clean_start {
                    true => nothing_is_sent_again(&mut server).await,
                    false => Err(Stop::Unsupported("it comes back without Clean Start".into())),
                }
            })
        },
    },
];

/// A client with an unacknowledged PUBLISH and an unacknowledged PUBREL is told that its session is lost.
async fn drops_its_session(t: &mut Stage) -> Outcome {
    let mut server = t.connected_to_session().await?;
    t.driver.tell(&Command::publish("t", 1, "one")).await?;
    server.expect_payload("one").await.set_up()?;
    t.driver.tell(&Command::publish("t", 2, "two")).await?;
    let publish = server.expect_payload("two").await.set_up()?;
    server.receive(&publish).await.set_up()?;
    server.cut();
    let (mut server, _) = t.back(false).await?;
    nothing_is_sent_again(&mut server).await
}

/// The client may publish as a new message what was never acknowledged; nothing of it continues the earlier session.
async fn nothing_is_sent_again(server: &mut Server) -> Outcome {
    let goes_on = |packet: &Packet| {
        matches!(packet, Packet::Pubrel(_)) || matches!(packet, Packet::Publish(publish) if publish.dup)
    };
    let expected = "neither PUBREL nor PUBLISH with DUP 1 of the earlier session";
    server.expect_none(expected, goes_on).await
}
