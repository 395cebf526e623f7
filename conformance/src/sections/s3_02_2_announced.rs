//! What CONNACK says that a server does not do, and what it does when it is asked for that all the same.

use squall_proto::{Connack, Packet, Properties, Property, Qos, ReasonCode};

use crate::{
    Case, Context,
    Level::Must,
    Outcome, Stop,
    context::Client,
    packets::{Also as _, at, publish, subscribe, subscription_identifier, will},
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "maximum_qos_is_told_or_every_qos_is_taken",
        v3: &[],
        v5: &["MQTT-3.2.2-9"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(maximum_qos_is_told_or_every_qos_is_taken(t)),
    },
    Case {
        name: "subscribe_above_the_maximum_qos_is_granted_less",
        v3: &[],
        v5: &["MQTT-3.2.2-10"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscribe_above_the_maximum_qos_is_granted_less(t)),
    },
    Case {
        name: "publish_above_the_maximum_qos_is_refused",
        v3: &[],
        v5: &["MQTT-3.2.2-11", "X5-3.2.2.3.4-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(publish_above_the_maximum_qos_is_refused(t)),
    },
    Case {
        name: "will_above_the_maximum_qos_is_refused",
        v3: &[],
        v5: &["MQTT-3.2.2-12"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(will_above_the_maximum_qos_is_refused(t)),
    },
    Case {
        name: "retained_will_is_refused_where_nothing_is_retained",
        v3: &[],
        v5: &["MQTT-3.2.2-13"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(retained_will_is_refused_where_nothing_is_retained(t)),
    },
    Case {
        name: "retained_publish_is_refused_where_nothing_is_retained",
        v3: &[],
        v5: &["MQTT-3.2.2-14", "X5-3.2.2.3.5-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(retained_publish_is_refused_where_nothing_is_retained(t)),
    },
    Case {
        name: "packet_above_the_servers_maximum_packet_size_is_refused",
        v3: &[],
        v5: &["MQTT-3.2.2-15", "X5-3.2.2.3.6-1"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(packet_above_the_servers_maximum_packet_size_is_refused(t)),
    },
    Case {
        name: "wildcard_filter_works_or_is_refused",
        v3: &["MQTT-3.8.3-2"],
        v5: &["X5-3.2.2.3.11-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(wildcard_filter_works_or_is_refused(t)),
    },
    Case {
        name: "subscription_identifier_is_refused_where_there_are_none",
        v3: &[],
        v5: &["X5-3.2.2.3.12-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(subscription_identifier_is_refused_where_there_are_none(t)),
    },
    Case {
        name: "shared_filter_is_refused_where_there_are_none",
        v3: &[],
        v5: &["X5-3.2.2.3.13-2"],
        level: Must,
        needs: &[],
        run: |t| Box::pin(shared_filter_is_refused_where_there_are_none(t)),
    },
];

/// More than this a case does not send in one packet.
const PACKET_MAX: u32 = 1 << 21;

/// A client of a target that announces something, with what it announced.
async fn limited<T>(
    t: &Context,
    announced: impl FnOnce(&Properties) -> Option<T>,
    otherwise: &str,
) -> Outcome<(Client, T)> {
    let (client, Connack { properties, .. }) = t.connect_with("client", |_| ()).await?;
    match announced(&properties) {
        Some(found) => Ok((client, found)),
        None => Err(Stop::Unsupported(format!("its CONNACK says {otherwise}"))),
    }
}

/// Maximum QoS, where it is less than 2.
fn maximum_qos(properties: &Properties) -> Option<Qos> {
    let at_least_once = properties.maximum_qos()?;
    Some(if at_least_once {
        Qos::AtLeastOnce
    } else {
        Qos::AtMostOnce
    })
}

async fn maximum_qos_is_told_or_every_qos_is_taken(t: Context) -> Outcome {
    let (mut client, connack) = t.connect_with("client", |_| ()).await?;
    if maximum_qos(&connack.properties).is_some() {
        return Ok(());
    }
    client
        .send(Packet::Publish(publish(&t.topic("a"), "x").qos2(1)))
        .await;
    let pubrec = client.expect_pubrec(1).await?;
    check(
        pubrec.reason_code != ReasonCode::QosNotSupported,
        "PUBREC of a QoS that was not excluded",
        || pubrec.reason_code.name().into(),
    )
}

async fn subscribe_above_the_maximum_qos_is_granted_less(t: Context) -> Outcome {
    let (mut client, maximum) = limited(&t, maximum_qos, "no Maximum QoS").await?;
    client
        .send(Packet::Subscribe(subscribe(
            1,
            &[(&t.topic("a"), at(Qos::ExactlyOnce))],
        )))
        .await;
    let suback = client.expect_suback(1).await?;
    let granted = suback.reason_codes.first().map(|code| code.value());
    check(
        granted.is_some_and(|granted| granted <= maximum.value()),
        "SUBACK grants a QoS up to the maximum",
        || format!("{granted:02x?}"),
    )
}

async fn publish_above_the_maximum_qos_is_refused(t: Context) -> Outcome {
    let (mut client, _) = limited(&t, maximum_qos, "no Maximum QoS").await?;
    client
        .send(Packet::Publish(publish(&t.topic("a"), "x").qos2(1)))
        .await;
    client
        .expect_closed("after a PUBLISH above the Maximum QoS")
        .await
        .map(drop)
}

async fn will_above_the_maximum_qos_is_refused(t: Context) -> Outcome {
    let (client, _) = limited(&t, maximum_qos, "no Maximum QoS").await?;
    client.disconnect().await?;
    let mut above = will(&t.topic("will"), "gone");
    above.qos = Qos::ExactlyOnce;
    connect_is_refused(&t, above, "after a Will above the Maximum QoS").await
}

async fn retained_will_is_refused_where_nothing_is_retained(t: Context) -> Outcome {
    let (client, ()) = limited(&t, no_retain, "nothing of Retain Available").await?;
    client.disconnect().await?;
    let mut retained = will(&t.topic("will"), "gone");
    retained.retain = true;
    connect_is_refused(&t, retained, "after a retained Will").await
}

async fn connect_is_refused(t: &Context, will: squall_proto::Will, because: &str) -> Outcome {
    let mut client = t.open("willing").await?;
    let connect = t.connect_packet("willing", |connect| connect.will = Some(will));
    client.send(Packet::Connect(Box::new(connect))).await;
    let said = client.expect_closed(because).await?;
    let accepted = |packet: &Packet| matches!(packet, Packet::Connack(connack) if connack.reason_code == ReasonCode::Success);
    check(!said.iter().any(accepted), "no CONNACK 0x00", || {
        "CONNACK 0x00".into()
    })
}

fn no_retain(properties: &Properties) -> Option<()> {
    (properties.retain_available() == Some(false)).then_some(())
}

async fn retained_publish_is_refused_where_nothing_is_retained(t: Context) -> Outcome {
    let (mut client, ()) = limited(&t, no_retain, "nothing of Retain Available").await?;
    client
        .send(Packet::Publish(publish(&t.topic("a"), "x").retained()))
        .await;
    client.expect_closed("after a retained PUBLISH").await.map(drop)
}

async fn packet_above_the_servers_maximum_packet_size_is_refused(t: Context) -> Outcome {
    let maximum = |properties: &Properties| {
        let maximum = properties.maximum_packet_size()?.get();
        (maximum <= PACKET_MAX).then_some(maximum)
    };
    let (mut client, maximum) = limited(&t, maximum, "no Maximum Packet Size up to 2 MiB").await?;
    let payload = "x".repeat(maximum as usize);
    client
        .send(Packet::Publish(publish(&t.topic("a"), &payload)))
        .await;
    client
        .expect_closed("after a packet above the Maximum Packet Size")
        .await
        .map(drop)
}

async fn wildcard_filter_works_or_is_refused(t: Context) -> Outcome {
    let (mut sub, connack) = t.connect_with("sub", |_| ()).await?;
    let available = connack.properties.wildcard_subscription_available() != Some(false);
    let filter = t.topic("#");
    sub.send(Packet::Subscribe(subscribe(1, &[(&filter, at(Qos::AtMostOnce))])))
        .await;
    if !available {
        return refused(&mut sub, "after a filter with a wildcard").await;
    }
    let suback = sub.expect_suback(1).await?;
    // 3.1.1 has no other way to say it.
    if suback.reason_codes.first().is_some_and(|code| code.is_error()) {
        return Err(Stop::Choice("refused in SUBACK".into()));
    }
    let mut publisher = t.connect("pub").await?;
    publisher.publish(publish(&t.topic("a"), "x")).await?;
    sub.expect_publish(&t.topic("a")).await.map(drop)
}

async fn subscription_identifier_is_refused_where_there_are_none(t: Context) -> Outcome {
    let none = |properties: &Properties| {
        (properties.subscription_identifier_available() == Some(false)).then_some(())
    };
    let (mut client, ()) = limited(&t, none, "nothing of Subscription Identifier Available").await?;
    let identifier = subscription_identifier(1);
    subscribe_is_refused(&mut client, &t.topic("a"), Some(identifier)).await
}

async fn shared_filter_is_refused_where_there_are_none(t: Context) -> Outcome {
    let none =
        |properties: &Properties| (properties.shared_subscription_available() == Some(false)).then_some(());
    let (mut client, ()) = limited(&t, none, "nothing of Shared Subscription Available").await?;
    subscribe_is_refused(&mut client, &format!("$share/squall/{}", t.topic("a")), None).await
}

async fn subscribe_is_refused(client: &mut Client, filter: &str, property: Option<Property>) -> Outcome {
    let mut packet = subscribe(1, &[(filter, at(Qos::AtMostOnce))]);
    packet.properties = property.into_iter().collect();
    client.send(Packet::Subscribe(packet)).await;
    refused(client, "after a subscription that is not available").await
}

/// It is called a Protocol Error, with a Reason Code that SUBACK has too: both ways to say it are seen.
async fn refused(client: &mut Client, because: &str) -> Outcome {
    let suback = client
        .expect(&format!("the connection is closed {because}"), |packet| {
            if let Packet::Suback(suback) = packet {
                Some(suback.reason_codes.iter().all(|code| code.is_error()))
            } else {
                matches!(packet, Packet::Disconnect(_)).then_some(true)
            }
        })
        .await;
    match suback {
        Ok(false) => Err(Stop::broken("a refusal", "SUBACK grants it")),
        Ok(true) if client.closes().await => Ok(()),
        Ok(true) => Err(Stop::Choice("refused in SUBACK".into())),
        Err(_) if client.closes().await => Ok(()),
        Err(stop) => Err(stop),
    }
}
