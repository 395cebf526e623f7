use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::{Strategy as _, any},
    strategy::BoxedStrategy,
};

use super::{blocks, faults, steps};
use crate::faults::Fault;

/// What is on in a run.
#[derive(Clone, Debug)]
pub(super) struct Mix {
    /// Version 5.0, not 3.1.1.
    pub(super) v5: bool,
    /// The broker is a scripted one, and the clients are what is looked at.
    pub(super) scripted: bool,
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
    "durable",
    "empty",
    "expiry",
    "inflight",
    "keep_alive",
    "late",
    "limits",
    "low_qos",
    "maximum_packet_size",
    "network",
    "no_retain",
    "options",
    "overlaps",
    "peers",
    "persistent",
    "pings",
    "properties",
    "queues",
    "reads",
    "receive_maximum",
    "reconnect",
    "refusals",
    "retain",
    "script",
    "session_expiry",
    "shared",
    "sizes",
    "store",
    "subscription_identifier",
    "topic_aliases",
    "topics",
    "transport",
    "wildcards",
    "will",
    "will_delay",
    "wrong",
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

    /// The highest QoS of a Will: who has a Will of a higher one than the broker takes is refused.
    pub(super) fn qos_of_wills(&self) -> u64 {
        match (self.has_v5("low_qos"), self.has("limits")) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        }
    }

    /// Whether the broker keeps what it has acknowledged on a disk.
    pub(super) fn is_durable(&self) -> bool {
        self.has("durable") && !self.scripted
    }

    /// Whether Wills may be retained: a broker that retains nothing refuses who has such a Will.
    pub(super) fn retains_wills(&self) -> bool {
        self.has("retain") && !self.has_v5("no_retain")
    }
}

fn all() -> impl Iterator<Item = &'static str> {
    let steps = steps::NAMES.iter().chain(blocks::NAMES).chain(faults::NAMES);
    FEATURES.iter().chain(steps).copied()
}

/// In so many of the draws the broker is a scripted one.
const SCRIPTED: f64 = 0.15;

/// A coin for each. Half of the draws have no more than one fault: what it alone does is seen best then.
pub(super) fn mix() -> BoxedStrategy<Mix> {
    let coins = vec(any::<bool>(), all().count());
    let one_fault = (any::<bool>(), 0..faults::NAMES.len() + 1);
    let scripted = proptest::bool::weighted(SCRIPTED);
    (any::<bool>(), scripted, 1_usize..=4, coins, one_fault)
        .prop_map(|(v5, scripted, clients, coins, (one_fault, fault))| {
            let on = all().zip(coins).filter(|(_, coin)| *coin).map(|(name, _)| name);
            let mut on: BTreeSet<&str> = on.collect();
            if one_fault {
                on.retain(|name| !Fault::NAMES.contains(name));
                on.extend(faults::NAMES.get(fault));
            }
            Mix {
                v5,
                scripted,
                clients,
                on,
            }
        })
        .boxed()
}
