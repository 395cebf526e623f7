use squall_proto::{Auth, Packet, Property, ReasonCode};

use crate::{
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{binary, publish, text},
    scram::METHOD,
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "auth_without_a_method_is_refused",
        v3: &[],
        v5: &["MQTT-4.12.0-7", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_without_a_method_is_refused(t)),
    },
    Case {
        name: "auth_with_wrong_flags_is_refused",
        v3: &[],
        v5: &["MQTT-3.15.1-1", "X5-2.1.3-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_with_wrong_flags_is_refused(t)),
    },
    Case {
        name: "auth_that_lacks_its_method_is_refused",
        v3: &[],
        v5: &["X5-3.15.2.2.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_that_lacks_its_method_is_refused(t)),
    },
    Case {
        name: "auth_with_a_method_that_connect_did_not_name_is_refused",
        v3: &[],
        v5: &["X5-3.15-1", "MQTT-4.12.0-7"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(auth_with_a_method_that_connect_did_not_name_is_refused(t)),
    },
    Case {
        name: "authentication_goes_on_with_the_method_of_connect",
        v3: &[],
        v5: &["MQTT-4.12.0-2", "MQTT-4.12.0-5", "MQTT-3.15.2-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(authentication_goes_on_with_the_method_of_connect(t)),
    },
    Case {
        name: "failed_authentication_ends_the_connection",
        v3: &[],
        v5: &["MQTT-4.12.0-4", "MQTT-3.1.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(failed_authentication_ends_the_connection(t)),
    },
    Case {
        name: "packet_in_the_middle_of_authentication_is_refused",
        v3: &[],
        v5: &["MQTT-3.1.2-30"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(packet_in_the_middle_of_authentication_is_refused(t)),
    },
];

async fn auth_without_a_method_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "# AUTH, which means Success without properties
             f0 00",
        )
        .await;
    client
        .expect_closed("after AUTH without a method in CONNECT")
        .await?;
    Ok(())
}

async fn auth_with_wrong_flags_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client.send_hex("f1 00 # AUTH with flags 0001").await;
    client.expect_closed("after AUTH with flags 0001").await?;
    Ok(())
}

async fn auth_that_lacks_its_method_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex("f0 02 18 00 # AUTH, Continue authentication, no properties")
        .await;
    client
        .expect_closed("after AUTH without an Authentication Method")
        .await
        .map(drop)
}

async fn auth_with_a_method_that_connect_did_not_name_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    client
        .send_hex(
            "f0 06 19       # AUTH, Re-authenticate, 6 bytes follow
             04 15 00 01 6d # properties: Authentication Method m",
        )
        .await;
    client
        .expect_closed("after AUTH with a method that CONNECT did not name")
        .await
        .map(drop)
}

/// The first message of somebody the target need not know.
const FIRST: &str = "n,,n=squall,r=squallsquallsquall";

/// A client in the middle of its authentication, which began with this message, and the first AUTH of the target.
pub(super) async fn begun(t: &Context, first: &str) -> Outcome<(Client, Auth)> {
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |connect| {
        let properties = &mut connect.properties;
        properties.push(Property::AuthenticationMethod(text(METHOD)));
        properties.push(Property::AuthenticationData(binary(first.as_bytes())));
    });
    client.send(Packet::Connect(Box::new(connect))).await;
    let first = client
        .expect("AUTH, or a CONNACK that refuses", |packet| {
            if let Packet::Auth(auth) = packet {
                Some(Ok(auth.clone()))
            } else if let Packet::Connack(connack) = packet {
                Some(Err(connack.reason_code))
            } else {
                None
            }
        })
        .await?;
    match first {
        Ok(auth) => Ok((client, auth)),
        Err(ReasonCode::Success) => Err(Stop::Unsupported(format!(
            "it takes {METHOD} as if there was no Authentication Method"
        ))),
        Err(code) => Err(Stop::Unsupported(format!(
            "its CONNACK says {} to {METHOD}",
            code.name()
        ))),
    }
}

async fn authentication_goes_on_with_the_method_of_connect(t: Context) -> Outcome {
    let (_client, auth) = begun(&t, FIRST).await?;
    let method = auth.properties.authentication_method();
    let right = method.as_ref().is_some_and(|method| method.as_str() == METHOD);
    check(
        auth.reason_code == ReasonCode::ContinueAuthentication && right,
        "AUTH 0x18 with SCRAM-SHA-256",
        || format!("AUTH 0x{:02X} with {method:?}", auth.reason_code.value()),
    )
}

async fn failed_authentication_ends_the_connection(t: Context) -> Outcome {
    let (mut client, mut auth) = begun(&t, FIRST).await?;
    auth.properties = [
        Property::AuthenticationMethod(text(METHOD)),
        Property::AuthenticationData(binary(b"c=biws,r=wrong,p=wrong")),
    ]
    .into_iter()
    .collect();
    client.send(Packet::Auth(auth)).await;
    not_let_in(&mut client, "after a wrong proof").await
}

async fn packet_in_the_middle_of_authentication_is_refused(t: Context) -> Outcome {
    let (mut client, _) = begun(&t, FIRST).await?;
    client.send(Packet::Publish(publish(&t.topic("a"), "x"))).await;
    not_let_in(&mut client, "after PUBLISH in place of AUTH").await
}

/// The connection is closed, and before that there was no CONNACK of success.
pub(super) async fn not_let_in(client: &mut Client, because: &str) -> Outcome {
    let said = client.expect_closed(because).await?;
    let accepted = |packet: &Packet| matches!(packet, Packet::Connack(connack) if connack.reason_code == ReasonCode::Success);
    check(!said.iter().any(accepted), "no CONNACK 0x00", || {
        "CONNACK 0x00".into()
    })
}
