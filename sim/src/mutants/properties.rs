//! Properties of 5.0: expiry, what a message says of itself, and the sizes that a client takes.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use squall_proto::{Ack, Packet, Properties, Property, Publish, Text, Version, encoded_len};

use super::{
    Mutant, Mutation, caught_by, caught_in,
    conn::{Conn, Way},
    mutation::{seen_as, sent, sent_as, wire},
    packets::publish,
    sessions::loses,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-does-not-count-expiry-down",
        does: "sends on the Message Expiry Interval that it was sent",
        stands_for: "D5, MQTT-3.3.2-6",
        side: Side::Broker,
        caught_by: caught_by(
            "what-is-left-of-an-expiry-goes-with-the-message",
            "message_expiry",
        ),
        make: sends_the_expiry_on,
    },
    Mutant {
        name: "broker-ignores-expiry",
        does: "delivers what has expired",
        stands_for: "D5, MQTT-3.3.2-5",
        side: Side::Broker,
        caught_by: caught_by(
            "an-expired-message-is-not-delivered-and-holds-up-nobody",
            "message_expiry",
        ),
        make: || seen_as(|packet, _| without_expiry(packet)),
    },
    Mutant {
        name: "broker-stops-at-what-has-expired",
        does: "sends nothing more of a queue whose first message has expired",
        stands_for: "D5, MQTT-3.3.2-5",
        side: Side::Broker,
        caught_by: caught_by(
            "an-expired-message-is-not-delivered-and-holds-up-nobody",
            "no_loss",
        ),
        make: stops_at_what_has_expired,
    },
    Mutant {
        name: "broker-expires-what-is-released",
        does: "forgets PUBREL when the message expires",
        stands_for: "D5, MQTT-4.3.3-7",
        side: Side::Broker,
        caught_by: caught_by(
            "a-qos2-exchange-is-finished-though-its-message-expired",
            "liveness",
        ),
        make: expires_what_is_released,
    },
    Mutant {
        name: "broker-retains-without-properties",
        does: "forgets the properties of what it retains",
        stands_for: "D8, MQTT-3.3.2-20",
        side: Side::Broker,
        caught_by: caught_by(
            "properties-of-a-message-come-whatever-way-it-takes",
            "as_published",
        ),
        make: || forgets(|publish, _| publish.retain),
    },
    Mutant {
        name: "broker-publishes-wills-without-properties",
        does: "forgets the properties of Wills",
        stands_for: "D8, MQTT-3.3.2-20",
        side: Side::Broker,
        caught_by: caught_by(
            "properties-of-a-message-come-whatever-way-it-takes",
            "as_published",
        ),
        make: || forgets(|publish, _| publish.payload.ends_with(b"/will")),
    },
    Mutant {
        name: "broker-queues-without-properties",
        does: "forgets the properties of what waits for an absent client",
        stands_for: "D8, MQTT-3.3.2-20",
        side: Side::Broker,
        caught_by: caught_by(
            "properties-of-a-message-come-whatever-way-it-takes",
            "as_published",
        ),
        make: || forgets(|_, conn| conn.resumed()),
    },
    Mutant {
        name: "broker-turns-user-properties-round",
        does: "sends User Properties on in another order",
        stands_for: "D8, MQTT-3.3.2-18",
        side: Side::Broker,
        caught_by: caught_by(
            "properties-of-a-message-come-whatever-way-it-takes",
            "as_published",
        ),
        make: turns_round,
    },
    Mutant {
        name: "broker-exceeds-the-maximum-packet-size",
        does: "sends whatever its size",
        stands_for: "D12, MQTT-3.1.2-24",
        side: Side::Broker,
        caught_by: caught_by(
            "a-message-too-large-for-its-receiver-holds-up-nobody",
            "maximum_packet_size",
        ),
        make: || seen_as(|packet, _| without_packet_size(packet)),
    },
    Mutant {
        name: "broker-leaks-subscription-identifiers",
        does: "sends the Subscription Identifier of another client's subscription",
        stands_for: "MQTT-3.3.4-3",
        side: Side::Broker,
        caught_by: caught_by(
            "what-is-left-of-an-expiry-goes-with-the-message",
            "subscription_id",
        ),
        make: leaks_identifiers,
    },
    Mutant {
        name: "broker-explains-at-any-length",
        does: "says why in a hundred letters, whatever the client takes",
        stands_for: "D12, MQTT-3.4.2-2",
        side: Side::Broker,
        caught_by: caught_by(
            "a-reason-is-left-out-where-it-does-not-fit",
            "maximum_packet_size",
        ),
        make: explains_at_length,
    },
    Mutant {
        name: "broker-shares-without-properties",
        does: "forgets the properties of what goes to a shared subscription",
        stands_for: "D8, MQTT-3.3.2-20",
        side: Side::Broker,
        caught_by: caught_by(
            "properties-of-a-message-come-whatever-way-it-takes",
            "as_published",
        ),
        make: shares_without_properties,
    },
    Mutant {
        name: "broker-drops-what-just-fits",
        does: "takes a packet of exactly the Maximum Packet Size for too large",
        stands_for: "D12, MQTT-3.1.2-25",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=0,small=93,exact=94,large=95",
            "a-packet-of-exactly-the-maximum-size-arrives",
            "expectations",
        ),
        make: || loses(just_fits),
    },
];

const fn is_expiry(property: &Property) -> bool {
    matches!(property, Property::MessageExpiryInterval(_))
}

fn without_expiry(packet: &mut Packet) {
    if let Packet::Publish(publish) = packet {
        publish.properties.retain(|property| !is_expiry(property));
    }
}

fn without_packet_size(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        let is_size = |property: &Property| matches!(property, Property::MaximumPacketSize(_));
        connect.properties.retain(|property| !is_size(property));
    }
}

fn sends_the_expiry_on() -> Mutation {
    let mut came: BTreeMap<Bytes, u32> = BTreeMap::new();
    wire(move |mut packet, conn| {
        if let Packet::Publish(publish) = &mut packet {
            match (conn.way(), publish.properties.message_expiry_interval()) {
                (Way::Seen, Some(expiry)) => _ = came.insert(publish.payload.clone(), expiry),
                (Way::Sent, Some(_)) => {
                    publish.properties.retain(|property| !is_expiry(property));
                    let expiry = came.get(&publish.payload).copied().unwrap_or_default();
                    publish.properties.push(Property::MessageExpiryInterval(expiry));
                }
                (Way::Seen | Way::Sent, None) => {}
            }
        }
        conn.pass(packet);
    })
}

/// Nothing goes out on a connection that is resumed once there was something with an expiry.
fn stops_at_what_has_expired() -> Mutation {
    let mut expires = false;
    let mut lose = loses(|conn, _| conn.resumed());
    wire(move |packet, conn| {
        expires |=
            publish(&packet).is_some_and(|publish| publish.properties.message_expiry_interval().is_some());
        match expires {
            true => lose.apply(packet, conn),
            false => conn.pass(packet),
        }
    })
}

/// On a later connection.
fn expires_what_is_released() -> Mutation {
    let mut expire = BTreeSet::new();
    sent(move |packet, conn| {
        if let Some(publish) = publish(&packet)
            && publish.properties.message_expiry_interval().is_some()
        {
            expire.extend(publish.delivery.packet_id());
        }
        match packet {
            Packet::Pubrel(ack) if conn.nth() > 1 && expire.contains(&ack.packet_id) => {
                conn.show(Packet::Pubcomp(Ack::success(ack.packet_id)));
            }
            other => conn.pass(other),
        }
    })
}

fn forgets(is: fn(&Publish, &Conn) -> bool) -> Mutation {
    sent_as(move |packet, conn| {
        if let Packet::Publish(publish) = packet
            && is(publish, conn)
        {
            publish.properties = Properties::new();
        }
    })
}

fn turns_round() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet {
            let mut properties: Vec<Property> = publish.properties.iter().cloned().collect();
            properties.reverse();
            publish.properties = properties.into_iter().collect();
        }
    })
}

fn leaks_identifiers() -> Mutation {
    let mut identifiers: BTreeMap<String, Property> = BTreeMap::new();
    wire(move |mut packet, conn| {
        if let Packet::Subscribe(subscribe) = &packet {
            let mut own = subscribe.properties.iter();
            let own = own.find(|property| matches!(property, Property::SubscriptionIdentifier(_)));
            identifiers.extend(own.map(|own| (conn.client_id().to_owned(), own.clone())));
        }
        if let (Way::Sent, Packet::Publish(publish)) = (conn.way(), &mut packet) {
            let others = identifiers
                .iter()
                .filter(|(client_id, _)| *client_id != conn.client_id());
            others.for_each(|(_, identifier)| publish.properties.push(identifier.clone()));
        }
        conn.pass(packet);
    })
}

fn explains_at_length() -> Mutation {
    let why = Text::new(WHY).expect("it is short");
    sent_as(move |packet, conn| {
        let answers = conn.version() == Version::V5;
        if let Some(properties) = of_answer(packet).filter(|_| answers) {
            properties.retain(|property| !matches!(property, Property::ReasonString(_)));
            properties.push(Property::ReasonString(why.clone()));
        }
    })
}

/// Longer than many a client takes.
const WHY: &str =
    "because this is how it is, and how it has been ever since somebody wrote it down in so many words";

const fn of_answer(packet: &mut Packet) -> Option<&mut Properties> {
    match packet {
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            Some(&mut ack.properties)
        }
        Packet::Suback(suback) => Some(&mut suback.properties),
        Packet::Unsuback(unsuback) => Some(&mut unsuback.properties),
        Packet::Disconnect(disconnect) => Some(&mut disconnect.properties),
        _other => None,
    }
}

fn shares_without_properties() -> Mutation {
    let mut members = BTreeSet::new();
    let mut forget = forgets(|_, _| true);
    wire(move |packet, conn| {
        if let Packet::Subscribe(subscribe) = &packet
            && subscribe
                .filters
                .iter()
                .any(|(filter, _)| filter.share_name().is_some())
        {
            members.insert(conn.client_id().to_owned());
        }
        match members.contains(conn.client_id()) {
            true => forget.apply(packet, conn),
            false => conn.pass(packet),
        }
    })
}

fn just_fits(conn: &Conn, publish: &Publish) -> bool {
    let packet = Packet::Publish(publish.clone());
    let size = encoded_len(conn.version(), (&packet).into());
    let maximum = conn
        .connect()
        .and_then(|connect| connect.properties.maximum_packet_size());
    maximum.is_some_and(|maximum| usize::try_from(maximum.get()) == Ok(size))
}
