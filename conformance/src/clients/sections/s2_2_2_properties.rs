//! Which properties a packet may have, how often, and what they look like: every packet of a server with every property.

mod of_servers;

use squall_proto::{Packet, ReasonCode};

use self::of_servers::Sent;
use crate::{
    Outcome, Stop,
    clients::{
        Stage,
        case::{CLOSES, Case, Run},
        reaction::closes_because,
    },
    hex,
    place::{self, Property, names, property},
};

pub(super) const CASES: &[Case] = &[
    foreign(
        "connack_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Connack)),
    ),
    foreign(
        "publish_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Publish)),
    ),
    foreign(
        "puback_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Puback)),
    ),
    foreign(
        "pubrec_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Pubrec)),
    ),
    foreign(
        "pubrel_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Pubrel)),
    ),
    foreign(
        "pubcomp_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Pubcomp)),
    ),
    foreign(
        "suback_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Suback)),
    ),
    foreign(
        "unsuback_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Unsuback)),
    ),
    foreign(
        "disconnect_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Disconnect)),
    ),
    foreign(
        "auth_with_a_property_of_another_packet_closes_the_connection",
        |t| Box::pin(closes_after_foreign(t, Sent::Auth)),
    ),
    case(
        "connack_with_a_property_twice_closes_the_connection",
        &[
            "X5-3.2.2.3-1",
            "X5-3.2.2.3-2",
            "X5-3.2.2.3-3",
            "X5-3.2.2.3-4",
            "X5-3.2.2.3-5",
            "X5-3.2.2.3-6",
            "X5-3.2.2.3-7",
            "X5-3.2.2.3-8",
            "X5-3.2.2.3-9",
            "X5-3.2.2.3-10",
            "X5-3.2.2.3-11",
            "X5-3.2.2.3-12",
            "X5-3.2.2.3-13",
            "X5-3.2.2.3-14",
        ],
        |t| Box::pin(closes_after_two(t, &[Sent::Connack])),
    ),
    case(
        "connack_with_authentication_method_or_data_twice_closes_the_connection",
        &["X5-3.2.2.3-15", "X5-3.2.2.3-16"],
        |t| Box::pin(closes_after_two(t, &[Sent::ConnackOfMethod])),
    ),
    case(
        "publish_with_a_property_twice_closes_the_connection",
        &["X5-3.3.2.3-2", "X5-3.3.2.3-3", "X5-3.3.2.3-4"],
        |t| Box::pin(closes_after_two(t, &[Sent::Publish])),
    ),
    case(
        "publish_with_a_topic_alias_twice_closes_the_connection",
        &["X5-3.3.2.3-1"],
        |t| Box::pin(closes_after_two(t, &[Sent::PublishWithAliases])),
    ),
    case(
        "acknowledgements_with_a_reason_string_twice_close_the_connection",
        &["X5-3.4.2.2-1", "X5-3.5.2.2-1", "X5-3.6.2.2-1", "X5-3.7.2.2-1"],
        |t| {
            Box::pin(closes_after_two(
                t,
                &[Sent::Puback, Sent::Pubrec, Sent::Pubrel, Sent::Pubcomp],
            ))
        },
    ),
    case(
        "suback_and_unsuback_with_a_reason_string_twice_close_the_connection",
        &["X5-3.9.2.1-1", "X5-3.11.2.1-1"],
        |t| Box::pin(closes_after_two(t, &[Sent::Suback, Sent::Unsuback])),
    ),
    case(
        "disconnect_with_a_property_twice_closes_the_connection",
        &["X5-3.14.2.2-1", "X5-3.14.2.2-2", "X5-3.14.2.2-3"],
        |t| Box::pin(closes_after_two(t, &[Sent::Disconnect])),
    ),
    case(
        "auth_with_a_property_twice_closes_the_connection",
        &["X5-3.15.2.2-1", "X5-3.15.2.2-2", "X5-3.15.2.2-3"],
        |t| Box::pin(closes_after_two(t, &[Sent::Auth])),
    ),
    case(
        "disconnect_with_a_session_expiry_interval_is_told_so_or_not",
        &["MQTT-3.14.2-2", "X5-3.14.2.2.2-2"],
        |t| Box::pin(told_of_session_expiry_or_not(t)),
    ),
    case(
        "connack_with_a_value_out_of_range_closes_the_connection",
        &[
            "X5-3.1.2.11.3-1",
            "X5-3.1.2.11.4-1",
            "X5-3.2.2.3.4-1",
            "X5-3.2.2.3.5-1",
            "X5-3.2.2.3.11-1",
            "X5-3.2.2.3.12-1",
            "X5-3.2.2.3.13-1",
        ],
        |t| Box::pin(closes_after_values(t, Sent::Connack, OUT_OF_RANGE_IN_CONNACK)),
    ),
    case(
        "publish_with_a_subscription_identifier_out_of_range_closes_the_connection",
        &["X5-3.3.2.3.8-1", "X5-2.2.2.2-1"],
        |t| Box::pin(closes_after_values(t, Sent::Publish, OUT_OF_RANGE_IN_PUBLISH)),
    ),
    foreign("a_property_that_is_cut_short_closes_the_connection", |t| {
        Box::pin(closes_after_cut_short(t))
    }),
    foreign("a_property_length_beyond_the_packet_closes_the_connection", |t| {
        Box::pin(closes_after_length_beyond_the_end(t))
    }),
    case(
        "a_property_that_is_no_utf_8_closes_the_connection",
        &["MQTT-1.5.4-1", "X5-1.5.4-1"],
        |t| Box::pin(closes_after_ill_formed(t)),
    ),
];

/// The packets that every driver can have a client wait for, and that do not end the connection in any case.
const PLAIN: [Sent; 8] = [
    Sent::Connack,
    Sent::Publish,
    Sent::Puback,
    Sent::Pubrec,
    Sent::Pubrel,
    Sent::Pubcomp,
    Sent::Suback,
    Sent::Unsuback,
];

const OUT_OF_RANGE_IN_CONNACK: &[(&str, &str)] = &[
    ("Receive Maximum 0", "21 00 00"),
    ("Maximum Packet Size 0", "27 00 00 00 00"),
    ("Maximum QoS 2", "24 02"),
    ("Retain Available 2", "25 02"),
    ("Wildcard Subscription Available 2", "28 02"),
    ("Subscription Identifier Available 2", "29 02"),
    ("Shared Subscription Available 2", "2a 02"),
];

const OUT_OF_RANGE_IN_PUBLISH: &[(&str, &str)] = &[
    ("Subscription Identifier 0", "0b 00"),
    ("Subscription Identifier of five bytes", "0b ff ff ff ff 01"),
];

const fn foreign(name: &'static str, run: fn(Stage) -> Run) -> Case {
    case(name, &["X5-2.2.2.2-1", "X5-4.13.1-1"], run)
}

const fn case(name: &'static str, v5: &'static [&'static str], run: fn(Stage) -> Run) -> Case {
    Case {
        name,
        v3: &[],
        v5,
        levels: CLOSES,
        run,
    }
}

async fn closes_after_foreign(mut t: Stage, sent: Sent) -> Outcome {
    for property in sent.place().foreign() {
        let properties = beside(sent, &[property]);
        closes_after(&mut t, sent, sent.place().with(&properties), &names(&properties)).await?;
    }
    Ok(())
}

async fn closes_after_two(mut t: Stage, all: &[Sent]) -> Outcome {
    for sent in all.iter().copied() {
        for property in sent.place().once().filter(|property| is_decided(sent, property)) {
            let properties = beside(sent, &[property; 2]);
            closes_after(&mut t, sent, sent.place().with(&properties), &names(&properties)).await?;
        }
    }
    Ok(())
}

/// Whether nothing else is wrong with a packet that has this property twice; what a client has asked for makes the difference.
fn is_decided(sent: Sent, property: &Property) -> bool {
    let is_of_authentication = property.name.starts_with("Authentication");
    match sent {
        Sent::Connack => !is_of_authentication,
        Sent::ConnackOfMethod => is_of_authentication,
        Sent::Publish => property.name != "Topic Alias",
        Sent::PublishWithAliases => property.name == "Topic Alias",
        Sent::Puback | Sent::Pubrec | Sent::Pubrel | Sent::Pubcomp => true,
        Sent::Suback | Sent::Unsuback | Sent::Disconnect | Sent::Auth => true,
    }
}

/// The connection is over in any case; a client that says why says Protocol Error.
async fn told_of_session_expiry_or_not(mut t: Stage) -> Outcome {
    let sent = Sent::Disconnect;
    let packet = sent.place().with(&[property("Session Expiry Interval")]);
    let mut server = sent.send(&mut t, packet).await?;
    let said = server.expect_closed("after DISCONNECT").await?;
    let is_told = said.iter().any(|packet| {
        matches!(packet, Packet::Disconnect(disconnect) if disconnect.reason_code == ReasonCode::ProtocolError)
    });
    let choice = if is_told {
        "DISCONNECT 0x82"
    } else {
        "closes without it"
    };
    Err(Stop::Choice(choice.into()))
}

async fn closes_after_values(mut t: Stage, sent: Sent, values: &[(&str, &str)]) -> Outcome {
    for (with, value) in values {
        let value = hex::bytes(value);
        let packet = sent.place().with_bytes(hex::length(value.len()), &value);
        closes_after(&mut t, sent, packet, with).await?;
    }
    Ok(())
}

async fn closes_after_cut_short(mut t: Stage) -> Outcome {
    for sent in PLAIN {
        for property in sent.place().own().filter(|property| is_decided(sent, property)) {
            let with = format!("{} cut short", property.name);
            closes_after(&mut t, sent, sent.place().cut_short(&[property]), &with).await?;
        }
    }
    Ok(())
}

/// No packet here has 127 bytes.
async fn closes_after_length_beyond_the_end(mut t: Stage) -> Outcome {
    let user = place::bytes(&[property("User Property")]);
    for sent in PLAIN {
        let packet = sent.place().with_bytes(127, &user);
        closes_after(&mut t, sent, packet, "Property Length 127").await?;
    }
    Ok(())
}

async fn closes_after_ill_formed(mut t: Stage) -> Outcome {
    for sent in PLAIN {
        for property in sent.place().own().filter(|property| is_decided(sent, property)) {
            let Some(ill_formed) = property.ill_formed() else {
                continue;
            };
            let packet = sent
                .place()
                .with_bytes(hex::length(ill_formed.len()), &ill_formed);
            let with = format!("{} that is no UTF-8", property.name);
            closes_after(&mut t, sent, packet, &with).await?;
        }
    }
    Ok(())
}

/// These, and what must stand beside them.
fn beside(sent: Sent, properties: &[&'static Property]) -> Vec<&'static Property> {
    let beside = properties
        .first()
        .and_then(|property| sent.place().beside(property));
    beside.into_iter().chain(properties.iter().copied()).collect()
}

/// A client of its own gets the packet, and must close the connection.
async fn closes_after(t: &mut Stage, sent: Sent, packet: Vec<u8>, with: &str) -> Outcome {
    let because = format!("after {} with {with}", sent.place().name);
    let mut server = sent.send(t, packet).await?;
    if matches!(sent, Sent::Auth | Sent::Disconnect) {
        // Nothing else may come next.
        return server.expect_closed(&because).await.map(drop);
    }
    closes_because(&mut server, &because).await
}
