//! Exchanges of QoS 2 that go another way than PUBLISH, PUBREC, PUBREL, PUBCOMP.

use std::collections::{BTreeMap, BTreeSet};

use squall_proto::{Ack, Packet, PacketId, Publish, Qos};

use super::{
    Mutant, Mutation, caught_by, caught_in,
    conn::{Conn, Way},
    mutation::{seen, sent, wire},
    packets::{again, id_after, id_of, is_resent, rename},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-forgets-received-identifiers-with-the-connection",
        does: "keeps the Packet Identifiers of QoS 2 messages that it has received in the connection, not in the session",
        stands_for: "D1, MQTT-4.3.3-10",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrec-reaches-publisher", "exactly_once"),
        make: || takes_again(|publish, _| publish.dup),
    },
    Mutant {
        name: "broker-forgets-received-identifiers-after-a-duplicate",
        does: "takes the second duplicate of a QoS 2 message for a new one",
        stands_for: "MQTT-4.3.3-10",
        side: Side::Broker,
        caught_by: caught_by("qos2-duplicates-are-one-message", "exactly_once"),
        make: takes_the_second_duplicate,
    },
    Mutant {
        name: "broker-forwards-on-publish-and-on-pubrel",
        does: "delivers a QoS 2 message when it comes and once more when it is released",
        stands_for: "MQTT-4.3.3-12",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "exactly_once"),
        make: || delivers_twice(Qos::ExactlyOnce),
    },
    Mutant {
        name: "broker-answers-a-pubrel-once",
        does: "does not answer a PUBREL that is sent again",
        stands_for: "MQTT-4.3.3-11",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubcomp-reaches-publisher", "liveness"),
        make: answers_a_pubrel_once,
    },
    Mutant {
        name: "broker-releases-what-was-not-received",
        does: "sends PUBREL right behind the PUBLISH",
        stands_for: "MQTT-4.3.3-4",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "well_formed"),
        make: releases_at_once,
    },
    Mutant {
        name: "broker-does-not-resend-pubrel",
        does: "does not keep PUBREL over connections",
        stands_for: "D2, MQTT-4.4.0-1",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "liveness"),
        make: pubrel_is_not_resent,
    },
    Mutant {
        name: "broker-goes-back-to-publish",
        does: "keeps the PUBLISH after PUBREC and sends it in place of PUBREL on the next connection",
        stands_for: "D2, MQTT-4.3.3-6",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "dup"),
        make: goes_back_to_publish,
    },
    Mutant {
        name: "client-does-not-resend-pubrel",
        does: "does not keep PUBREL over connections",
        stands_for: "D2, MQTT-4.4.0-1",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-broker", "liveness"),
        make: pubrel_is_not_resent,
    },
    Mutant {
        name: "client-goes-back-to-publish",
        does: "keeps the PUBLISH after PUBREC and sends it in place of PUBREL on the next connection",
        stands_for: "D2, MQTT-4.3.3-6",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-broker", "dup"),
        make: goes_back_to_publish,
    },
    Mutant {
        name: "client-releases-what-was-not-received",
        does: "sends PUBREL right behind the PUBLISH",
        stands_for: "MQTT-4.3.3-4",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-broker", "well_formed"),
        make: releases_at_once,
    },
    Mutant {
        name: "client-answers-a-pubrel-once",
        does: "does not answer a PUBREL that is sent again",
        stands_for: "MQTT-4.3.3-11",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubcomp-reaches-broker", "liveness"),
        make: answers_a_pubrel_once,
    },
    Mutant {
        name: "client-loses-received-identifiers",
        does: "answers a PUBREL with PUBCOMP and the PUBREC of what came again with another Packet Identifier",
        stands_for: "MQTT-2.2.1-5",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrec-reaches-broker", "well_formed"),
        make: receives_another_on_resume,
    },
    Mutant {
        name: "broker-keeps-received-identifiers-over-a-clean-start",
        does: "takes a message of a new session for one that the old session has received",
        stands_for: "MQTT-3.1.2-4",
        side: Side::Broker,
        caught_by: caught_by("a-new-session-knows-no-identifier-of-the-old", "expectations"),
        make: keeps_received,
    },
    Mutant {
        name: "broker-releases-what-was-refused",
        does: "answers a PUBREC that refuses the message with PUBREL all the same",
        stands_for: "MQTT-4.3.3-4",
        side: Side::Broker,
        caught_by: caught_by("a-pubrec-that-refuses-ends-the-delivery", "well_formed"),
        make: releases_what_was_refused,
    },
    Mutant {
        name: "client-releases-what-was-refused",
        does: "answers a PUBREC that refuses the message with PUBREL all the same",
        stands_for: "MQTT-4.3.3-4",
        side: Side::Client,
        caught_by: caught_in(
            "qos=2,refusal=PUBREC reason 0x97",
            "a-refused-message-ends-and-is-not-sent-again",
            "well_formed",
        ),
        make: releases_what_was_refused,
    },
    Mutant {
        name: "client-keeps-received-identifiers-of-a-lost-session",
        does: "takes a message for one that it has received in a session that the server has lost",
        stands_for: "MQTT-3.2.2-5",
        side: Side::Client,
        caught_by: caught_by(
            "a-client-forgets-what-a-lost-session-had-received",
            "expectations",
        ),
        make: keeps_received,
    },
    Mutant {
        name: "client-forgets-received-identifiers",
        does: "takes what comes again for a new message, as if Packet Identifiers were the connection's",
        stands_for: "D1, MQTT-4.3.3-10",
        side: Side::Client,
        caught_by: caught_by("qos2-cut-before-pubrec-reaches-broker", "handed"),
        make: || takes_again(|publish, _| publish.dup),
    },
];

/// What comes again is taken as another message: its Packet Identifier is another to the node.
fn takes_again(mut is: impl FnMut(&Publish, &Conn) -> bool + Send + 'static) -> Mutation {
    // Apart from every Packet Identifier that a client of ours takes in a run.
    const APART: u16 = 30_000;
    let mut renamed: BTreeSet<PacketId> = BTreeSet::new();
    wire(move |packet, conn| match (conn.way(), packet) {
        (Way::Seen, Packet::Publish(mut publish)) if publish.delivery.qos() == Qos::ExactlyOnce => {
            if let Some(id) = publish.delivery.packet_id().filter(|_| is(&publish, conn)) {
                renamed.insert(id);
                publish.dup = false;
                rename(&mut publish, id_after(id, APART));
            }
            conn.pass(Packet::Publish(publish));
        }
        (Way::Seen, Packet::Pubrel(ack)) if renamed.contains(&ack.packet_id) => {
            conn.pass(Packet::Pubrel(Ack::success(id_after(ack.packet_id, APART))));
        }
        (Way::Sent, Packet::Pubrec(ack)) => {
            conn.pass(Packet::Pubrec(back(ack, APART)));
        }
        (Way::Sent, Packet::Pubcomp(ack)) => {
            let ack = back(ack, APART);
            renamed.remove(&ack.packet_id);
            conn.pass(Packet::Pubcomp(ack));
        }
        (Way::Seen | Way::Sent, other) => conn.pass(other),
    })
}

fn back(ack: Ack, apart: u16) -> Ack {
    match ack.packet_id.value().checked_sub(apart).and_then(PacketId::new) {
        Some(id) => Ack { packet_id: id, ..ack },
        None => ack,
    }
}

fn takes_the_second_duplicate() -> Mutation {
    let mut duplicates = BTreeMap::new();
    takes_again(move |publish, _| {
        let duplicates: &mut u32 = duplicates.entry(publish.payload.clone()).or_default();
        *duplicates += u32::from(publish.dup);
        *duplicates == 2
    })
}

/// Each message of this QoS goes out a second time, under a Packet Identifier of its own.
pub(super) fn delivers_twice(qos: Qos) -> Mutation {
    const APART: u16 = 30_000;
    wire(move |packet, conn| match (conn.way(), packet) {
        (Way::Sent, Packet::Publish(publish)) if publish.delivery.qos() == qos && !publish.dup => {
            let mut second = publish.clone();
            if let Some(id) = publish.delivery.packet_id() {
                rename(&mut second, id_after(id, APART));
            }
            conn.pass(Packet::Publish(publish));
            conn.pass(Packet::Publish(second));
        }
        // The node knows nothing of the second.
        (Way::Seen, Packet::Puback(ack)) if ack.packet_id.value() >= APART => {}
        (Way::Seen, Packet::Pubrec(ack)) if ack.packet_id.value() >= APART => {
            conn.send(Packet::Pubrel(Ack::success(ack.packet_id)));
        }
        (Way::Seen, Packet::Pubcomp(ack)) if ack.packet_id.value() >= APART => {}
        (Way::Seen | Way::Sent, other) => conn.pass(other),
    })
}

fn answers_a_pubrel_once() -> Mutation {
    let mut answered = BTreeSet::new();
    seen(move |packet, conn| match &packet {
        Packet::Pubrel(ack) if !answered.insert((conn.client_id().to_owned(), ack.packet_id)) => {}
        _other => conn.pass(packet),
    })
}

fn releases_at_once() -> Mutation {
    sent(|packet, conn| {
        let id = id_of(&packet, Qos::ExactlyOnce);
        conn.pass(packet);
        if let Some(id) = id {
            conn.pass(Packet::Pubrel(Ack::success(id)));
        }
    })
}

fn releases_what_was_refused() -> Mutation {
    seen(|packet, conn| {
        let refused = match &packet {
            Packet::Pubrec(ack) if ack.reason_code.is_error() => Some(ack.packet_id),
            _other => None,
        };
        conn.pass(packet);
        if let Some(id) = refused {
            conn.send(Packet::Pubrel(Ack::success(id)));
        }
    })
}

/// A PUBREL whose PUBREC came on an earlier connection is not sent.
fn pubrel_is_not_resent() -> Mutation {
    let mut received = BTreeSet::new();
    wire(move |packet, conn| {
        let id = |ack: &Ack, conn: &Conn| (conn.client_id().to_owned(), conn.nth(), ack.packet_id);
        match (conn.way(), &packet) {
            (Way::Seen, Packet::Pubrec(ack)) => {
                received.insert(id(ack, conn));
                conn.pass(packet);
            }
            (Way::Sent, Packet::Pubrel(ack)) if !received.contains(&id(ack, conn)) => {}
            (Way::Seen | Way::Sent, _) => conn.pass(packet),
        }
    })
}

fn goes_back_to_publish() -> Mutation {
    let mut published: BTreeMap<(String, PacketId), (u32, Publish)> = BTreeMap::new();
    sent(move |packet, conn| match packet {
        Packet::Publish(publish) if publish.delivery.qos() == Qos::ExactlyOnce => {
            if let Some(id) = publish.delivery.packet_id() {
                let key = (conn.client_id().to_owned(), id);
                published.insert(key, (conn.nth(), publish.clone()));
            }
            conn.pass(Packet::Publish(publish));
        }
        Packet::Pubrel(ack) => {
            let key = (conn.client_id().to_owned(), ack.packet_id);
            match published.get(&key) {
                Some((nth, publish)) if *nth < conn.nth() => {
                    conn.pass(again(publish.clone()));
                    published.remove(&key);
                }
                Some(_) | None => conn.pass(Packet::Pubrel(ack)),
            }
        }
        other => conn.pass(other),
    })
}

fn receives_another_on_resume() -> Mutation {
    let mut resent = BTreeSet::new();
    wire(move |packet, conn| match (conn.way(), packet) {
        (Way::Seen, packet) if is_resent(&packet) => {
            resent.extend(id_of(&packet, Qos::ExactlyOnce));
            conn.pass(packet);
        }
        (Way::Sent, Packet::Pubrec(ack)) if resent.remove(&ack.packet_id) => {
            conn.pass(Packet::Pubrec(Ack::success(id_after(ack.packet_id, 1000))));
        }
        (Way::Seen | Way::Sent, other) => conn.pass(other),
    })
}

/// What has the Packet Identifier of a message that the other end has not released is answered and goes nowhere.
fn keeps_received() -> Mutation {
    let mut unreleased = BTreeSet::new();
    seen(move |packet, conn| {
        let id = id_of(&packet, Qos::ExactlyOnce);
        if let Packet::Pubrel(ack) = &packet {
            unreleased.remove(&(conn.client_id().to_owned(), ack.packet_id));
        }
        match id {
            Some(id) if !unreleased.insert((conn.client_id().to_owned(), id)) => {
                conn.send(Packet::Pubrec(Ack::success(id)));
            }
            Some(_) | None => conn.pass(packet),
        }
    })
}
