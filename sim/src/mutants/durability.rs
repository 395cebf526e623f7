//! What a broker keeps on its disk.

use std::mem;

use squall_proto::broker::Record;

use super::{
    Mutant, Mutation, caught_in,
    mutation::{fetched_as, kept_later, never_kept},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-acknowledges-before-it-commits",
        does: "answers as soon as it has a message in memory, and puts it on its disk with the next",
        stands_for: "MQTT-4.3.2-4, I1",
        side: Side::Broker,
        caught_by: caught_in(
            "row=PUBACK,nth=1,kind=process",
            "durable/an-acknowledgement-means-that-it-is-on-disk",
            "no_loss",
        ),
        make: || kept_later(|_| true),
    },
    Mutant {
        name: "broker-does-not-sync",
        does: "writes what it acknowledges to its disk, and never asks it to sync",
        stands_for: "MQTT-4.1.0-1, I1",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=1,kind=power",
            "durable/an-absent-subscriber-finds-its-queue",
            "no_loss",
        ),
        make: || Mutation::Unsynced,
    },
    Mutant {
        name: "broker-does-not-store-that-pubrel-is-owed",
        does: "does not put on its disk that PUBREC came",
        stands_for: "D2, MQTT-4.3.3-8",
        side: Side::Broker,
        caught_by: caught_in(
            "at=PUBREL to the subscriber,kind=process",
            "durable/qos2-broker-crash-at-each-packet",
            "liveness",
        ),
        make: || never_kept(|record| matches!(record, Record::Released { .. })),
    },
    Mutant {
        name: "broker-does-not-store-received-identifiers",
        does: "does not put on its disk which QoS 2 messages it has",
        stands_for: "D1, MQTT-4.3.3-10",
        side: Side::Broker,
        caught_by: caught_in(
            "at=PUBREC to the publisher,kind=process",
            "durable/qos2-broker-crash-at-each-packet",
            "exactly_once",
        ),
        make: || never_kept(|record| matches!(record, Record::Received { .. })),
    },
    Mutant {
        name: "broker-does-not-store-sent-identifiers",
        does: "does not put on its disk with which Packet Identifiers it has sent messages",
        stands_for: "MQTT-4.4.0-1, I2",
        side: Side::Broker,
        caught_by: caught_in(
            "at=PUBREC of the subscriber,kind=process",
            "durable/qos2-broker-crash-at-each-packet",
            "exactly_once",
        ),
        make: || never_kept(|record| matches!(record, Record::Sent { .. })),
    },
    Mutant {
        name: "broker-stores-retained-messages-lazily",
        does: "puts what is retained on its disk with the next that comes",
        stands_for: "MQTT-3.3.1-5, I15",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=1,kind=process,then=power",
            "durable/retained-set-and-cleared",
            "no_loss",
        ),
        make: || kept_later(|record| matches!(record, Record::Retained { .. })),
    },
    Mutant {
        name: "broker-does-not-store-wills",
        does: "does not put Wills on its disk",
        stands_for: "MQTT-3.1.2-8, I12",
        side: Side::Broker,
        caught_by: caught_in("kind=process", "durable/a-will-of-who-was-connected", "one_will"),
        make: || never_kept(|record| matches!(record, Record::Will { .. })),
    },
    Mutant {
        name: "broker-does-not-restore-the-deadline-of-a-will",
        does: "does not put on its disk when a Will is due",
        stands_for: "MQTT-3.1.3-9, I12",
        side: Side::Broker,
        caught_by: caught_in(
            "row=due while down,kind=process",
            "durable/a-will-pending",
            "expectations",
        ),
        make: || never_kept(|record| matches!(record, Record::Will { due_at: Some(_), .. })),
    },
    Mutant {
        name: "broker-does-not-store-that-a-will-is-over",
        does: "does not put on its disk that a Will was published, or removed by DISCONNECT",
        stands_for: "MQTT-3.1.2-10, I12",
        side: Side::Broker,
        caught_by: caught_in(
            "row=published before,kind=process",
            "durable/a-will-pending",
            "one_will",
        ),
        make: || never_kept(|record| matches!(record, Record::WillEnded { .. })),
    },
    Mutant {
        name: "broker-does-not-store-subscriptions",
        does: "does not put subscriptions on its disk",
        stands_for: "MQTT-4.1.0-1",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=1,kind=process",
            "durable/an-absent-subscriber-finds-its-queue",
            "memory",
        ),
        make: || never_kept(|record| matches!(record, Record::Subscribed { .. })),
    },
    Mutant {
        name: "broker-does-not-store-that-a-session-ended",
        does: "does not put on its disk that a session is over",
        stands_for: "MQTT-3.2.2-2, I10",
        side: Side::Broker,
        caught_by: caught_in(
            "kind=process",
            "durable/a-session-that-was-ended-stays-ended",
            "expectations",
        ),
        make: || never_kept(|record| matches!(record, Record::SessionEnded { .. })),
    },
    Mutant {
        name: "broker-does-not-store-when-a-client-left",
        does: "does not put on its disk since when a session has no connection",
        stands_for: "MQTT-3.1.2-23, I10",
        side: Side::Broker,
        caught_by: caught_in(
            "kind=process",
            "durable/a-session-that-expires-while-the-broker-is-down",
            "expectations",
        ),
        make: || {
            never_kept(|record| {
                matches!(
                    record,
                    Record::Session {
                        disconnected_at: Some(_),
                        ..
                    }
                )
            })
        },
    },
    Mutant {
        name: "broker-loses-what-it-reads",
        does: "passes over the first of the messages that it reads from its disk for a long queue",
        stands_for: "MQTT-4.1.0-1, I1",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=1,kind=process,room=0",
            "durable/a-long-queue-is-on-disk",
            "no_loss",
        ),
        make: || fetched_as(|found| drop(found.drain(..1.min(found.len())))),
    },
    Mutant {
        name: "broker-mixes-up-what-it-reads",
        does: "takes one message that it reads from its disk for the other",
        stands_for: "MQTT-4.6.0-6",
        side: Side::Broker,
        caught_by: caught_in(
            "qos=1,kind=process,room=0",
            "durable/a-long-queue-is-on-disk",
            "order",
        ),
        make: || {
            fetched_as(|found| {
                if let [first, .., last] = &mut found[..] {
                    mem::swap(&mut first.message, &mut last.message);
                }
            })
        },
    },
];
