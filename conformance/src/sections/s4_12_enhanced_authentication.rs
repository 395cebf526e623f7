use squall_proto::{Auth, Packet, Property, ReasonCode};

use super::s3_15_auth::{begun, not_let_in};
use crate::{
    Case, Context,
    Level::{Must, Should},
    Outcome, Stop, User,
    context::Client,
    packets::{binary, text},
    scram::{Answer, METHOD},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "connack_after_authentication_repeats_its_method",
        v3: &[],
        v5: &["MQTT-4.12.0-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connack_after_authentication_repeats_its_method(t)),
    },
    Case {
        name: "connack_after_authentication_may_show_the_server",
        v3: &[],
        v5: &["MQTT-4.12.0-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connack_after_authentication_may_show_the_server(t)),
    },
    Case {
        name: "wrong_proof_is_refused",
        v3: &[],
        v5: &["MQTT-4.12.0-4", "MQTT-3.1.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(wrong_proof_is_refused(t)),
    },
    Case {
        name: "right_proof_under_another_method_is_refused",
        v3: &[],
        v5: &["X5-3.15-1", "MQTT-4.12.0-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(right_proof_under_another_method_is_refused(t)),
    },
    Case {
        name: "known_user_who_names_no_method_gets_no_auth",
        v3: &[],
        v5: &["MQTT-4.12.0-6"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(known_user_who_names_no_method_gets_no_auth(t)),
    },
    Case {
        name: "client_can_authenticate_again",
        v3: &[],
        v5: &["MQTT-4.12.1-1", "MQTT-4.12.0-5", "MQTT-3.15.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_can_authenticate_again(t)),
    },
    Case {
        name: "authentication_again_by_another_method_is_refused",
        v3: &[],
        v5: &["MQTT-4.12.1-1", "X5-3.15-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(authentication_again_by_another_method_is_refused(t)),
    },
    Case {
        name: "failed_authentication_again_ends_the_connection",
        v3: &[],
        v5: &["MQTT-4.12.1-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(failed_authentication_again_ends_the_connection(t)),
    },
    Case {
        name: "disconnect_says_that_authentication_again_failed",
        v3: &[],
        v5: &["MQTT-4.12.1-2"],
        level: Should,
        needs: &[],
        run: |t| Box::pin(disconnect_says_that_authentication_again_failed(t)),
    },
];

/// What a client's first exchange begins with; the server's nonce makes it one that nobody can repeat.
const NONCE: &str = "squallsquallsquall";
/// What its second begins with.
const NONCE_AGAIN: &str = "againagainagain";

async fn connack_after_authentication_repeats_its_method(t: Context) -> Outcome {
    let user = user(&t)?;
    let (mut client, answer) = challenged(&t, &user).await?;
    client.send(reply(METHOD, &answer.client_final)).await;
    let connack = client.expect_connack().await?;
    let method = connack.properties.authentication_method();
    check(
        connack.reason_code == ReasonCode::Success && is_method(method.as_deref()),
        "CONNACK 0x00 with SCRAM-SHA-256",
        || format!("CONNACK 0x{:02X} with {method:?}", connack.reason_code.value()),
    )?;
    client.ping().await
}

async fn connack_after_authentication_may_show_the_server(t: Context) -> Outcome {
    let user = user(&t)?;
    let (mut client, answer) = challenged(&t, &user).await.set_up()?;
    client.send(reply(METHOD, &answer.client_final)).await;
    let data = client
        .expect_connack()
        .await
        .set_up()?
        .properties
        .authentication_data();
    // What the data mean is the method's: [MQTT-4.12.0-5] asks for its name alone.
    Err(Stop::Choice(match data {
        Some(data) if *data == *answer.server_final.as_bytes() => "its signature".into(),
        Some(_) => "something else".into(),
        None => "nothing".into(),
    }))
}

async fn wrong_proof_is_refused(t: Context) -> Outcome {
    let user = user(&t)?;
    let (mut client, answer) = challenged(&t, &mistaken(&user)).await.set_up()?;
    client.send(reply(METHOD, &answer.client_final)).await;
    not_let_in(&mut client, "after a wrong proof").await
}

async fn right_proof_under_another_method_is_refused(t: Context) -> Outcome {
    let user = user(&t)?;
    let (mut client, answer) = challenged(&t, &user).await.set_up()?;
    client.send(reply("SCRAM-SHA-512", &answer.client_final)).await;
    not_let_in(&mut client, "after AUTH with another method").await
}

async fn known_user_who_names_no_method_gets_no_auth(t: Context) -> Outcome {
    let user = user(&t)?;
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |connect| {
        connect.user_name = Some(text(&user.name));
        connect.password = Some(binary(user.password.as_bytes()));
    });
    client.send(Packet::Connect(Box::new(connect))).await;
    let connack = client.expect_connack().await?;
    let method = connack.properties.authentication_method();
    check(method.is_none(), "no Authentication Method", || {
        format!("{method:?}")
    })?;
    client
        .expect_none("no AUTH", |packet| matches!(packet, Packet::Auth(_)))
        .await
}

async fn client_can_authenticate_again(t: Context) -> Outcome {
    let user = user(&t)?;
    let mut client = authenticated(&t, &user).await?;
    let answer = challenged_again(&mut client, &user).await?;
    client.send(reply(METHOD, &answer.client_final)).await;
    expect_auth(&mut client, ReasonCode::Success).await?;
    client.ping().await
}

async fn authentication_again_by_another_method_is_refused(t: Context) -> Outcome {
    let user = user(&t)?;
    let mut client = authenticated(&t, &user).await?;
    let first = user.first(NONCE_AGAIN);
    client
        .send(auth(ReasonCode::ReAuthenticate, "SCRAM-SHA-512", &first))
        .await;
    client
        .expect_closed("after AUTH 0x19 with another method")
        .await
        .map(drop)
}

async fn failed_authentication_again_ends_the_connection(t: Context) -> Outcome {
    failed_again(&t).await.map(drop)
}

async fn disconnect_says_that_authentication_again_failed(t: Context) -> Outcome {
    let said = failed_again(&t).await.set_up()?;
    let says_why = |packet: &Packet| matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason_code.is_error());
    check(
        said.iter().any(says_why),
        "DISCONNECT with 0x80 or above before the close",
        || format!("{said:?}"),
    )
}

/// Somebody the target knows.
fn user(t: &Context) -> Outcome<User> {
    let unknown = || Stop::Unsupported("no user of its is known: --username and --pw name one".into());
    t.target().user().cloned().ok_or_else(unknown)
}

/// The user, as somebody with another password.
fn mistaken(user: &User) -> User {
    User {
        name: user.name.clone(),
        password: format!("{}x", user.password),
    }
}

/// A client whose first message has been answered, and what it has to say next.
async fn challenged(t: &Context, user: &User) -> Outcome<(Client, Answer)> {
    let (client, auth) = begun(t, &user.first(NONCE)).await?;
    let answer = answer(&auth, user, NONCE)?;
    Ok((client, answer))
}

/// A client that is connected, by way of this method.
async fn authenticated(t: &Context, user: &User) -> Outcome<Client> {
    let (mut client, answer) = challenged(t, user).await.set_up()?;
    client.send(reply(METHOD, &answer.client_final)).await;
    let connack = client.expect_connack().await.set_up()?;
    check(connack.reason_code == ReasonCode::Success, "CONNACK 0x00", || {
        connack.reason_code.name().into()
    })
    .set_up()?;
    Ok(client)
}

/// As [`challenged`], for a client that is connected.
async fn challenged_again(client: &mut Client, user: &User) -> Outcome<Answer> {
    let first = user.first(NONCE_AGAIN);
    client
        .send(auth(ReasonCode::ReAuthenticate, METHOD, &first))
        .await;
    let challenge = expect_auth(client, ReasonCode::ContinueAuthentication).await?;
    answer(&challenge, user, NONCE_AGAIN)
}

/// What the target says when a client that was let in shows a wrong proof.
async fn failed_again(t: &Context) -> Outcome<Vec<Packet>> {
    let user = user(t)?;
    let mut client = authenticated(t, &user).await?;
    let answer = challenged_again(&mut client, &mistaken(&user)).await.set_up()?;
    client.send(reply(METHOD, &answer.client_final)).await;
    client.expect_closed("after a wrong proof").await
}

/// What the user has to say to this challenge.
fn answer(challenge: &Auth, user: &User, nonce: &str) -> Outcome<Answer> {
    let data = challenge.properties.authentication_data().unwrap_or_default();
    let answer = std::str::from_utf8(&data)
        .ok()
        .and_then(|first| user.answer(nonce, first));
    answer.ok_or_else(|| Stop::Inconclusive(format!("set-up: no challenge of {METHOD}: {data:?}")))
}

/// AUTH with the method of CONNECT and this code.
async fn expect_auth(client: &mut Client, code: ReasonCode) -> Outcome<Auth> {
    let expected = format!("AUTH 0x{:02X} with {METHOD}", code.value());
    let auth = client
        .expect(&expected, |packet| {
            if let Packet::Auth(auth) = packet {
                Some(auth.clone())
            } else {
                None
            }
        })
        .await?;
    let method = auth.properties.authentication_method();
    let right = auth.reason_code == code && is_method(method.as_deref());
    check(right, &expected, || {
        format!("AUTH 0x{:02X} with {method:?}", auth.reason_code.value())
    })?;
    Ok(auth)
}

fn is_method(method: Option<&str>) -> bool {
    method == Some(METHOD)
}

fn reply(method: &str, data: &str) -> Packet {
    auth(ReasonCode::ContinueAuthentication, method, data)
}

fn auth(reason_code: ReasonCode, method: &str, data: &str) -> Packet {
    let method = Property::AuthenticationMethod(text(method));
    let data = Property::AuthenticationData(binary(data.as_bytes()));
    Packet::Auth(Auth {
        reason_code,
        properties: [method, data].into_iter().collect(),
    })
}
