//! Which properties a packet may have, how often, and what they look like: every packet of a client with every property.

mod of_clients;

use squall_proto::{Packet, Qos};

use self::of_clients::{AUTH, CONNECT, DISCONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, WILL};
use crate::{
    Case, Context,
    Level::{Must, Should},
    Outcome, Stop,
    case::Run,
    hex,
    packets::will,
    place::{self, PUBACK, PUBCOMP, PUBREC, PUBREL, Place, names, property},
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
    case(
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
        |t| Box::pin(takes_none_twice(t, &[CONNECT])),
    ),
    case(
        "will_takes_no_property_twice",
        &[
            "X5-3.1.3.2-1",
            "X5-3.1.3.2-2",
            "X5-3.1.3.2-3",
            "X5-3.1.3.2-4",
            "X5-3.1.3.2-5",
            "X5-3.1.3.2-6",
        ],
        |t| Box::pin(takes_none_twice(t, &[WILL])),
    ),
    case(
        "publish_takes_no_property_twice",
        &["X5-3.3.2.3-1", "X5-3.3.2.3-2", "X5-3.3.2.3-3", "X5-3.3.2.3-4"],
        |t| Box::pin(takes_none_twice(t, &[PUBLISH])),
    ),
    case(
        "acknowledgements_take_no_reason_string_twice",
        &["X5-3.4.2.2-1", "X5-3.5.2.2-1", "X5-3.6.2.2-1", "X5-3.7.2.2-1"],
        |t| Box::pin(takes_none_twice(t, &[PUBACK, PUBREC, PUBREL, PUBCOMP])),
    ),
    case(
        "subscribe_takes_no_subscription_identifier_twice",
        &["X5-3.8.2.1-1"],
        |t| Box::pin(takes_none_twice(t, &[SUBSCRIBE])),
    ),
    Case {
        level: Should,
        ..case(
            "disconnect_takes_no_property_twice",
            &["X5-3.14.2.2-1", "X5-3.14.2.2-2", "X5-3.14.2.2-3"],
            |t| Box::pin(disconnect_takes_no_property_twice(t)),
        )
    },
    case(
        "auth_takes_no_property_twice",
        &["X5-3.15.2.2-1", "X5-3.15.2.2-2", "X5-3.15.2.2-3"],
        |t| Box::pin(takes_none_twice(t, &[AUTH])),
    ),
    case(
        "payload_format_and_message_expiry_twice_in_publish_are_refused_or_not",
        &["X5-2.2.2.2-1"],
        |t| Box::pin(publish_takes_some_twice_or_not(t)),
    ),
    foreign("connect_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &CONNECT))
    }),
    foreign("will_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &WILL))
    }),
    foreign("publish_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &PUBLISH))
    }),
    foreign("puback_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &PUBACK))
    }),
    foreign("pubrec_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &PUBREC))
    }),
    foreign("pubrel_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &PUBREL))
    }),
    foreign("pubcomp_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &PUBCOMP))
    }),
    foreign("subscribe_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &SUBSCRIBE))
    }),
    foreign("unsubscribe_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &UNSUBSCRIBE))
    }),
    foreign("auth_takes_no_property_that_is_cut_short", |t| {
        Box::pin(takes_none_cut_short(t, &AUTH))
    }),
    Case {
        level: Should,
        ..foreign("disconnect_takes_no_property_that_is_cut_short", |t| {
            Box::pin(disconnect_takes_none_cut_short(t))
        })
    },
    foreign("no_packet_takes_a_property_length_beyond_its_end", |t| {
        Box::pin(takes_no_length_beyond_the_end(t))
    }),
    case(
        "no_packet_takes_a_property_that_is_no_utf_8",
        &["MQTT-1.5.4-1", "MQTT-4.13.1-1", "X5-1.5.4-1"],
        |t| Box::pin(takes_none_that_is_no_utf_8(t)),
    ),
    foreign("subscribe_takes_no_subscription_identifier_of_five_bytes", |t| {
        Box::pin(takes_no_subscription_identifier_of_five_bytes(t))
    }),
];

/// The packets that a server must refuse by the end of their connection. After DISCONNECT it ends in any case.
const REFUSABLE: [Place; 10] = [
    CONNECT,
    WILL,
    PUBLISH,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    UNSUBSCRIBE,
    AUTH,
];

const fn foreign(name: &'static str, run: fn(Context) -> Run) -> Case {
    case(name, &["X5-2.2.2.2-1", "MQTT-4.13.1-1"], run)
}

const fn case(name: &'static str, v5: &'static [&'static str], run: fn(Context) -> Run) -> Case {
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
        let properties: Vec<_> = place.beside(property).into_iter().chain([property]).collect();
        refused(&t, place, &place.with(&properties), &names(&properties)).await?;
    }
    Ok(())
}

async fn disconnect_takes_no_foreign(t: Context) -> Outcome {
    for property in DISCONNECT.foreign() {
        not_taken_for_a_good_one(&t, &DISCONNECT.with(&[property]), property.name).await?;
    }
    Ok(())
}

async fn takes_none_twice(t: Context, places: &[Place]) -> Outcome {
    for place in places {
        for property in place.once() {
            let twice = [property; 2];
            let properties: Vec<_> = place.beside(property).into_iter().chain(twice).collect();
            refused(&t, place, &place.with(&properties), &names(&properties)).await?;
        }
    }
    Ok(())
}

async fn disconnect_takes_no_property_twice(t: Context) -> Outcome {
    for property in DISCONNECT.once() {
        let twice = [property; 2];
        not_taken_for_a_good_one(&t, &DISCONNECT.with(&twice), &names(&twice)).await?;
    }
    Ok(())
}

/// Of every other property that is none of the user's, the standard says that it is a Protocol Error.
async fn publish_takes_some_twice_or_not(t: Context) -> Outcome {
    let mut took = Vec::new();
    for name in ["Payload Format Indicator", "Message Expiry Interval"] {
        let mut client = t.connect("client").await?;
        client.send_bytes(&PUBLISH.with(&[property(name); 2])).await;
        let said = if client.closes().await {
            "closed"
        } else {
            "tolerated"
        };
        took.push(format!("{name} twice: {said}"));
    }
    Err(Stop::Choice(took.join(", ")))
}

async fn takes_none_cut_short(t: Context, place: &Place) -> Outcome {
    for property in place.own() {
        let properties: Vec<_> = place.beside(property).into_iter().chain([property]).collect();
        let with = format!("{} cut short", names(&properties));
        refused(&t, place, &place.cut_short(&properties), &with).await?;
    }
    Ok(())
}

async fn disconnect_takes_none_cut_short(t: Context) -> Outcome {
    for property in DISCONNECT.own() {
        let with = format!("{} cut short", property.name);
        not_taken_for_a_good_one(&t, &DISCONNECT.cut_short(&[property]), &with).await?;
    }
    Ok(())
}

/// No packet here has 127 bytes.
async fn takes_no_length_beyond_the_end(t: Context) -> Outcome {
    let user = property("User Property");
    for place in &REFUSABLE {
        let properties: Vec<_> = place.beside(user).into_iter().chain([user]).collect();
        let packet = place.with_bytes(127, &place::bytes(&properties));
        refused(&t, place, &packet, "Property Length 127").await?;
    }
    Ok(())
}

async fn takes_none_that_is_no_utf_8(t: Context) -> Outcome {
    for place in &REFUSABLE {
        for property in place.own() {
            let Some(ill_formed) = property.ill_formed() else {
                continue;
            };
            let mut properties = place::bytes(place.beside(property).as_slice());
            properties.extend(ill_formed);
            let packet = place.with_bytes(hex::length(properties.len()), &properties);
            refused(&t, place, &packet, &format!("{} that is no UTF-8", property.name)).await?;
        }
    }
    Ok(())
}

/// A Variable Byte Integer has four bytes at most, which say up to 268,435,455.
async fn takes_no_subscription_identifier_of_five_bytes(t: Context) -> Outcome {
    let packet = SUBSCRIBE.with_bytes(6, &hex::bytes("0b ff ff ff ff 01"));
    refused(&t, &SUBSCRIBE, &packet, "Subscription Identifier 536870911").await
}

/// The packet, of this place and with these properties, ends its connection.
async fn refused(t: &Context, place: &Place, packet: &[u8], with: &str) -> Outcome {
    let because = format!("after {} with {with}", place.name);
    let mut client = if place.connects() {
        t.open("client").await?
    } else {
        t.connect("client").await?
    };
    client.send_bytes(packet).await;
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
async fn not_taken_for_a_good_one(t: &Context, disconnect: &[u8], with: &str) -> Outcome {
    let topic = t.topic("will");
    let (mut sub, _) = t.pair(&topic, Qos::AtMostOnce).await?;
    let (mut client, _) = t
        .connect_with("client", |connect| connect.will = Some(will(&topic, "gone")))
        .await?;
    client.send_bytes(disconnect).await;
    let because = format!("after DISCONNECT with {with}");
    let said = client.expect_closed(&because).await?;
    let told = said
        .iter()
        .any(|packet| matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason_code.is_error()));
    if told {
        return Ok(());
    }
    sub.expect_publish(&topic).await.map(drop)
}
