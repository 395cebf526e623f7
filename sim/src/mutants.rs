//! Brokers and clients that are broken in one way each: what proves that scenarios and checks catch what they are there for.
//!
//! ```text
//! network <--bytes--> carrier <--packets--> mutation <--packets--> node
//! ```
//!
//! A mutation sits in its host, between what carries MQTT and the node that speaks it, so that everybody else meets a broken broker or
//! client and the trace shows one. It sees each packet of each connection of the host in both directions and lets pass what it likes,
//! so it can break whatever a wire can show; and more than that no check reads. What a broker keeps on its disk is broken between it and
//! its store, record by record.
//!
//! In reading order: [`Mutant`] and the list of them; `conn` (a connection as a mutation sees it), `mutation` (how mutations are
//! made), `mutator` (a mutant at work in a host), `stream` (what lies around its packets) and `store` (records and syncs); then a file a concern.
//!
//! To add one: an entry in the file of its concern, and `SQUALL_UPDATE_MUTANTS=1 cargo test -p squall-sim --test mutants`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a mutation is about the few kinds of packets that it changes"
)]

mod conn;
mod mutation;
mod mutator;
mod packets;
mod store;
mod stream;

pub(crate) use self::{
    mutator::{Mutated, Mutator},
    store::{MutatedDisk, MutatedStore},
};

use squall_proto::Version;

use self::mutation::Mutation;
use crate::trace::Side;

/// A broker or client that is broken in one way.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// In small letters and hyphens.
    pub name: &'static str,
    /// What it does wrong, as a sentence.
    pub does: &'static str,
    /// The mistake of the field that it is, and the statement that it breaks.
    pub stands_for: &'static str,
    /// Who is broken: the broker, or every client of ours.
    pub side: Side,
    /// What catches it.
    pub caught_by: CaughtBy,
    make: fn() -> Mutation,
}

/// The scenario that shows that a mutant is broken, and the check that says so.
#[derive(Clone, Copy, Debug)]
pub struct CaughtBy {
    /// The name of its file in `scenarios`, without the ending.
    pub scenario: &'static str,
    /// Which of its variants, by its whole name; empty for a file that has none.
    pub variant: &'static str,
    /// A name of [`CHECKS`](crate::checks::CHECKS).
    pub check: &'static str,
    /// With which version of the protocol.
    pub version: Version,
}

/// Makes the registry of the list: one module a concern.
macro_rules! concerns {
    ($($module:ident,)*) => {
        $(mod $module;)*

        const CONCERNS: &[(&str, &[Mutant])] = &[$((stringify!($module), $module::MUTANTS)),*];
    };
}

concerns! {
    acknowledgements,
    afterwards,
    conversation,
    deliveries,
    durability,
    exactly_once,
    flow_control,
    keep_alive,
    packet_ids,
    properties,
    redelivery,
    retained,
    sessions,
    subscription_options,
    subscriptions,
    topic_aliases,
    wills,
}

/// Every mutant, with the concern that it is of.
pub fn mutants() -> impl Iterator<Item = (&'static str, &'static Mutant)> {
    let each = |(concern, mutants): &'static (&'static str, &'static [Mutant])| {
        mutants.iter().map(|mutant| (*concern, mutant))
    };
    CONCERNS.iter().flat_map(each)
}

impl Mutant {
    /// The mutant of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        mutants()
            .map(|(_, mutant)| mutant)
            .find(|mutant| mutant.name == name)
    }
}

/// Caught with 5.0.
const fn caught_by(scenario: &'static str, check: &'static str) -> CaughtBy {
    CaughtBy {
        scenario,
        variant: "",
        check,
        version: Version::V5,
    }
}

/// Caught with 5.0 by one variant of a file.
const fn caught_in(variant: &'static str, scenario: &'static str, check: &'static str) -> CaughtBy {
    CaughtBy {
        variant,
        ..caught_by(scenario, check)
    }
}

/// Caught with 3.1.1.
const fn caught_in_v3_by(scenario: &'static str, check: &'static str) -> CaughtBy {
    CaughtBy {
        version: Version::V3_1_1,
        ..caught_by(scenario, check)
    }
}
