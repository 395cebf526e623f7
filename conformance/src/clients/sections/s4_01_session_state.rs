use squall_proto::{Ack, Packet};

use crate::{
    clients::{
        case::{Case, MUST},
        reaction::subscribed,
    },
    packets::{self, Also as _, id},
    stop::SetUp as _,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_qos_2_message_is_known_again_on_the_next_connection",
        v3: &["MQTT-3.1.2-4", "MQTT-4.1.0-1", "MQTT-4.3.3-2"],
        v5: &["MQTT-3.1.2-23", "MQTT-4.1.0-1", "MQTT-4.3.3-10"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let connect = t.connect_to_session();
                let mut server = subscribed(&mut t, &connect, &[]).await?;
                let publish = packets::publish("t", "x").qos2(6);
                server.send(Packet::Publish(publish.clone())).await;
                server.expect_pubrec(6).await.set_up()?;
                server.cut();
                let (mut server, _) = t.back(true).await?;
                server.send(Packet::Publish(publish.again())).await;
                server.expect_pubrec(6).await?;
                server.send(Packet::Pubrel(Ack::success(id(6)))).await;
                server.expect_pubcomp(6).await?;
                t.driver.expect_message("t").await?;
                t.driver.expect_no_message("the message once", "t").await
            })
        },
    },
    Case {
        name: "pubrel_is_answered_on_the_next_connection_too",
        v3: &["MQTT-4.1.0-1", "MQTT-4.3.3-2"],
        v5: &["MQTT-4.1.0-1", "MQTT-4.3.3-11"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let connect = t.connect_to_session();
                let mut server = subscribed(&mut t, &connect, &[]).await?;
                server
                    .send(Packet::Publish(packets::publish("t", "x").qos2(6)))
                    .await;
                server.expect_pubrec(6).await.set_up()?;
                server.cut();
                let (mut server, _) = t.back(true).await?;
                server.send(Packet::Pubrel(Ack::success(id(6)))).await;
                server.expect_pubcomp(6).await?;
                t.driver.expect_message("t").await?;
                t.driver.expect_no_message("the message once", "t").await
            })
        },
    },
    Case {
        name: "a_session_lasts_as_long_as_its_connection",
        v3: &["MQTT-4.1.0-2"],
        v5: &["MQTT-4.1.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = subscribed(&mut t, &crate::clients::stage::connect(), &[]).await?;
                let publish = packets::publish("t", "x").qos2(6);
                server.send(Packet::Publish(publish.clone())).await;
                server.expect_pubrec(6).await.set_up()?;
                // Other messages in between change nothing.
                for _ in 0..3 {
                    server
                        .send(Packet::Publish(packets::publish("u", "y").qos1(7)))
                        .await;
                    server.expect_puback(7).await.set_up()?;
                }
                server.send(Packet::Publish(publish.again())).await;
                server.expect_pubrec(6).await?;
                server.send(Packet::Pubrel(Ack::success(id(6)))).await;
                server.expect_pubcomp(6).await?;
                t.driver.expect_message("t").await?;
                t.driver.expect_no_message("the message once", "t").await
            })
        },
    },
];
