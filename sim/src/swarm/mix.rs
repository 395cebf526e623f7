use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::{Strategy as _, any},
    strategy::BoxedStrategy,
};

use super::{faults, steps};
use crate::faults::Fault;

/// What is on in a run.
#[derive(Clone, Debug)]
pub(super) struct Mix {
    /// Version 5.0, not 3.1.1.
    pub(super) v5: bool,
    /// How many clients of ours.
    pub(super) clients: usize,
    on: BTreeSet<&'static str>,
}

/// What is on or off beside faults and steps: mostly a key of a client, of the broker or of a message.
const FEATURES: &[&str] = &[
    "application",
    "bursts",
    "client_id",
    "count",
    "empty",
    "expiry",
    "inflight",
    "keep_alive",
    "late",
    "limits",
    "maximum_packet_size",
    "network",
    "options",
    "overlaps",
    "peers",
    "persistent",
    "properties",
    "reads",
    "receive_maximum",
    "reconnect",
    "retain",
    "session_expiry",
    "shared",
    "sizes",
    "subscription_identifier",
    "topic_aliases",
    "topics",
    "transport",
    "wildcards",
    "will",
    "will_delay",
];

impl Mix {
    /// Whether a feature, fault or step is on.
    pub(super) fn has(&self, feature: &str) -> bool {
        self.on.contains(feature)
    }

    /// Whether a feature is on that 5.0 alone has.
    pub(super) fn has_v5(&self, feature: &str) -> bool {
        self.v5 && self.has(feature)
    }
}

fn all() -> impl Iterator<Item = &'static str> {
    let steps = steps::NAMES.iter().chain(faults::NAMES);
    FEATURES.iter().chain(steps).copied()
}

/// A coin for each. Half of the draws have no more than one fault: what it alone does is seen best then.
pub(super) fn mix() -> BoxedStrategy<Mix> {
    let coins = vec(any::<bool>(), all().count());
    let one_fault = (any::<bool>(), 0..faults::NAMES.len() + 1);
    (any::<bool>(), 1_usize..=4, coins, one_fault)
        .prop_map(|(v5, clients, coins, (one_fault, fault))| {
            let on = all().zip(coins).filter(|(_, coin)| *coin).map(|(name, _)| name);
            let mut on: BTreeSet<&str> = on.collect();
            if one_fault {
                on.retain(|name| !Fault::NAMES.contains(name));
                on.extend(faults::NAMES.get(fault));
            }
            Mix { v5, clients, on }
        })
        .boxed()
}
