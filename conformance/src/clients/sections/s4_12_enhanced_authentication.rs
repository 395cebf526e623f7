use squall_proto::{Auth, Disconnect, Packet, Property, ReasonCode};

use crate::{
    Outcome,
    clients::{
        Stage,
        case::{CLOSES, Case, MUST},
        driver::Command,
        reaction::closes,
        stage::{Server, connack, connect},
    },
    context::log::describe,
    packets::{binary, maximum_packet_size, text},
    stop::{SetUp as _, check},
};

const METHOD: &str = "SQUALL";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a_challenge_is_answered_with_auth_0x18_of_the_same_method",
        v3: &[],
        v5: &["MQTT-3.15.2-1", "MQTT-4.12.0-3", "MQTT-4.12.0-5"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = t.asked_to_connect(&authenticating()).await?;
                server.send(challenge()).await;
                answered(&mut server, ReasonCode::ContinueAuthentication).await
            })
        },
    },
    Case {
        name: "before_connack_a_client_with_a_method_sends_auth_and_disconnect_alone",
        v3: &[],
        v5: &["MQTT-3.1.2-30"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, _) = t.asked_to_connect(&authenticating()).await?;
                // A client that knows no connection yet may refuse it.
                let _ = t.driver.ask(&Command::publish("t", 1, "x")).await?;
                server.send(challenge()).await;
                answered(&mut server, ReasonCode::ContinueAuthentication)
                    .await
                    .set_up()?;
                let is_other = |packet: &Packet| !matches!(packet, Packet::Auth(_) | Packet::Disconnect(_));
                server.expect_none("AUTH and DISCONNECT alone", is_other).await
            })
        },
    },
    Case {
        name: "authenticating_again_repeats_the_method",
        v3: &[],
        v5: &["MQTT-3.15.2-1", "MQTT-4.12.1-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = authenticated(&mut t, &[]).await?;
                t.driver.tell(&Command::new("reauthenticate")).await?;
                answered(&mut server, ReasonCode::ReAuthenticate).await
            })
        },
    },
    Case {
        name: "auth_fits_into_the_servers_maximum_packet_size",
        v3: &[],
        v5: &["MQTT-3.15.2-2", "MQTT-3.15.2-3"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                // AUTH with the method and the data has 19 bytes.
                let mut server = authenticated(&mut t, &[maximum_packet_size(22)]).await?;
                server.take_at_most(22);
                t.driver.tell(&Command::new("reauthenticate")).await?;
                answered(&mut server, ReasonCode::ReAuthenticate).await
            })
        },
    },
    Case {
        name: "a_client_that_may_not_authenticate_again_is_gone",
        v3: &[],
        v5: &["MQTT-4.12.1-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = authenticated(&mut t, &[]).await?;
                t.driver.tell(&Command::new("reauthenticate")).await?;
                answered(&mut server, ReasonCode::ReAuthenticate).await.set_up()?;
                server
                    .send(Packet::Disconnect(Disconnect::of(ReasonCode::NotAuthorized)))
                    .await;
                server.expect_closed("after DISCONNECT 0x87").await.map(drop)
            })
        },
    },
    Case {
        name: "auth_of_another_method_closes_the_connection",
        v3: &[],
        v5: &["X5-3.15-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                closes_after_auth(&mut t, &[Property::AuthenticationMethod(text("OTHER"))]).await
            })
        },
    },
    Case {
        name: "auth_without_a_method_closes_the_connection",
        v3: &[],
        v5: &["X5-3.15.2.2.2-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(
                async move { closes_after_auth(&mut t, &[Property::AuthenticationData(binary(b"?"))]).await },
            )
        },
    },
    Case {
        name: "auth_to_a_client_that_named_no_method_closes_the_connection",
        v3: &[],
        v5: &["X5-3.15-1"],
        levels: CLOSES,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                server.send(challenge()).await;
                closes(&mut server).await
            })
        },
    },
];

fn authenticating() -> Command {
    connect()
        .with("authentication_method", METHOD)
        .with("authentication_data", "abc")
}

/// A connection whose client was let in by its method.
async fn authenticated(t: &mut Stage, properties: &[Property]) -> Outcome<Server> {
    let (mut server, _) = t.asked_to_connect(&authenticating()).await?;
    let mut all = vec![Property::AuthenticationMethod(text(METHOD))];
    all.extend_from_slice(properties);
    server.send(connack(false, &all)).await;
    t.driver.expect_connected().await.set_up()?;
    Ok(server)
}

fn challenge() -> Packet {
    auth(&[
        Property::AuthenticationMethod(text(METHOD)),
        Property::AuthenticationData(binary(b"?")),
    ])
}

fn auth(properties: &[Property]) -> Packet {
    Packet::Auth(Auth {
        reason_code: ReasonCode::ContinueAuthentication,
        properties: properties.iter().cloned().collect(),
    })
}

/// A client that authenticates gets an AUTH with these properties before its CONNACK. Nothing else may come next, so one that goes on shows
/// in its answer, or in that it waits.
async fn closes_after_auth(t: &mut Stage, properties: &[Property]) -> Outcome {
    let (mut server, _) = t.asked_to_connect(&authenticating()).await?;
    server.send(auth(properties)).await;
    server
        .expect_closed("after AUTH that is no good one")
        .await
        .map(drop)
}

/// AUTH with this Reason Code and the method of CONNECT must come.
async fn answered(server: &mut Server, code: ReasonCode) -> Outcome {
    let auth = server.expect_auth().await?;
    let method = auth.properties.authentication_method();
    let is_right = auth.reason_code == code && method.is_some_and(|method| method.as_str() == METHOD);
    let expected = format!("AUTH 0x{:02X}, method {METHOD}", code.value());
    check(is_right, &expected, || describe(&Packet::Auth(auth.clone())))
}
