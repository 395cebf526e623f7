//! Wills.

use std::collections::BTreeMap;

use squall_proto::{Disconnect, Packet, PacketType, Property, Qos, ReasonCode, Will};

use super::{
    Mutant, Mutation, caught_by,
    exactly_once::delivers_twice,
    mutation::{never_seen, seen_as, sent, sent_as, wire},
    packets::{at_most_once, is},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-publishes-no-will",
        does: "never publishes a Will",
        stands_for: "MQTT-3.1.2-8",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "one_will"),
        make: || seen_as(|packet, _| forget(packet)),
    },
    Mutant {
        name: "broker-publishes-a-will-twice",
        does: "publishes a Will when the connection ends and once more",
        stands_for: "D7, MQTT-3.1.2-10",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "one_will"),
        make: || delivers_twice(Qos::ExactlyOnce),
    },
    Mutant {
        name: "broker-publishes-a-will-at-once",
        does: "does not wait for the Will Delay Interval",
        stands_for: "D7, MQTT-3.1.3-9",
        side: Side::Broker,
        caught_by: caught_by("no-will-when-the-client-is-back-before-its-delay", "one_will"),
        make: || with_will(without_delay),
    },
    Mutant {
        name: "broker-publishes-a-will-late",
        does: "publishes a Will ten seconds after it is due",
        stands_for: "D7, MQTT-3.1.2-8",
        side: Side::Broker,
        caught_by: caught_by("keep-alive-ends-silence-at-1.5-times", "expectations"),
        make: publishes_late,
    },
    Mutant {
        name: "broker-waits-for-the-delay-of-a-will-past-the-session",
        does: "waits for the Will Delay Interval though the session is over",
        stands_for: "D7, MQTT-3.1.2-8",
        side: Side::Broker,
        caught_by: caught_by(
            "a-will-comes-when-its-session-ends-before-its-delay",
            "expectations",
        ),
        make: outlives_the_session,
    },
    Mutant {
        name: "broker-does-not-hear-disconnect",
        does: "publishes the Will though the client has said DISCONNECT",
        stands_for: "MQTT-3.14.4-3",
        side: Side::Broker,
        caught_by: caught_by("no-will-after-disconnect", "one_will"),
        make: || never_seen(is(PacketType::Disconnect)),
    },
    Mutant {
        name: "broker-takes-every-disconnect-for-normal",
        does: "does not publish the Will of a client that asks for it in DISCONNECT",
        stands_for: "MQTT-3.1.2-10",
        side: Side::Broker,
        caught_by: caught_by("disconnect-with-will-publishes-the-will", "one_will"),
        make: every_disconnect_is_normal,
    },
    Mutant {
        name: "broker-does-not-retain-wills",
        does: "publishes every Will with Will Retain 0",
        stands_for: "D8, MQTT-3.1.2-15",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "expectations"),
        make: || with_will(|will| will.retain = false),
    },
    Mutant {
        name: "broker-retains-wills",
        does: "publishes every Will with Will Retain 1",
        stands_for: "MQTT-3.1.2-14",
        side: Side::Broker,
        caught_by: caught_by("a-will-is-not-retained-unless-it-says-so", "retained"),
        make: || with_will(|will| will.retain = true),
    },
    Mutant {
        name: "client-disconnects-with-its-will",
        does: "says in every DISCONNECT that its Will is to be published",
        stands_for: "MQTT-3.14.4-3",
        side: Side::Client,
        caught_by: caught_by("no-will-after-disconnect", "expectations"),
        make: disconnects_with_will,
    },
    Mutant {
        name: "broker-forgets-wills-of-the-silent",
        does: "does not publish the Will of a client whose Keep Alive runs out",
        stands_for: "MQTT-3.1.2-8",
        side: Side::Broker,
        caught_by: caught_by("will-comes-when-the-keep-alive-runs-out", "one_will"),
        make: forgets_wills_of_the_silent,
    },
    Mutant {
        name: "client-forgets-its-will",
        does: "connects without its Will",
        stands_for: "MQTT-3.1.2-9",
        side: Side::Client,
        caught_by: caught_by("will-comes-when-the-link-is-cut", "expectations"),
        make: || sent_as(|packet, _| forget(packet)),
    },
    Mutant {
        name: "broker-does-not-cancel-a-delayed-will",
        does: "publishes a delayed Will though its client is back",
        stands_for: "D7, MQTT-3.1.3-9",
        side: Side::Broker,
        caught_by: caught_by("no-will-when-the-client-is-back-before-its-delay", "one_will"),
        make: does_not_cancel,
    },
];

fn forget(packet: &mut Packet) {
    if let Packet::Connect(connect) = packet {
        connect.will = None;
    }
}

fn with_will(change: fn(&mut Will)) -> Mutation {
    seen_as(move |packet, _| {
        if let Packet::Connect(connect) = packet
            && let Some(will) = &mut connect.will
        {
            change(will);
        }
    })
}

fn without_delay(will: &mut Will) {
    will.properties
        .retain(|property| !matches!(property, Property::WillDelayInterval(_)));
}

/// The payload tells it: no client of ours publishes one like it.
fn publishes_late() -> Mutation {
    sent(|packet, conn| match &packet {
        Packet::Publish(publish) if publish.payload.ends_with(b"/will") => conn.pass_after(10_000, packet),
        _other => conn.pass(packet),
    })
}

fn outlives_the_session() -> Mutation {
    seen_as(|packet, _| {
        if let Packet::Connect(connect) = packet
            && connect.will.is_some()
        {
            let is_expiry = |property: &Property| matches!(property, Property::SessionExpiryInterval(_));
            connect.properties.retain(|property| !is_expiry(property));
            connect.properties.push(Property::SessionExpiryInterval(600));
        }
    })
}

fn every_disconnect_is_normal() -> Mutation {
    seen_as(|packet, _| {
        if let Packet::Disconnect(disconnect) = packet {
            disconnect.reason_code = ReasonCode::Success;
        }
    })
}

fn disconnects_with_will() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Disconnect(_) = packet {
            *packet = Packet::Disconnect(Disconnect::of(ReasonCode::DisconnectWithWillMessage));
        }
    })
}

fn forgets_wills_of_the_silent() -> Mutation {
    let mut silent = Vec::new();
    sent(move |packet, conn| match &packet {
        Packet::Disconnect(disconnect) if disconnect.reason_code == ReasonCode::KeepAliveTimeout => {
            silent.push(format!("{}/will", conn.client_id()));
            conn.pass(packet);
        }
        Packet::Publish(publish) if silent.iter().any(|will| will.as_bytes() == publish.payload) => {}
        _other => conn.pass(packet),
    })
}

/// It comes when somebody without a Will is next answered.
fn does_not_cancel() -> Mutation {
    let mut delayed = BTreeMap::new();
    let mut cancelled = Vec::new();
    wire(move |packet, conn| {
        match &packet {
            Packet::Connect(connect) => {
                cancelled.extend(delayed.remove(&connect.client_id));
                let will = connect.will.clone();
                let will = will.filter(|will| will.properties.will_delay_interval().is_some());
                delayed.extend(will.map(|will| (connect.client_id.clone(), will)));
            }
            Packet::Disconnect(_) => delayed.retain(|client_id, _| client_id.as_str() != conn.client_id()),
            Packet::Pingresp if conn.connect().is_some_and(|connect| connect.will.is_none()) => {
                for will in cancelled.drain(..) {
                    conn.send(at_most_once(will.topic, will.payload.bytes().clone()));
                }
            }
            _other => {}
        }
        conn.pass(packet);
    })
}
