use squall_proto::{Packet, ReasonCode};

use crate::{
    clients::{
        case::{CLOSES, Case, MUST},
        driver::Command,
    },
    context::log::describe,
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "disconnect_is_the_last_packet_and_closes_the_connection",
        v3: &["MQTT-2.2.2-1", "MQTT-3.14.4-1", "MQTT-3.14.4-2"],
        v5: &["MQTT-2.1.3-1", "MQTT-3.14.1-1", "MQTT-3.14.4-1", "MQTT-3.14.4-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver.tell(&Command::new("disconnect")).await?;
                server.expect_disconnect().await?;
                let after = server.expect_closed("after DISCONNECT").await?;
                check(after.is_empty(), "nothing after DISCONNECT", || {
                    describe_all(&after)
                })
            })
        },
    },
    Case {
        name: "disconnect_says_why_with_a_reason_code_of_its_own",
        v3: &[],
        v5: &["MQTT-3.14.2-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                t.driver
                    .tell(&Command::new("disconnect").with("reason_code", 4))
                    .await?;
                let disconnect = server.expect_disconnect().await?;
                let code = disconnect.reason_code;
                let as_given = code == ReasonCode::DisconnectWithWillMessage;
                check(as_given, "DISCONNECT 0x04", || {
                    describe(&Packet::Disconnect(disconnect.clone()))
                })
            })
        },
    },
    Case {
        name: "a_client_closes_after_a_disconnect_that_names_an_error",
        v3: &[],
        v5: &["MQTT-4.13.2-1", "MQTT-3.14.4-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                // PUBLISH with QoS 3: the client may say 0x81 before it closes, or nothing at all.
                server.send_hex("36 06 0001 74 0001 00").await;
                let is_error = |packet: &Packet| matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason_code.is_error());
                let said = server
                    .expect("DISCONNECT", |packet| is_error(packet).then_some(()))
                    .await;
                if said.is_err() {
                    return Ok(());
                }
                let after = server.expect_closed("after DISCONNECT of 0x80 or above").await?;
                check(after.is_empty(), "nothing after DISCONNECT", || {
                    describe_all(&after)
                })
            })
        },
    },
    Case {
        name: "a_malformed_packet_is_told_why_or_not",
        v3: &[],
        v5: &["X5-4.13.1-2", "X5-4.13.1-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                // PUBLISH with QoS 3.
                server.send_hex("36 06 0001 74 0001 00").await;
                server.says_why_or_not("after PUBLISH at QoS 3").await
            })
        },
    },
];

fn describe_all(packets: &[Packet]) -> String {
    packets.iter().map(describe).collect::<Vec<_>>().join(", ")
}
