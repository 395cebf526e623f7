//! What a SUBSCRIBE asks for beside a QoS.

use std::collections::BTreeSet;

use squall_proto::{Packet, Publish, RetainHandling, SubscriptionOptions, TopicFilter};

use super::{
    Mutant, Mutation, caught_by,
    mutation::{forgives, seen, seen_as},
    packets::at_most_once,
};
use crate::trace::Side;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "broker-ignores-no-local",
        does: "sends a client its own messages though it asked for No Local",
        stands_for: "MQTT-3.8.3-3",
        side: Side::Broker,
        caught_by: caught_by("no-local-keeps-own-messages-away-from-the-first", "as_published"),
        make: || options(|_, options| options.no_local = false),
    },
    Mutant {
        name: "broker-ignores-retain-as-published",
        does: "forwards with RETAIN 0 to who asked for Retain As Published",
        stands_for: "MQTT-3.3.1-13",
        side: Side::Broker,
        caught_by: caught_by(
            "a-live-message-has-retain-0-unless-asked-otherwise",
            "expectations",
        ),
        make: || options(|_, options| options.retain_as_published = false),
    },
    Mutant {
        name: "broker-ignores-retain-handling",
        does: "sends retained messages at every SUBSCRIBE",
        stands_for: "MQTT-3.3.1-11",
        side: Side::Broker,
        caught_by: caught_by("retain-handling-decides-what-subscribing-sends", "retained"),
        make: || options(|_, options| options.retain_handling = RetainHandling::Send),
    },
    Mutant {
        name: "broker-takes-subscribing-again-for-nothing-new",
        does: "sends retained messages only to subscriptions that are new",
        stands_for: "MQTT-3.8.4-4",
        side: Side::Broker,
        caught_by: caught_by("retain-handling-decides-what-subscribing-sends", "retained"),
        make: || options(|_, options| options.retain_handling = RetainHandling::SendIfNew),
    },
    Mutant {
        name: "broker-takes-no-local-of-a-group",
        does: "accepts No Local on a shared subscription, and does nothing about it",
        stands_for: "MQTT-3.8.3-4",
        side: Side::Broker,
        caught_by: caught_by(
            "a-shared-subscription-with-no-local-ends-the-connection",
            "expectations",
        ),
        make: || forgives(takes_no_local_of_a_group),
    },
    Mutant {
        name: "broker-hears-no-local-late",
        does: "sends a client the first of its own messages though it asked for No Local",
        stands_for: "MQTT-3.8.3-3",
        side: Side::Broker,
        caught_by: caught_by("no-local-keeps-own-messages-away-from-the-first", "as_published"),
        make: hears_no_local_late,
    },
];

/// The No Local of a SUBSCRIBE to one filter, which is shared, is taken away.
fn takes_no_local_of_a_group(bytes: &mut [u8]) -> bool {
    const NO_LOCAL: u8 = 0x04;
    let is_shared = bytes.windows(7).any(|part| part == b"$share/");
    match bytes {
        [0x82, .., options] if is_shared && *options & NO_LOCAL != 0 => {
            *options &= !NO_LOCAL;
            true
        }
        _other => false,
    }
}

/// The node takes what is asked of a filter for something else.
fn options(change: fn(&TopicFilter, &mut SubscriptionOptions)) -> Mutation {
    seen_as(move |packet, _| {
        if let Packet::Subscribe(subscribe) = packet {
            let filters = &mut subscribe.filters;
            filters
                .iter_mut()
                .for_each(|(filter, options)| change(filter, options));
        }
    })
}

fn hears_no_local_late() -> Mutation {
    let mut asked = BTreeSet::new();
    seen(move |packet, conn| {
        if let Packet::Subscribe(subscribe) = &packet
            && subscribe.filters.iter().any(|(_, options)| options.no_local)
        {
            asked.insert(conn.client_id().to_owned());
        }
        if let Packet::Publish(Publish {
            topic: Some(topic),
            payload,
            ..
        }) = &packet
            && asked.remove(conn.client_id())
        {
            conn.send(at_most_once(topic.clone(), payload.clone()));
        }
        conn.pass(packet);
    })
}
