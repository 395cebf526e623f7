use squall_proto::{Connect, Packet, Qos};

use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{Case, MUST},
        driver::Command,
        stage::connect,
    },
    context::log::describe,
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "the_first_packet_is_connect",
        v3: &["MQTT-3.1.0-1", "MQTT-7.1.2-1"],
        v5: &["MQTT-3.1.0-1", "MQTT-3.1.2-1", "MQTT-4.2.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                t.driver.tell(&connect()).await?;
                let mut server = t.accept().await?;
                let first = server.expect_packet("CONNECT").await?;
                let is_connect = matches!(&first, Packet::Connect(connect) if connect.version == t.version);
                let expected = format!("CONNECT of {}", t.version);
                check(is_connect, &expected, || describe(&first))
            })
        },
    },
    Case {
        name: "connect_is_sent_once",
        v3: &["MQTT-3.1.0-1"],
        v5: &["MQTT-3.1.0-1"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let mut server = t.connected().await?;
                let is_connect = |packet: &Packet| matches!(packet, Packet::Connect(_));
                server.expect_none("no second CONNECT", is_connect).await
            })
        },
    },
    Case {
        name: "connect_carries_the_client_identifier",
        v3: &["MQTT-3.1.3-3", "MQTT-3.1.3-4"],
        v5: &["MQTT-3.1.3-3", "MQTT-3.1.3-4"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let named = connect().with("client_id", "squ\u{e4}ll");
                let connect = connect_of(&mut t, &named).await?;
                let got = connect.client_id.as_str().to_owned();
                check(got == "squ\u{e4}ll", "Client Identifier \"squ\u{e4}ll\"", || {
                    format!("{got:?}")
                })
            })
        },
    },
    Case {
        name: "a_later_connection_has_the_client_identifier_of_its_session",
        v3: &["MQTT-3.1.3-2"],
        v5: &["MQTT-3.1.3-2"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let named = t.connect_to_session();
                let server = t.connected_by(&named, &[]).await?;
                server.cut();
                let (_, connect) = t.back_unanswered().await?;
                let got = connect.client_id.as_str().to_owned();
                check(got == "squall1", "Client Identifier \"squall1\" again", || {
                    format!("{got:?}")
                })
            })
        },
    },
    Case {
        name: "an_empty_client_identifier_comes_with_clean_session",
        v3: &["MQTT-3.1.3-7"],
        v5: &[],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let nameless = t.connect_to_session().with("client_id", "");
                if t.driver.ask(&nameless).await?.is_err() {
                    return Ok(());
                }
                let Ok(mut server) = t.accept().await else {
                    return Ok(());
                };
                let wrong = |packet: &Packet| matches!(packet, Packet::Connect(connect) if connect.client_id.is_empty() && !connect.clean_start);
                let expected = "Clean Session 1 or a Client Identifier";
                server
                    .expect_none_before_the_end(t.patience / 5, expected, wrong)
                    .await
            })
        },
    },
    Case {
        name: "without_a_will_connect_says_nothing_of_one",
        v3: &["MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-15"],
        v5: &["MQTT-3.1.2-11", "MQTT-3.1.2-13"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let connect = connect_of(&mut t, &connect()).await?;
                check(
                    connect.will.is_none(),
                    "no Will, Will QoS 0, Will Retain 0",
                    || said(&connect),
                )
            })
        },
    },
    Case {
        name: "a_will_is_in_connect_as_it_was_given",
        v3: &["MQTT-3.1.2-9", "MQTT-3.1.2-14", "MQTT-3.1.3-1", "MQTT-3.1.3-10"],
        v5: &["MQTT-3.1.2-9", "MQTT-3.1.2-12", "MQTT-3.1.3-1", "MQTT-3.1.3-11"],
        levels: MUST,
        run: |mut t| Box::pin(async move { has_will(&mut t, Qos::AtLeastOnce, true).await }),
    },
    Case {
        name: "a_will_may_have_qos_2_and_no_retain",
        v3: &["MQTT-3.1.2-9", "MQTT-3.1.2-14"],
        v5: &["MQTT-3.1.2-9", "MQTT-3.1.2-12"],
        levels: MUST,
        run: |mut t| Box::pin(async move { has_will(&mut t, Qos::ExactlyOnce, false).await }),
    },
    Case {
        name: "without_user_name_and_password_connect_has_neither",
        v3: &["MQTT-3.1.2-18", "MQTT-3.1.2-20"],
        v5: &["MQTT-3.1.2-16", "MQTT-3.1.2-18"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let connect = connect_of(&mut t, &connect()).await?;
                let has_none = connect.user_name.is_none() && connect.password.is_none();
                check(has_none, "neither User Name nor Password", || said(&connect))
            })
        },
    },
    Case {
        name: "user_name_and_password_are_in_connect_as_they_were_given",
        v3: &["MQTT-3.1.2-19", "MQTT-3.1.2-21", "MQTT-3.1.3-1", "MQTT-3.1.3-11"],
        v5: &["MQTT-3.1.2-17", "MQTT-3.1.2-19", "MQTT-3.1.3-1", "MQTT-3.1.3-12"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let named = connect()
                    .with("user_name", "j\u{f6}rg")
                    .with("password", "pass word");
                let connect = connect_of(&mut t, &named).await?;
                let user_name = connect.user_name.as_deref();
                let password = connect.password.as_deref();
                let as_given = user_name == Some("j\u{f6}rg") && password == Some(b"pass word".as_slice());
                check(
                    as_given,
                    "User Name \"j\u{f6}rg\", Password \"pass word\"",
                    || said(&connect),
                )
            })
        },
    },
    Case {
        name: "a_user_name_may_come_alone",
        v3: &["MQTT-3.1.2-19", "MQTT-3.1.2-20"],
        v5: &["MQTT-3.1.2-17", "MQTT-3.1.2-18"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let connect = connect_of(&mut t, &connect().with("user_name", "jorg")).await?;
                let as_given = connect.user_name.is_some() && connect.password.is_none();
                check(as_given, "a User Name and no Password", || said(&connect))
            })
        },
    },
    Case {
        name: "a_password_does_not_come_alone",
        v3: &["MQTT-3.1.2-22"],
        v5: &[],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                if t.driver
                    .ask(&connect().with("password", "secret"))
                    .await?
                    .is_err()
                {
                    return Ok(());
                }
                let Ok(mut server) = t.accept().await else {
                    return Ok(());
                };
                // What the decoder refuses here is a breach, in its words.
                let never = |_: &Packet| false;
                let expected = "no Password without a User Name";
                server
                    .expect_none_before_the_end(t.patience / 5, expected, never)
                    .await
            })
        },
    },
    Case {
        name: "without_an_authentication_method_auth_is_not_answered_with_auth",
        v3: &[],
        v5: &["MQTT-4.12.0-6", "MQTT-4.12.0-7"],
        levels: MUST,
        run: |mut t| {
            Box::pin(async move {
                let (mut server, connect) = t.asked_to_connect(&connect()).await?;
                if connect.properties.authentication_method().is_some() {
                    return Err(Stop::Inconclusive("set-up: CONNECT has a method".into()));
                }
                // Continue authentication, method "X".
                server.send_hex("f0 06 18 04 15 0001 58").await;
                let is_auth = |packet: &Packet| matches!(packet, Packet::Auth(_));
                server
                    .expect_none_before_the_end(t.patience / 5, "no AUTH", is_auth)
                    .await
            })
        },
    },
];

async fn connect_of(t: &mut Stage, command: &Command) -> Outcome<Connect> {
    t.driver.tell(command).await?;
    let mut server = t.accept().await?;
    Ok(*server.expect_connect().await?)
}

/// Whether CONNECT has a Will as it was given, with this QoS and Retain.
async fn has_will(t: &mut Stage, qos: Qos, retain: bool) -> Outcome {
    let command = connect()
        .with("will_topic", "will/\u{fc}")
        .with("will_payload", "gone")
        .with("will_qos", qos.value())
        .with("will_retain", u8::from(retain));
    let connect = connect_of(t, &command).await?;
    let as_given = connect.will.as_ref().is_some_and(|will| {
        will.topic.text().as_str() == "will/\u{fc}"
            && *will.payload == *b"gone"
            && will.qos == qos
            && will.retain == retain
    });
    let expected = format!("a Will q{}, Retain {retain}, on \"will/\u{fc}\"", qos.value());
    check(as_given, &expected, || said(&connect))
}

fn said(connect: &Connect) -> String {
    describe(&Packet::Connect(Box::new(connect.clone())))
}
