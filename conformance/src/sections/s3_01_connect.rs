use std::{collections::BTreeSet, time::Duration};

use squall_proto::{Ack, Connack, Connect, Packet, Properties, Property, Qos, ReasonCode, Version};
use tokio::time::Instant;

use crate::{
    Capability::Qos1,
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{self, Also as _},
    stop::{SetUp as _, check},
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "valid_connect_is_answered_with_connack",
        v3: &["MQTT-3.1.4-4", "MQTT-3.2.0-1"],
        v5: &["MQTT-3.1.4-5", "MQTT-3.2.0-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(valid_connect_is_answered_with_connack(t)),
    },
    Case {
        name: "first_packet_that_is_no_connect_is_refused",
        v3: &["MQTT-3.1.0-1", "MQTT-4.8.0-1"],
        v5: &["MQTT-3.1.0-1", "MQTT-4.13.1-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(first_packet_that_is_no_connect_is_refused(t)),
    },
    Case {
        name: "second_connect_is_refused",
        v3: &["MQTT-3.1.0-2"],
        v5: &["MQTT-3.1.0-2", "MQTT-3.2.0-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(second_connect_is_refused(t)),
    },
    Case {
        name: "client_identifier_of_23_letters_and_digits_is_taken",
        v3: &["MQTT-3.1.3-5"],
        v5: &["MQTT-3.1.3-5"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_identifier_of_23_letters_and_digits_is_taken(t)),
    },
    Case {
        name: "client_without_identifier_gets_one_of_its_own",
        v3: &["MQTT-3.1.3-6"],
        v5: &["MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(client_without_identifier_gets_one_of_its_own(t)),
    },
    Case {
        name: "second_connection_with_the_same_identifier_ends_the_first",
        v3: &["MQTT-3.1.4-2", "MQTT-3.1.3-2"],
        v5: &["MQTT-3.1.4-3", "MQTT-3.1.3-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(second_connection_with_the_same_identifier_ends_the_first(t)),
    },
    Case {
        name: "silence_past_one_and_a_half_keep_alives_is_closed",
        v3: &["MQTT-3.1.2-24"],
        v5: &["MQTT-3.1.2-22", "MQTT-3.2.2-22"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(silence_past_one_and_a_half_keep_alives_is_closed(t)),
    },
    Case {
        name: "silence_past_one_and_a_half_keep_alives_of_the_server_is_closed",
        v3: &[],
        v5: &["MQTT-3.1.2-22"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(silence_past_one_and_a_half_keep_alives_of_the_server_is_closed(t)),
    },
    Case {
        name: "packets_within_the_keep_alive_keep_the_connection",
        v3: &["MQTT-3.1.2-24"],
        v5: &["MQTT-3.1.2-22"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(packets_within_the_keep_alive_keep_the_connection(t)),
    },
    Case {
        name: "no_response_information_that_was_not_asked_for",
        v3: &[],
        v5: &["MQTT-3.1.2-28"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(no_response_information_that_was_not_asked_for(t)),
    },
    Case {
        name: "no_problem_information_that_was_not_asked_for",
        v3: &[],
        v5: &["MQTT-3.1.2-29"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(no_problem_information_that_was_not_asked_for(t)),
    },
    Case {
        name: "nothing_above_the_maximum_packet_size_is_sent",
        v3: &[],
        v5: &["MQTT-3.1.2-24"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(nothing_above_the_maximum_packet_size_is_sent(t)),
    },
    Case {
        name: "message_above_the_maximum_packet_size_takes_no_place_in_the_window",
        v3: &[],
        v5: &["MQTT-3.1.2-25"],
        level: Must,
        needs: &[Qos1],
        run: |t| Box::pin(message_above_the_maximum_packet_size_takes_no_place_in_the_window(t)),
    },
    Case {
        name: "no_topic_alias_that_was_not_offered",
        v3: &[],
        v5: &["MQTT-3.1.2-27", "MQTT-3.1.2-26"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(no_topic_alias_that_was_not_offered(t)),
    },
    Case {
        name: "unknown_authentication_method_is_refused",
        v3: &[],
        v5: &["MQTT-4.12.0-1", "MQTT-3.2.2-6", "MQTT-3.2.2-7"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(unknown_authentication_method_is_refused(t)),
    },
];

async fn valid_connect_is_answered_with_connack(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |_| ());
    client.send(Packet::Connect(Box::new(connect))).await;
    let first = client
        .expect("CONNACK, as the first packet", |packet| Some(packet.clone()))
        .await?;
    let right = matches!(&first, Packet::Connack(connack) if connack.reason_code == ReasonCode::Success);
    check(right, "CONNACK 0x00", || format!("{first:?}"))
}

async fn first_packet_that_is_no_connect_is_refused(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    client.send_hex("c0 00 # PINGREQ").await;
    client
        .expect_closed("after a first packet that is no CONNECT")
        .await?;
    Ok(())
}

async fn second_connect_is_refused(t: Context) -> Outcome {
    let mut client = t.connect("client").await?;
    let connect = t.connect_packet("client", |_| ());
    client.send(Packet::Connect(Box::new(connect))).await;
    let said = client.expect_closed("after a second CONNECT").await?;
    let second = said.iter().any(|packet| matches!(packet, Packet::Connack(_)));
    check(
        t.version == Version::V3_1_1 || !second,
        "no second CONNACK",
        || "a second CONNACK".into(),
    )
}

async fn client_identifier_of_23_letters_and_digits_is_taken(t: Context) -> Outcome {
    let mut name = String::from("XYZ9876543210abc");
    name.truncate(23 - t.client_id("").len());
    let mut client = t.open("client").await?;
    let connect = t.connect_packet(&name, |_| ());
    client.send(Packet::Connect(Box::new(connect))).await;
    let connack = client.expect_connack().await?;
    check(connack.reason_code == ReasonCode::Success, "CONNACK 0x00", || {
        format!("{:?}", connack.reason_code)
    })
}

async fn client_without_identifier_gets_one_of_its_own(t: Context) -> Outcome {
    let mut clients = Vec::new();
    let mut assigned = BTreeSet::new();
    for name in ["one", "two"] {
        let mut client = t.open(name).await?;
        let connect = packets::connect(t.version, "");
        client.send(Packet::Connect(Box::new(connect))).await;
        let connack = client.expect_connack().await?;
        if connack.reason_code.is_error() {
            return Err(Stop::Choice(format!("refused with {:?}", connack.reason_code)));
        }
        let id = connack.properties.assigned_client_identifier();
        check(
            t.version == Version::V3_1_1 || id.is_some_and(|id| assigned.insert(id)),
            "an Assigned Client Identifier of its own",
            || format!("{connack:?}"),
        )?;
        clients.push(client);
    }
    for client in &mut clients {
        client.send(Packet::Pingreq).await;
        client.expect_pingresp().await?;
    }
    Ok(())
}

async fn second_connection_with_the_same_identifier_ends_the_first(t: Context) -> Outcome {
    let mut first = t.connect("same").await?;
    let mut second = t.connect("same").await?;
    first
        .expect_closed("after another connection with its Client Identifier")
        .await?;
    second.send(Packet::Pingreq).await;
    second.expect_pingresp().await
}

async fn silence_past_one_and_a_half_keep_alives_is_closed(t: Context) -> Outcome {
    let (client, connack) = t.connect_with("client", |connect| connect.keep_alive = 2).await?;
    closed_for_silence(client, connack.properties.server_keep_alive().unwrap_or(2)).await
}

/// A longer Server Keep Alive than this is not waited for.
const SERVER_KEEP_ALIVE_MAX: u16 = 10;

async fn silence_past_one_and_a_half_keep_alives_of_the_server_is_closed(t: Context) -> Outcome {
    let (client, connack) = t
        .connect_with("client", |connect| connect.keep_alive = u16::MAX)
        .await?;
    match connack.properties.server_keep_alive() {
        Some(seconds @ 1..=SERVER_KEEP_ALIVE_MAX) => closed_for_silence(client, seconds).await,
        Some(_) | None => Err(Stop::Unsupported(format!(
            "its CONNACK says no Server Keep Alive of at most {SERVER_KEEP_ALIVE_MAX} s"
        ))),
    }
}

/// A client that says nothing is sent away, not before this Keep Alive is over, and not long after one and a half.
async fn closed_for_silence(mut client: Client, keep_alive: u16) -> Outcome {
    let keep_alive = Duration::from_secs(keep_alive.into());
    let silent_since = Instant::now();
    // How late is late enough is not said; no server known takes longer.
    let at_most = keep_alive * 3 + Duration::from_secs(6);
    client
        .expect_closed_within(at_most, "after one and a half Keep Alives without a packet")
        .await?;
    let silent_for = silent_since.elapsed();
    check(
        silent_for >= keep_alive,
        "no close before the Keep Alive has passed",
        || format!("a close after {silent_for:?}"),
    )
}

async fn packets_within_the_keep_alive_keep_the_connection(t: Context) -> Outcome {
    let (mut client, _) = t.connect_with("client", |connect| connect.keep_alive = 2).await?;
    for _ in 0..4 {
        client
            .expect_none_within(
                Duration::from_millis(1500),
                "no close within the Keep Alive",
                |_| false,
            )
            .await?;
        client.send(Packet::Pingreq).await;
        client.expect_pingresp().await?;
    }
    Ok(())
}

async fn no_response_information_that_was_not_asked_for(t: Context) -> Outcome {
    let (_client, connack) = t
        .connect_with("client", |connect| {
            connect
                .properties
                .push(Property::RequestResponseInformation(false))
        })
        .await?;
    check(
        connack.properties.response_information().is_none(),
        "no Response Information",
        || format!("{connack:?}"),
    )
}

async fn no_problem_information_that_was_not_asked_for(t: Context) -> Outcome {
    let (mut client, _) = t
        .connect_with("client", |connect| {
            connect
                .properties
                .push(Property::RequestProblemInformation(false))
        })
        .await?;
    let topic = t.topic("a");
    client
        .send(Packet::Subscribe(packets::subscribe(
            1,
            &[(&topic, packets::at(Qos::AtMostOnce))],
        )))
        .await;
    quiet(&client.expect_suback(1).await?.properties)?;
    client
        .send(Packet::Unsubscribe(packets::unsubscribe(
            2,
            &[&topic, &t.topic("none")],
        )))
        .await;
    quiet(&client.expect_unsuback(2).await?.properties)?;
    client
        .send(Packet::Publish(packets::publish(&topic, "x").qos1(3)))
        .await;
    quiet(&client.expect_puback(3).await?.properties)?;
    client.send(Packet::Pubrel(Ack::success(packets::id(4)))).await;
    let pubcomp = client
        .expect_pubcomp(4)
        .await
        .map_err(|_| Stop::Choice("no PUBCOMP for an unknown PUBREL".into()))?;
    quiet(&pubcomp.properties)
}

async fn nothing_above_the_maximum_packet_size_is_sent(t: Context) -> Outcome {
    let topic = t.topic("a");
    let small = |connect: &mut Connect| connect.properties.push(packets::maximum_packet_size(100));
    let (mut sub, _) = t.connect_with("sub", small).await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .publish(packets::publish(&topic, &"x".repeat(100)).qos1(1))
        .await?;
    publisher
        .publish(packets::publish(&topic, "small").qos1(2))
        .await?;
    let got = sub.expect_publish(&topic).await.set_up()?;
    check(got.payload == "small", "the message that fits alone", || {
        format!("{} bytes", got.payload.len())
    })
}

async fn message_above_the_maximum_packet_size_takes_no_place_in_the_window(t: Context) -> Outcome {
    let topic = t.topic("a");
    let small = |connect: &mut Connect| {
        connect.properties.push(packets::maximum_packet_size(100));
        connect.properties.push(packets::receive_maximum(1));
    };
    let (mut sub, _) = t.connect_with("sub", small).await?;
    sub.subscribe(&topic, Qos::AtLeastOnce).await?;
    let mut publisher = t.connect("pub").await?;
    publisher
        .publish(packets::publish(&topic, &"x".repeat(100)).qos1(1))
        .await?;
    publisher
        .publish(packets::publish(&topic, "small").qos1(2))
        .await?;
    // What is too large counts as sent, so a window of one is still open.
    sub.expect_publish(&topic).await.map(drop)
}

async fn no_topic_alias_that_was_not_offered(t: Context) -> Outcome {
    let topic = t.topic("a");
    let (mut sub, mut publisher) = t.pair(&topic, Qos::AtMostOnce).await?;
    for _ in 0..3 {
        publisher.publish(packets::publish(&topic, "x")).await?;
        let got = sub.expect_publish(&topic).await?;
        check(got.properties.topic_alias().is_none(), "no Topic Alias", || {
            format!("{got:?}")
        })?;
    }
    Ok(())
}

async fn unknown_authentication_method_is_refused(t: Context) -> Outcome {
    let mut client = t.open("client").await?;
    let connect = t.connect_packet("client", |connect| {
        connect
            .properties
            .push(Property::AuthenticationMethod(packets::text("squall-unheard-of")));
    });
    client.send(Packet::Connect(Box::new(connect))).await;
    let said = client
        .expect_closed("after an Authentication Method nobody knows")
        .await?;
    let wrong = |connack: &Connack| connack.session_present || !connack.reason_code.is_error();
    let bad = said
        .iter()
        .find(|packet| matches!(packet, Packet::Connack(connack) if wrong(connack)));
    check(
        bad.is_none(),
        "a CONNACK of 0x80 or above without Session Present, or none",
        || format!("{bad:?}"),
    )
}

fn quiet(properties: &Properties) -> Outcome {
    let quiet = properties.reason_string().is_none() && properties.user_properties().next().is_none();
    check(quiet, "neither Reason String nor User Property", || {
        format!("{properties:?}")
    })
}
