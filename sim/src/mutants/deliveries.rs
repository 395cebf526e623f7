//! Messages that are lost, doubled, changed, late, or another's; and those of shared subscriptions.

use squall_proto::{Delivery, Packet, Publish, Qos, TopicFilter, TopicName};

use super::{
    Mutant, Mutation, caught_by,
    conn::Way,
    exactly_once::delivers_twice,
    mutation::{seen, sent, sent_as, wire},
    packets::publish,
    sessions::loses,
    subscriptions::{filters, grant},
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-loses-every-tenth-message",
        does: "takes every tenth message of QoS 1 or 2 for delivered that it has not sent",
        stands_for: "MQTT-4.3.2-3",
        side: Side::Broker,
        caught_by: caught_by("qos1-arrives-across-a-partition", "no_loss"),
        make: loses_every_tenth,
    },
    Mutant {
        name: "broker-loses-qos0",
        does: "sends nothing at QoS 0",
        stands_for: "MQTT-3.3.4-2",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "expectations",
        ),
        make: || loses(|_, publish| publish.delivery.qos() == Qos::AtMostOnce),
    },
    Mutant {
        name: "broker-doubles-qos0",
        does: "sends each QoS 0 message twice",
        stands_for: "MQTT-4.3.1-1",
        side: Side::Broker,
        caught_by: caught_by("qos0-is-never-doubled-by-a-cut", "at_most_once"),
        make: || delivers_twice(Qos::AtMostOnce),
    },
    Mutant {
        name: "broker-raises-the-qos",
        does: "sends at QoS 2 what was published at QoS 1",
        stands_for: "MQTT-3.8.4-8",
        side: Side::Broker,
        caught_by: caught_by("nothing-is-lost-on-a-bad-line", "as_published"),
        make: raises_the_qos,
    },
    Mutant {
        name: "broker-overtakes",
        does: "sends every fifth message a little later than the next",
        stands_for: "MQTT-4.6.0-6",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "order"),
        make: overtakes,
    },
    Mutant {
        name: "broker-changes-payloads",
        does: "sends the payload of another message",
        stands_for: "MQTT-3.3.2-3",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "as_published"),
        make: changes_payloads,
    },
    Mutant {
        name: "broker-changes-topics",
        does: "sends what came for one topic to another",
        stands_for: "MQTT-3.3.2-3",
        side: Side::Broker,
        caught_by: caught_by("qos2-cut-before-pubrel-reaches-subscriber", "as_published"),
        make: changes_topics,
    },
    Mutant {
        name: "broker-sends-what-was-anothers",
        does: "sends to a client the last message to another",
        stands_for: "MQTT-3.3.2-3",
        side: Side::Broker,
        caught_by: caught_by(
            "a-subscription-gets-what-matches-it-and-nothing-else",
            "as_published",
        ),
        make: sends_anothers,
    },
    Mutant {
        name: "broker-shares-with-everybody",
        does: "sends each message to all who share a subscription",
        stands_for: "MQTT-4.8.2-3",
        side: Side::Broker,
        caught_by: caught_by("shared-work-is-spread-over-the-group", "one_member"),
        make: || {
            filters(|filter| {
                let levels = filter.strip_prefix("$share/")?;
                levels.split_once('/').map(|(_, levels)| levels.to_owned())
            })
        },
    },
    Mutant {
        name: "broker-knows-one-group",
        does: "takes all who share a filter for one group, whatever their ShareName",
        stands_for: "MQTT-4.8.2-2",
        side: Side::Broker,
        caught_by: caught_by("shared-work-is-spread-over-the-group", "no_shared_loss"),
        make: || {
            filters(|filter| {
                let levels = filter.strip_prefix("$share/")?;
                levels.split_once('/').map(|_| "$share/one/t/#".to_owned())
            })
        },
    },
    Mutant {
        name: "broker-knows-one-member",
        does: "sends everything that is shared to the first who subscribed",
        stands_for: "MQTT-4.8.2-3",
        side: Side::Broker,
        caught_by: caught_by("shared-work-is-spread-over-the-group", "expectations"),
        make: knows_one_member,
    },
    Mutant {
        name: "broker-loses-shared-work",
        does: "takes every tenth shared message for delivered that it has not sent",
        stands_for: "MQTT-4.8.2-6",
        side: Side::Broker,
        caught_by: caught_by("shared-work-is-spread-over-the-group", "no_shared_loss"),
        make: loses_every_tenth,
    },
    Mutant {
        name: "broker-cuts-payloads-short",
        does: "loses the last byte of every payload",
        stands_for: "MQTT-3.3.2-3",
        side: Side::Broker,
        caught_by: caught_by("a-large-message-passes-whole-through-a-cut", "as_published"),
        make: cuts_short,
    },
    Mutant {
        name: "broker-doubles-qos1",
        does: "sends each QoS 1 message twice, as two",
        stands_for: "MQTT-3.3.4-2",
        side: Side::Broker,
        caught_by: caught_by(
            "a-client-subscribes-again-when-its-session-was-lost",
            "expectations",
        ),
        make: || delivers_twice(Qos::AtLeastOnce),
    },
    Mutant {
        name: "client-publishes-twice",
        does: "publishes each QoS 1 message twice, as two",
        stands_for: "MQTT-4.3.2-1",
        side: Side::Client,
        caught_by: caught_by(
            "a-client-subscribes-again-when-its-session-was-lost",
            "expectations",
        ),
        make: || delivers_twice(Qos::AtLeastOnce),
    },
    Mutant {
        name: "broker-takes-the-first-match",
        does: "sends at the QoS of the first of a client's subscriptions that matches",
        stands_for: "MQTT-3.3.4-2",
        side: Side::Broker,
        caught_by: caught_by("overlapping-subscriptions-deliver-at-the-highest-qos", "no_loss"),
        make: takes_the_first_match,
    },
];

fn loses_every_tenth() -> Mutation {
    let mut sent = 0;
    loses(move |_, publish| {
        sent += u32::from(publish.delivery.qos() != Qos::AtMostOnce);
        publish.delivery.qos() != Qos::AtMostOnce && sent % 10 == 0
    })
}

fn raises_the_qos() -> Mutation {
    use squall_proto::Delivery::{AtLeastOnce, ExactlyOnce};
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet
            && let AtLeastOnce(id) = publish.delivery
        {
            publish.delivery = ExactlyOnce(id);
        }
    })
}

fn overtakes() -> Mutation {
    let mut published = 0;
    sent(move |packet, conn| {
        published += u32::from(publish(&packet).is_some());
        match publish(&packet) {
            Some(_) if published % 5 == 0 => conn.pass_after(300, packet),
            Some(_) | None => conn.pass(packet),
        }
    })
}

fn changes_payloads() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet {
            publish.payload = "another".into();
        }
    })
}

fn changes_topics() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet {
            publish.topic = TopicName::new("another").ok();
        }
    })
}

fn sends_anothers() -> Mutation {
    let mut last: Option<(String, Publish)> = None;
    sent(move |packet, conn| {
        if let Some(publish) = publish(&packet) {
            let mut other = publish.clone();
            other.delivery = Delivery::AtMostOnce;
            other.dup = false;
            let before = last.replace((conn.client_id().to_owned(), other));
            if let Some((_, other)) = before.filter(|(client_id, _)| client_id != conn.client_id()) {
                conn.pass(Packet::Publish(other));
            }
        }
        conn.pass(packet);
    })
}

fn knows_one_member() -> Mutation {
    let mut known = Vec::new();
    seen(move |packet, conn| match packet {
        Packet::Subscribe(subscribe) => {
            let shared = subscribe
                .filters
                .iter()
                .find(|(filter, _)| filter.share_name().is_some())
                .map(|(filter, _)| filter.clone());
            match shared {
                Some(filter) if known.contains(&filter) => grant(&subscribe, conn),
                shared => {
                    known.extend(shared);
                    conn.pass(Packet::Subscribe(subscribe));
                }
            }
        }
        other => conn.pass(other),
    })
}

fn cuts_short() -> Mutation {
    sent_as(|packet, _| {
        if let Packet::Publish(publish) = packet {
            publish.payload.truncate(publish.payload.len().saturating_sub(1));
        }
    })
}

/// Where that is QoS 0.
fn takes_the_first_match() -> Mutation {
    let mut filters: Vec<(String, TopicFilter, Qos)> = Vec::new();
    let mut lose = loses(|_, _| true);
    wire(move |packet, conn| {
        if let Packet::Subscribe(subscribe) = &packet {
            let asked = subscribe.filters.iter();
            filters.extend(
                asked.map(|(filter, options)| (conn.client_id().to_owned(), filter.clone(), options.qos)),
            );
        }
        let Some(publish) = publish(&packet).filter(|_| conn.way() == Way::Sent) else {
            return conn.pass(packet);
        };
        let matches = |(client, filter, _): &&(String, TopicFilter, Qos)| {
            client == conn.client_id() && publish.topic.as_ref().is_some_and(|topic| filter.matches(topic))
        };
        let lowered = filters
            .iter()
            .find(matches)
            .is_some_and(|(.., qos)| *qos == Qos::AtMostOnce);
        if lowered && publish.delivery != Delivery::AtMostOnce {
            let lowered = Publish {
                delivery: Delivery::AtMostOnce,
                dup: false,
                ..publish.clone()
            };
            conn.send(Packet::Publish(lowered));
            return lose.apply(packet, conn);
        }
        conn.pass(packet);
    })
}
