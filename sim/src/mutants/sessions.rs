//! Sessions that begin, go on or end when they should not, and who takes one over.

use std::collections::BTreeSet;

use squall_proto::{Ack, Delivery, Packet, PacketType, Property, Publish, ReasonCode, Text, Version};

use super::{
    Mutant, Mutation, caught_by, caught_in_v3_by,
    conn::Conn,
    mutation::{seen, seen_as, sent, sent_as},
    packets::publish,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-always-says-session-present",
        does: "says Session Present 1 to everybody",
        stands_for: "MQTT-3.2.2-3",
        side: Side::Broker,
        caught_by: caught_by("session-goes-on-until-it-expires", "session_present"),
        make: || says(|_, _| true),
    },
    Mutant {
        name: "broker-never-says-session-present",
        does: "says Session Present 0 to everybody",
        stands_for: "MQTT-3.2.2-3",
        side: Side::Broker,
        caught_by: caught_by("session-goes-on-until-it-expires", "session_present"),
        make: || says(|_, _| false),
    },
    Mutant {
        name: "broker-finds-a-session-after-its-end",
        does: "says Session Present 1 to everybody it has ever seen",
        stands_for: "D5, MQTT-4.1.0-2",
        side: Side::Broker,
        caught_by: caught_by("everybody-is-back-after-a-broker-restart", "session_present"),
        make: || says(|present, conn| present || conn.nth() > 1),
    },
    Mutant {
        name: "broker-resumes-at-a-clean-start",
        does: "goes on with the session though Clean Start is 1",
        stands_for: "MQTT-3.1.2-4",
        side: Side::Broker,
        caught_by: caught_by("clean-start-forgets-the-session", "session_present"),
        make: || starts_clean(|_| false),
    },
    Mutant {
        name: "broker-starts-every-session-anew",
        does: "throws the session away though Clean Start is 0",
        stands_for: "MQTT-3.1.2-5",
        side: Side::Broker,
        caught_by: caught_by("session-goes-on-until-it-expires", "session_present"),
        make: || starts_clean(|_| true),
    },
    Mutant {
        name: "broker-ends-sessions-with-their-connections",
        does: "takes every Session Expiry Interval for 0",
        stands_for: "MQTT-3.1.2-23",
        side: Side::Broker,
        caught_by: caught_by(
            "persistent-subscriber-gets-the-burst-it-slept-through",
            "session_present",
        ),
        make: ends_with_the_connection,
    },
    Mutant {
        name: "broker-keeps-the-session-and-loses-its-queue",
        does: "says Session Present 1 and has lost what waited for the client",
        stands_for: "MQTT-3.1.2-5",
        side: Side::Broker,
        caught_by: caught_by("persistent-subscriber-gets-the-burst-it-slept-through", "no_loss"),
        make: || loses(|conn, _| conn.resumed()),
    },
    Mutant {
        name: "broker-drops-what-was-in-flight-at-a-takeover",
        does: "does not hand on to the newer connection what the older had not acknowledged",
        stands_for: "D6, MQTT-4.4.0-1",
        side: Side::Broker,
        caught_by: caught_by("takeover-of-a-half-open-connection-loses-nothing", "no_loss"),
        make: || loses(|conn, publish| conn.resumed() && publish.dup),
    },
    Mutant {
        name: "broker-drops-what-comes-during-a-takeover",
        does: "loses the first new message after a takeover: the session had left the older connection and not reached the newer",
        stands_for: "D6, MQTT-3.1.2-5",
        side: Side::Broker,
        caught_by: caught_by("takeover-under-load-loses-nothing", "no_loss"),
        make: loses_the_first_after_a_takeover,
    },
    Mutant {
        name: "broker-leaves-the-older-connection-open",
        does: "does not close the connection that is taken over",
        stands_for: "MQTT-3.1.4-3",
        side: Side::Broker,
        caught_by: caught_by("two-clients-of-one-identifier-take-turns", "one_connection"),
        make: || stays_open_at(ReasonCode::SessionTakenOver),
    },
    Mutant {
        name: "broker-turns-the-newer-connection-away",
        does: "closes the newer connection of a Client Identifier in place of the older",
        stands_for: "MQTT-3.1.4-3",
        side: Side::Broker,
        caught_by: caught_in_v3_by("takeover-under-load-loses-nothing", "expectations"),
        make: turns_the_newer_away,
    },
    Mutant {
        name: "client-always-starts-clean",
        does: "throws its session away whenever it connects",
        stands_for: "MQTT-3.1.2-4",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-broker", "expectations"),
        make: client_starts_clean,
    },
    Mutant {
        name: "client-never-settles",
        does: "closes the connection whenever its session goes on, and connects again for ever",
        stands_for: "MQTT-4.4.0-1",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-broker", "liveness"),
        make: never_settles,
    },
    Mutant {
        name: "client-takes-a-session-that-it-has-not",
        does: "takes no notice of Session Present 1 when it has no session",
        stands_for: "MQTT-3.2.2-4",
        side: Side::Client,
        caught_by: caught_by(
            "a-session-that-the-client-has-not-ends-the-connection",
            "expectations",
        ),
        make: || {
            seen_as(|packet, conn| {
                if let Packet::Connack(connack) = packet {
                    connack.session_present &= conn.nth() > 1;
                }
            })
        },
    },
    Mutant {
        name: "broker-tells-clients-apart-by-five-letters",
        does: "takes clients whose Client Identifiers begin alike for one",
        stands_for: "MQTT-3.1.3-2",
        side: Side::Broker,
        caught_by: caught_by(
            "what-is-kept-for-a-client-does-not-depend-on-its-name",
            "as_published",
        ),
        make: || {
            seen_as(|packet, _| {
                if let Packet::Connect(connect) = packet
                    && let Some(first) = connect.client_id.as_str().get(..5)
                {
                    connect.client_id = Text::new(first).unwrap_or_else(|_| connect.client_id.clone());
                }
            })
        },
    },
];

fn says(session_present: fn(bool, &Conn) -> bool) -> Mutation {
    sent_as(move |packet, conn| {
        if let Packet::Connack(connack) = packet
            && !connack.reason_code.is_error()
        {
            connack.session_present = session_present(connack.session_present, conn);
        }
    })
}

fn starts_clean(clean_start: fn(bool) -> bool) -> Mutation {
    seen_as(move |packet, _| {
        if let Packet::Connect(connect) = packet {
            connect.clean_start = clean_start(connect.clean_start);
        }
    })
}

fn client_starts_clean() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Connect(connect) = packet {
            connect.clean_start = true;
        }
    })
}

fn ends_with_the_connection() -> Mutation {
    seen_as(|packet, _| {
        if let Packet::Connect(connect) = packet {
            connect.clean_start |= connect.version == Version::V3_1_1;
            let is_expiry = |property: &Property| matches!(property, Property::SessionExpiryInterval(_));
            connect.properties.retain(|property| !is_expiry(property));
        }
    })
}

/// Such messages are lost on their way out; the node takes them for delivered.
pub(super) fn loses(mut is: impl FnMut(&Conn, &Publish) -> bool + Send + 'static) -> Mutation {
    sent(move |packet, conn| {
        match publish(&packet)
            .filter(|publish| is(conn, publish))
            .map(|publish| publish.delivery)
        {
            None => conn.pass(packet),
            Some(Delivery::AtMostOnce) => {}
            Some(Delivery::AtLeastOnce(id)) => conn.show(Packet::Puback(Ack::success(id))),
            // One that refuses ends the exchange at once.
            Some(Delivery::ExactlyOnce(id)) => {
                conn.show(Packet::Pubrec(Ack::of(id, ReasonCode::UnspecifiedError)));
            }
        }
    })
}

fn loses_the_first_after_a_takeover() -> Mutation {
    let mut lost = BTreeSet::new();
    loses(move |conn, publish| {
        conn.resumed() && !publish.dup && lost.insert((conn.client_id().to_owned(), conn.nth()))
    })
}

/// What the node closes with this Reason Code stays open, without a word.
fn stays_open_at(reason_code: ReasonCode) -> Mutation {
    sent(move |packet, conn| match &packet {
        Packet::Disconnect(disconnect) if disconnect.reason_code == reason_code => conn.stay_open(),
        _other => conn.pass(packet),
    })
}

fn turns_the_newer_away() -> Mutation {
    seen(|packet, conn| {
        if packet.packet_type() == PacketType::Connect && conn.nth() > 1 {
            conn.end();
        } else {
            conn.pass(packet);
        }
    })
}

fn never_settles() -> Mutation {
    seen(|packet, conn| {
        let goes_on = packet.packet_type() == PacketType::Connack && conn.resumed();
        conn.pass(packet);
        if goes_on {
            conn.end();
        }
    })
}
