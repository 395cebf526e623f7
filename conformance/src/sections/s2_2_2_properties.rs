//! Which properties a packet may have, and how often: every packet of a client with every property.

mod places;

use squall_proto::{Packet, Qos};

use self::places::{
    AUTH, CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, Place, Property, SUBSCRIBE,
    UNSUBSCRIBE, WILL, property,
};
use crate::{
    Case, Context,
    Level::{Must, Should},
    Outcome,
    case::Run,
    packets::will,
    stop::check,
};

pub(super) const CASES: &[Case] = &[
    foreign("connect_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &CONNECT))
    }),
    foreign("will_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &WILL))
    }),
    foreign("publish_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &PUBLISH))
    }),
    foreign("puback_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &PUBACK))
    }),
    foreign("pubrec_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &PUBREC))
    }),
    foreign("pubrel_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &PUBREL))
    }),
    foreign("pubcomp_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &PUBCOMP))
    }),
    foreign("subscribe_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &SUBSCRIBE))
    }),
    foreign("unsubscribe_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &UNSUBSCRIBE))
    }),
    foreign("auth_takes_no_property_of_another_packet", |t| {
        Box::pin(takes_no_foreign(t, &AUTH))
    }),
    Case {
        level: Should,
        ..foreign("disconnect_takes_no_property_of_another_packet", |t| {
            Box::pin(disconnect_takes_no_foreign(t))
        })
    },
    twice(
        "connect_takes_no_property_twice",
        &[
            "X5-3.1.2.11-1",
            "X5-3.1.2.11-2",
            "X5-3.1.2.11-3",
            "X5-3.1.2.11-4",
            "X5-3.1.2.11-5",
            "X5-3.1.2.11-6",
            "X5-3.1.2.11-7",
            "X5-3.1.2.11-8",
        ],
        |t| Box::pin(connect_takes_no_property_twice(t)),
    ),
    twice(
        "will_takes_no_property_twice",
        &[
            "X5-3.1.3.2-1",
            "X5-3.1.3.2-2",
            "X5-3.1.3.2-3",
            "X5-3.1.3.2-4",
            "X5-3.1.3.2-5",
            "X5-3.1.3.2-6",
        ],
        |t| Box::pin(will_takes_no_property_twice(t)),
    ),
    twice(
        "publish_takes_no_property_twice",
        &["X5-3.3.2.3-1", "X5-3.3.2.3-2", "X5-3.3.2.3-3", "X5-3.3.2.3-4"],
        |t| Box::pin(publish_takes_no_property_twice(t)),
    ),
    twice(
        "acknowledgements_take_no_reason_string_twice",
        &["X5-3.4.2.2-1", "X5-3.5.2.2-1", "X5-3.6.2.2-1", "X5-3.7.2.2-1"],
        |t| Box::pin(acknowledgements_take_no_reason_string_twice(t)),
    ),
    twice(
        "subscribe_takes_no_subscription_identifier_twice",
        &["X5-3.8.2.1-1"],
        |t| Box::pin(subscribe_takes_no_subscription_identifier_twice(t)),
    ),
    Case {
        level: Should,
        ..twice(
            "disconnect_takes_no_property_twice",
            &["X5-3.14.2.2-1", "X5-3.14.2.2-2", "X5-3.14.2.2-3"],
            |t| Box::pin(disconnect_takes_no_property_twice(t)),
        )
    },
    twice(
        "auth_takes_no_property_twice",
        &["X5-3.15.2.2-1", "X5-3.15.2.2-2", "X5-3.15.2.2-3"],
        |t| Box::pin(auth_takes_no_property_twice(t)),
    ),
];

const fn foreign(name: &'static str, run: fn(Context) -> Run) -> Case {
    twice(name, &["X5-2.2.2.2-1", "MQTT-4.13.1-1"], run)
}

const fn twice(name: &'static str, v5: &'static [&'static str], run: fn(Context) -> Run) -> Case {
    Case {
        name,
        v3: &[],
        v5,
        level: Must,
        needs: &[],
        run,
    }
}

async fn takes_no_foreign(t: Context, place: &Place) -> Outcome {
    for property in place.foreign() {
        refused(&t, place, &[property]).await?;
    }
    Ok(())
}

async fn disconnect_takes_no_foreign(t: Context) -> Outcome {
    for property in DISCONNECT.foreign() {
        not_taken_for_a_good_one(&t, &[property]).await?;
    }
    Ok(())
}

async fn connect_takes_no_property_twice(t: Context) -> Outcome {
    let method = property("Authentication Method");
    for name in [
        "Session Expiry Interval",
        "Receive Maximum",
        "Maximum Packet Size",
        "Topic Alias Maximum",
        "Request Response Information",
        "Request Problem Information",
        "Authentication Method",
    ] {
        refused(&t, &CONNECT, &[property(name); 2]).await?;
    }
    let data = property("Authentication Data");
    refused(&t, &CONNECT, &[method, data, data]).await
}

async fn will_takes_no_property_twice(t: Context) -> Outcome {
    for name in [
        "Will Delay Interval",
        "Payload Format Indicator",
        "Message Expiry Interval",
        "Content Type",
        "Response Topic",
        "Correlation Data",
    ] {
        refused(&t, &WILL, &[property(name); 2]).await?;
    }
    Ok(())
}

async fn publish_takes_no_property_twice(t: Context) -> Outcome {
    for name in [
        "Payload Format Indicator",
        "Message Expiry Interval",
        "Topic Alias",
        "Response Topic",
        "Correlation Data",
        "Content Type",
    ] {
        refused(&t, &PUBLISH, &[property(name); 2]).await?;
    }
    Ok(())
}

async fn acknowledgements_take_no_reason_string_twice(t: Context) -> Outcome {
    for place in [PUBACK, PUBREC, PUBREL, PUBCOMP] {
        refused(&t, &place, &[property("Reason String"); 2]).await?;
    }
    Ok(())
}

async fn subscribe_takes_no_subscription_identifier_twice(t: Context) -> Outcome {
    refused(&t, &SUBSCRIBE, &[property("Subscription Identifier"); 2]).await
}

async fn disconnect_takes_no_property_twice(t: Context) -> Outcome {
    for name in ["Session Expiry Interval", "Reason String", "Server Reference"] {
        not_taken_for_a_good_one(&t, &[property(name); 2]).await?;
    }
    Ok(())
}

async fn auth_takes_no_property_twice(t: Context) -> Outcome {
    let method = property("Authentication Method");
    refused(&t, &AUTH, &[method; 2]).await?;
    for name in ["Authentication Data", "Reason String"] {
        refused(&t, &AUTH, &[method, property(name), property(name)]).await?;
    }
    Ok(())
}

/// The packet with these properties ends its connection.
async fn refused(t: &Context, place: &Place, properties: &[&Property]) -> Outcome {
    let bytes = place.with(properties);
    let names: Vec<_> = properties.iter().map(|property| property.name).collect();
    let because = format!("after {} with {}", place.name, names.join(" and "));
    let mut client = if place.connects() {
        t.open("client").await?
    } else {
        t.connect("client").await?
    };
    client.send_bytes(&bytes).await;
    if place.connects() {
        let answer = client.expect_bytes_and_close(&because).await?;
        // The code of the CONNACK, after its length and flags.
        return check(answer.get(3) != Some(&0), "no CONNACK 0x00", || {
            ::hex::encode(&answer)
        });
    }
    client.expect_closed(&because).await.map(drop)
}

/// A DISCONNECT ends the connection in any case: that it was no good one shows in the Will, or in a DISCONNECT of the server.
async fn not_taken_for_a_good_one(t: &Context, properties: &[&Property]) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (mut client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.send_bytes(&DISCONNECT.with(properties)).await;
    let names: Vec<_> = properties.iter().map(|property| property.name).collect();
    let because = format!("after DISCONNECT with {}", names.join(" and "));
    let said = client.expect_closed(&because).await?;
    let told = said
        .iter()
        .any(|packet| matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason_code.is_error()));
    if told {
        return Ok(());
    }
    sub.expect_publish(&topic).await.map(drop)
}
