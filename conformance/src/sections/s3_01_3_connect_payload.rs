use squall_proto::{Packet, Qos, ReasonCode, Version};

use crate::{
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    hex,
    packets::text,
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "connect_fields_are_read_in_their_order",
        v3: &["MQTT-3.1.3-1", "MQTT-3.1.2-9"],
        v5: &["MQTT-3.1.3-1", "MQTT-3.1.2-9"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connect_fields_are_read_in_their_order(t)),
    },
    Case {
        name: "connect_without_a_client_identifier_field_is_refused",
        v3: &["MQTT-3.1.3-3", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.3-3", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(connect_without_a_client_identifier_field_is_refused(t)),
    },
    Case {
        name: "password_flag_without_password_is_refused",
        v3: &["MQTT-3.1.2-21", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-19", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(password_flag_without_password_is_refused(t)),
    },
    Case {
        name: "password_without_password_flag_is_refused",
        v3: &["MQTT-3.1.2-20", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.2-18", "MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(password_without_password_flag_is_refused(t)),
    },
    Case {
        name: "will_fields_without_will_flag_are_refused",
        v3: &["MQTT-3.1.2-11", "MQTT-3.1.4-1"],
        v5: &["MQTT-3.1.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_fields_without_will_flag_are_refused(t)),
    },
    Case {
        name: "will_topic_that_is_no_utf8_is_refused",
        v3: &["MQTT-3.1.3-10", "MQTT-1.5.3-1"],
        v5: &["MQTT-3.1.3-11", "MQTT-1.5.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_topic_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "user_name_that_is_no_utf8_is_refused",
        v3: &["MQTT-3.1.3-11", "MQTT-1.5.3-1"],
        v5: &["MQTT-3.1.3-12", "MQTT-1.5.4-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(user_name_that_is_no_utf8_is_refused(t)),
    },
    Case {
        name: "request_information_is_0_or_1",
        v3: &[],
        v5: &["X5-3.1.2.11.6-1", "X5-3.1.2.11.7-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(request_information_is_0_or_1(t)),
    },
    Case {
        name: "authentication_data_without_a_method_is_refused",
        v3: &[],
        v5: &["X5-3.1.2.11.10-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(authentication_data_without_a_method_is_refused(t)),
    },
    Case {
        name: "no_disconnect_comes_before_connack",
        v3: &[],
        v5: &["MQTT-3.14.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(no_disconnect_comes_before_connack(t)),
    },
    Case {
        name: "client_identifier_that_is_refused_ends_the_connection",
        v3: &["MQTT-3.1.3-9"],
        v5: &["MQTT-3.1.3-8"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_identifier_that_is_refused_ends_the_connection(t)),
    },
];

/// What CONNECT begins with: the protocol, these flags, a Keep Alive of 60, and no properties.
fn begin(t: &Context, flags: u8) -> Vec<u8> {
    let mut bytes = hex::string("MQTT");
    bytes.extend([t.by_version(4, 5), flags, 0, 60]);
    none(t, &mut bytes);
    bytes
}

/// The property list of 5.0 without a property.
fn none(t: &Context, bytes: &mut Vec<u8>) {
    if t.version == Version::V5 {
        bytes.push(0);
    }
}

async fn connect_fields_are_read_in_their_order(t: Context) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    // User Name, Password, Will, Clean Start.
    let fields = [topic.as_str(), "will payload", "user name", "password"];
    let (mut client, mut answer) = with_fields(&t, 0xc6, &fields).await?;
    if matches!(
        answer,
        ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized
    ) {
        // It knows nobody of that name: Will, Clean Start.
        let [topic, payload, ..] = fields;
        (client, answer) = with_fields(&t, 0x06, &[topic, payload]).await?;
    }
    check(answer == ReasonCode::Success, "CONNACK 0x00", || {
        answer.name().into()
    })
    .set_up()?;
    client.cut();
    let publish = sub.expect_publish(&topic).await?;
    check(
        &*publish.payload == b"will payload",
        "the Will Message of CONNECT",
        || ::hex::encode(&publish.payload),
    )
}

/// A client that has sent CONNECT with these flags, its Client Identifier and then these strings, and the code of the CONNACK.
async fn with_fields(t: &Context, flags: u8, fields: &[&str]) -> Outcome<(Client, ReasonCode)> {
    let mut body = begin(t, flags);
    body.extend(hex::string(&t.client_id("client")));
    none(t, &mut body);
    for field in fields {
        body.extend(hex::string(field));
    }
    let mut client = t.open("client").await?;
    client.send_bytes(&hex::packet(0x10, &body)).await;
    let connack = client.expect_connack().await?;
    Ok((client, connack.reason_code))
}

async fn connect_without_a_client_identifier_field_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 0a             # CONNECT, 10 bytes follow
         00 04 4d 51 54 54 # MQTT
         04 02 00 3c       # level 4, Clean Session, Keep Alive 60, and no payload",
        "10 0b             # CONNECT, 11 bytes follow
         00 04 4d 51 54 54 # MQTT
         05 02 00 3c 00    # version 5, Clean Start, Keep Alive 60, no properties, and no payload",
    );
    t.refused(connect, "after CONNECT without a payload")
        .await
        .map(drop)
}

async fn password_flag_without_password_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 14                # CONNECT, 20 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 c2 00 3c          # level 4, User Name, Password and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 75             # User Name u, and no Password",
        "10 12                # CONNECT, 18 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 42 00 3c 00       # version 5, Password and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier, and no Password",
    );
    t.refused(connect, "after CONNECT that lacks its Password")
        .await
        .map(drop)
}

async fn password_without_password_flag_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 17                # CONNECT, 23 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 82 00 3c          # level 4, User Name and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 75 00 01 70    # User Name u, Password p",
        "10 18                # CONNECT, 24 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 82 00 3c 00       # version 5, User Name and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier
         00 01 75 00 01 70    # User Name u, Password p",
    );
    t.refused(connect, "after CONNECT with a Password its flags do not tell of")
        .await
        .map(drop)
}

async fn will_fields_without_will_flag_are_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 17                # CONNECT, 23 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 02 00 3c          # level 4, Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 77 00 01 78    # Will Topic w, Will Message x",
        "10 19                # CONNECT, 25 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c 00       # version 5, Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier
         00 00 01 77 00 01 78 # no Will Properties, Will Topic w, Will Payload x",
    );
    t.refused(connect, "after CONNECT with a Will its flags do not tell of")
        .await
        .map(drop)
}

async fn will_topic_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 17                # CONNECT, 23 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 06 00 3c          # level 4, Will and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 ff 00 01 78    # Will Topic FF, Will Message x",
        "10 19                # CONNECT, 25 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 06 00 3c 00       # version 5, Will and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier
         00 00 01 ff 00 01 78 # no Will Properties, Will Topic FF, Will Payload x",
    );
    t.refused(connect, "after a Will Topic that is no UTF-8")
        .await
        .map(drop)
}

async fn user_name_that_is_no_utf8_is_refused(t: Context) -> Outcome {
    let connect = t.by_version(
        "10 14                # CONNECT, 20 bytes follow
         00 04 4d 51 54 54    # MQTT
         04 82 00 3c          # level 4, User Name and Clean Session, Keep Alive 60
         00 05 73 71 62 61 64 # Client Identifier
         00 01 ff             # User Name FF",
        "10 15                # CONNECT, 21 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 82 00 3c 00       # version 5, User Name and Clean Start, Keep Alive 60, no properties
         00 05 73 71 62 61 64 # Client Identifier
         00 01 ff             # User Name FF",
    );
    t.refused(connect, "after a User Name that is no UTF-8")
        .await
        .map(drop)
}

async fn request_information_is_0_or_1(t: Context) -> Outcome {
    t.refused(
        "10 14                # CONNECT, 20 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         02 19 02             # properties: Request Response Information 2
         00 05 73 71 62 61 64 # Client Identifier",
        "after Request Response Information 2",
    )
    .await?;
    t.refused(
        "10 14                # CONNECT, 20 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         02 17 02             # properties: Request Problem Information 2
         00 05 73 71 62 61 64 # Client Identifier",
        "after Request Problem Information 2",
    )
    .await
    .map(drop)
}

async fn authentication_data_without_a_method_is_refused(t: Context) -> Outcome {
    t.refused(
        "10 16                # CONNECT, 22 bytes follow
         00 04 4d 51 54 54    # MQTT
         05 02 00 3c          # version 5, Clean Start, Keep Alive 60
         04 16 00 01 64       # properties: Authentication Data d
         00 05 73 71 62 61 64 # Client Identifier",
        "after Authentication Data without an Authentication Method",
    )
    .await
    .map(drop)
}

async fn no_disconnect_comes_before_connack(t: Context) -> Outcome {
    for (connect, because) in [
        (
            "10 14                # CONNECT, 20 bytes follow
             00 04 4d 51 54 54    # MQTT
             05 02 00 3c          # version 5, Clean Start, Keep Alive 60
             02 17 02             # properties: Request Problem Information 2
             00 05 73 71 62 61 64 # Client Identifier",
            "after CONNECT that is a Protocol Error",
        ),
        (
            "10 16                # CONNECT, 22 bytes follow
             00 04 4d 51 54 54    # MQTT
             05 02 00 3c          # version 5, Clean Start, Keep Alive 60
             04 15 00 01 6d       # properties: Authentication Method m
             00 05 73 71 62 61 64 # Client Identifier",
            "after an Authentication Method nobody knows",
        ),
    ] {
        let answer = t.refused(connect, because).await.set_up()?;
        check(answer.first() != Some(&0xe0), "no DISCONNECT", || {
            ::hex::encode(&answer)
        })?;
    }
    Ok(())
}

async fn client_identifier_that_is_refused_ends_the_connection(t: Context) -> Outcome {
    // The server need not take any of these.
    for odd in ["-", " /+#$", &"long".repeat(8), "\u{feff}"] {
        let id = format!("{}{odd}", t.client_id(""));
        let mut client = t.open("client").await?;
        let connect = t.connect_packet("client", |connect| connect.client_id = text(&id));
        client.send(Packet::Connect(Box::new(connect))).await;
        let Ok(connack) = client.expect_connack().await else {
            return client
                .expect_closed("after a Client Identifier that is refused")
                .await
                .map(drop);
        };
        if connack.reason_code == ReasonCode::Success {
            continue;
        }
        check(
            connack.reason_code == ReasonCode::ClientIdentifierNotValid,
            "CONNACK 0x85 (3.1.1: 2)",
            || connack.reason_code.name().into(),
        )?;
        return client.expect_closed("after that CONNACK").await.map(drop);
    }
    Err(Stop::Unsupported("it takes any Client Identifier".into()))
}
