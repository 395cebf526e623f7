use squall_proto::{Packet, Property, ReasonCode, Suback};

use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{CLOSES, Case},
        driver::Command,
        reaction::{closes, closes_because, subscribed},
        stage::{connack, connect},
    },
    packets::{self, text, user_property},
    stop::SetUp as _,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_packet_above_the_clients_maximum_packet_size_closes_the_connection",
        v3: &[],
        v5: &["X5-3.1.2.11.4-2"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let small = connect().with("maximum_packet_size", 64);
                let mut server = subscribed(&mut t, &small, &[]).await?;
                let publish = packets::publish("t", &"x".repeat(64));
                server.send(Packet::Publish(publish)).await;
                closes(&mut server).await
            })
        },
    },
    Case {
        name: "problem_information_that_was_not_asked_for_closes_the_connection",
        v3: &[],
        v5: &["X5-3.1.2.11.7-2"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let reason = Property::ReasonString(text("why"));
                closes_after_suback_with(&mut t, reason, "Reason String").await?;
                closes_after_suback_with(&mut t, user_property("a", "b"), "User Property").await
            })
        },
    },
];

/// To a client that wants no problem information.
async fn closes_after_suback_with(t: &mut Stage, property: Property, name: &str) -> Outcome {
    let quiet = connect().with("request_problem_information", 0);
    let (mut server, asked) = t.asked_to_connect(&quiet).await?;
    if asked.properties.request_problem_information() != Some(false) {
        let why = "set-up: expected CONNECT with Request Problem Information 0";
        return Err(Stop::Inconclusive(why.into()));
    }
    server.send(connack(false, &[])).await;
    t.driver.expect_connected().await.set_up()?;
    t.driver.tell(&Command::subscribe("t", 0)).await?;
    let subscribe = server.expect_subscribe().await.set_up()?;
    let suback = Suback {
        packet_id: subscribe.packet_id,
        reason_codes: vec![ReasonCode::Success],
        properties: [property].into_iter().collect(),
    };
    server.send(Packet::Suback(suback)).await;
    closes_because(&mut server, &format!("after SUBACK with {name}")).await
}
