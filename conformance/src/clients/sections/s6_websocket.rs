use squall_proto::{Packet, PacketType, Version};

use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
    },
    context::websocket::{BINARY, TEXT, WebSocket, header},
    hex,
    stop::{SetUp as _, check},
};

/// The answer to the request and every frame are written by hand: no library of ours lies between the case and the client.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "over_websocket_the_client_offers_the_subprotocol_mqtt",
        v3: &["MQTT-6.0.0-3"],
        v5: &["MQTT-6.0.0-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (_websocket, request) = t.asked_for_websocket().await?;
                let offered = header(&request, "Sec-WebSocket-Protocol").unwrap_or_default();
                let has_it = offered.split(',').any(|one| one.trim() == "mqtt");
                check(has_it, "mqtt in Sec-WebSocket-Protocol", || request.clone())
            })
        },
    },
    Case {
        name: "over_websocket_packets_come_in_binary_frames",
        v3: &["MQTT-6.0.0-1"],
        v5: &["MQTT-6.0.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut websocket = t.websocket().await?;
                expect(&mut websocket, PacketType::Connect).await?;
                websocket.send(BINARY, connack(&t)).await;
                t.driver.expect_connected().await.set_up()?;
                t.driver.tell(&Command::publish("t", 0, "x")).await?;
                expect(&mut websocket, PacketType::Publish).await
            })
        },
    },
    Case {
        name: "a_text_frame_of_the_server_closes_the_connection",
        v3: &["MQTT-6.0.0-1"],
        v5: &["MQTT-6.0.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut websocket = connected(&mut t).await?;
                websocket.send(TEXT, b"no packet").await;
                websocket.expect_left("because of a text frame").await
            })
        },
    },
    Case {
        name: "a_packet_of_the_server_may_lie_in_many_websocket_frames",
        v3: &["MQTT-6.0.0-2"],
        v5: &["MQTT-6.0.0-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut websocket = t.websocket().await?;
                expect(&mut websocket, PacketType::Connect).await.set_up()?;
                for byte in connack(&t) {
                    websocket.send(BINARY, &[*byte]).await;
                }
                t.driver.expect_connected().await
            })
        },
    },
    Case {
        name: "a_websocket_frame_of_the_server_may_hold_several_packets",
        v3: &["MQTT-6.0.0-2"],
        v5: &["MQTT-6.0.0-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut websocket = connected(&mut t).await?;
                // Two PUBLISHes of QoS 1, to be acknowledged whether anybody asked for them or not; the end of the second comes by itself.
                let publishes = hex::bytes(t.by_version(
                    "32 06 0001 74 0001 78  32 06 0001 74 0002 78",
                    "32 07 0001 74 0001 00 78  32 07 0001 74 0002 00 78",
                ));
                let (first, second) = publishes.split_at(publishes.len() - 1);
                websocket.send(BINARY, first).await;
                websocket.send(BINARY, second).await;
                expect(&mut websocket, PacketType::Puback).await?;
                expect(&mut websocket, PacketType::Puback).await
            })
        },
    },
    Case {
        name: "a_server_that_selects_no_subprotocol_is_left_or_not",
        v3: &["MQTT-6.0.0-4"],
        v5: &["MQTT-6.0.0-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut websocket, request) = t.asked_for_websocket().await?;
                websocket.accept(&request, None).await;
                let goes_on = expect(&mut websocket, PacketType::Connect).await.is_ok();
                Err(Stop::Choice(if goes_on { "tolerated" } else { "left" }.into()))
            })
        },
    },
];

/// A client that is connected over WebSocket.
async fn connected(t: &mut Stage) -> Outcome<WebSocket> {
    let mut websocket = t.websocket().await?;
    expect(&mut websocket, PacketType::Connect).await.set_up()?;
    websocket.send(BINARY, connack(t)).await;
    t.driver.expect_connected().await.set_up()?;
    Ok(websocket)
}

/// CONNACK of success.
const fn connack(t: &Stage) -> &'static [u8] {
    match t.version {
        Version::V3_1_1 => &[0x20, 0x02, 0x00, 0x00],
        Version::V5 => &[0x20, 0x03, 0x00, 0x00, 0x00],
    }
}

async fn expect(websocket: &mut WebSocket, kind: PacketType) -> Outcome {
    let is = |packet: &Packet| packet.packet_type() == kind;
    websocket.expect(&format!("{kind:?} in a binary frame"), is).await
}
