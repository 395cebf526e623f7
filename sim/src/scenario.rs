//! A scenario, as its YAML file says it: who takes part, what they do, what goes wrong when, and what must hold.
//!
//! In reading order: [`Scenario`]; who takes part ([`Client`], [`Peer`]); what happens ([`Step`], [`Action`]); what must hold
//! ([`Expectation`]); how a file becomes one of these or a located [`ScenarioError`] (`read`, `tree`, `typed`, `validate`, `locate`), and is
//! written again (`plain`, `pair`, `write`); and the JSON Schema that editors complete from ([`json_schema`]).

mod action;
mod broker;
mod client;
mod error;
mod expand;
mod expect;
mod filters;
mod known;
mod locate;
mod lookout;
mod nearest;
mod packet;
mod pair;
mod peer;
mod plain;
mod properties;
mod read;
mod same;
mod schema;
mod script;
mod step;
mod topic;
mod traffic;
mod tree;
mod typed;
mod validate;
mod words;
mod write;
mod wrong;

pub use action::{Action, Connect, Disconnect, How, Note, Open, Publish, Send, Shut, Subscribe, Unsubscribe};
pub use broker::{BrokerSettings, Durability};
pub use client::{Acknowledges, Application, Client, Connecting, Reads, Reconnect, Session, Store, Will};
pub use error::ScenarioError;
pub use expect::{
    Closed, Closer, Connected, Delivered, Disconnections, Ended, EndedAs, Expectation, Handed, PacketName,
    Packets, Received, SessionPresent, Shared, StoreFailed, Times, ToldOf, WillPublished,
};
pub use filters::{Filters, SubscriptionIdentifier};
pub use known::Known;
pub use lookout::{Await, ExpectNone, ToApplication};
pub use packet::{
    RawAck, RawAuth, RawBody, RawConnack, RawConnect, RawDisconnect, RawFilters, RawHex, RawNothing,
    RawPacket, RawProperties, RawProperty, RawPublish, RawSuback, RawSubscribe, RawText, RawUnsuback,
    RawUnsubscribe, RawValue, RawWill, Speaker, Wrong,
};
pub use peer::Peer;
pub(crate) use plain::{Place, Plain};
pub use properties::MessageProperties;
pub use read::find_scenarios;
pub use same::{Ignored, Same};
pub use schema::json_schema;
pub use script::{Pieces, Rule, Then};
pub use step::{Start, Step};
pub use topic::TopicTemplate;
pub use traffic::{QosMix, Subscribers, TopicPattern, Traffic};

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    sync::Arc,
};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use squall_proto::Version;

use crate::span::{Span, SpanRange};

/// Who takes part, what they do, what goes wrong when, and what must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What must hold, as a sentence.
    pub name: String,
    /// The statements that it follows from, and how.
    pub why: String,
    /// Each is a run of its own. Both, unless given.
    #[serde(default = "both_versions", with = "words::versions")]
    #[schemars(with = "Vec<words::VersionWord>", length(min = 1))]
    pub versions: Vec<Version>,
    /// What the broker grants and keeps.
    #[serde(default)]
    pub broker: BrokerSettings,
    /// What every link does when no fault says otherwise.
    #[serde(default)]
    pub network: Network,
    /// Clients of ours, by name. The name `broker` is taken.
    #[serde(default)]
    pub clients: IndexMap<String, Client>,
    /// Whoever speaks packet by packet, by name.
    #[serde(default)]
    pub peers: IndexMap<String, Peer>,
    /// What they do and what goes wrong.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What must hold at the end, besides what every check holds in every run.
    #[serde(default)]
    pub expect: Vec<Expectation>,
    /// Whether the same without faults must pass too. Of the expectations it is asked for those that say what is delivered.
    #[serde(default = "yes")]
    pub control: bool,
    /// The run goes on for at least this long, for what must not happen. None, unless given: it ends when all that is owed has
    /// arrived.
    #[serde(default)]
    pub lasts: Span,
    /// From the last step and the last heal, everything owed must arrive within this time. 2 minutes, unless given.
    #[serde(default = "settle")]
    pub settle: Span,
    /// A run that has so many events is ended as one without end. 4,000,000, unless given.
    #[serde(default = "events_max")]
    pub events_max: NonZeroUsize,
    /// In what the paths of the file, or the orders of its races, must be the same. What every client gets, unless given.
    #[serde(default, skip_serializing)]
    pub same: Option<Same>,
    /// What tells this scenario from the others of its file: `delay=5s,reconnect=never`. Empty if it is the only one.
    #[serde(skip)]
    pub variant: String,
    /// The scenario of the same file whose run with the same seed must deliver the same.
    #[serde(skip)]
    pub reference: Option<Arc<Self>>,
    /// What its runs delivered, where it is such a reference.
    #[serde(skip)]
    pub known: Known,
}

/// What every link does when no fault says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// One way, drawn anew for each segment. 1ms..5ms, unless given.
    pub latency: SpanRange,
    /// Of a hundred segments with data, how many are lost at each attempt. TCP sends them again. 0, unless given.
    #[schemars(range(min = 0, max = 99))]
    pub loss_percent: u8,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: SpanRange::new(Span::from_millis(1), Span::from_millis(5)).unwrap_or_default(),
            loss_percent: 0,
        }
    }
}

impl Scenario {
    /// The names of the hosts that a client or peer stands for: its own, or `swarm-1` to `swarm-50` for a group of 50.
    pub fn members(&self, name: &str) -> Vec<String> {
        let clients = self.clients.get(name).and_then(|client| client.count);
        match clients.or_else(|| self.peers.get(name).and_then(|peer| peer.count)) {
            Some(count) => (1..=count).map(|n| format!("{name}-{n}")).collect(),
            None => vec![name.to_owned()],
        }
    }

    /// Whether a host is one of this group: `swarm-7` of `swarm`.
    pub(crate) fn is_member(&self, group: &str, host: &str) -> bool {
        let clients = self.clients.get(group).and_then(|client| client.count);
        let count = clients.or_else(|| self.peers.get(group).and_then(|peer| peer.count));
        let n = host
            .strip_prefix(group)
            .and_then(|n| n.strip_prefix('-')?.parse().ok());
        n.is_some_and(|n: u32| count.is_some_and(|count| (1..=count).contains(&n)))
    }

    /// Whether a step that names this means the host: by its name or by its group's.
    pub(crate) fn is_it(&self, name: &str, host: &str) -> bool {
        name == host || self.is_member(name, host)
    }

    /// The client of this name, or that this host is one of.
    pub(crate) fn client(&self, host: &str) -> Option<&Client> {
        let group = || host.rsplit_once('-').map(|(group, _)| group);
        let of_group = || group().filter(|group| self.is_member(group, host));
        let alone = self.clients.get(host);
        alone.or_else(|| self.clients.get(of_group()?))
    }

    /// Whether a host is a peer's.
    pub(crate) fn is_peer(&self, host: &str) -> bool {
        let group = host.rsplit_once('-').map(|(group, _)| group);
        self.peers.contains_key(host)
            || group.is_some_and(|group| self.peers.contains_key(group) && self.is_member(group, host))
    }

    /// The Client Identifier of a member of a client, as [`members`](Self::members) names it.
    pub fn client_id<'a>(&'a self, client: &str, member: &'a str) -> &'a str {
        let client = self.clients.get(client);
        client
            .and_then(|client| client.client_id.as_deref())
            .unwrap_or(member)
    }

    /// The members of clients that go by one Client Identifier with another: only one of them is connected at a time.
    pub(crate) fn rivals(&self) -> BTreeSet<String> {
        let members = |name: &String| {
            let all = self.members(name).into_iter();
            all.map(|member| (self.client_id(name, &member).to_owned(), member))
                .collect::<Vec<_>>()
        };
        let mut by_client_id: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (client_id, member) in self.clients.keys().flat_map(members) {
            by_client_id.entry(client_id).or_default().push(member);
        }
        let shared = by_client_id.into_values().filter(|members| members.len() > 1);
        shared.flatten().collect()
    }

    /// The same as a file of its own would say it: no variant of anything, and compared with nothing.
    #[must_use]
    pub fn alone(self) -> Self {
        Self {
            same: None,
            variant: String::new(),
            reference: None,
            ..self
        }
    }

    /// Whether what it says fits together, as that of a file must; if not, what does not.
    pub(crate) fn sound(&self) -> Result<(), String> {
        validate::validate(self).map_err(|problem| problem.message)
    }

    /// Whether a step tells this client to go, or one of the group, or the group that it is of.
    pub(crate) fn sends_away(&self, name: &str) -> bool {
        let is_it = |client: &str| self.is_it(client, name) || self.is_it(name, client);
        let tells = |step: &Step| matches!(&step.action, Action::Disconnect(it) if is_it(&it.client));
        self.steps.iter().any(tells)
    }

    /// Whether what lasts to its end may leave something open that it began: a scripted broker that does not answer, segments that are
    /// lost, clients that read slowly.
    pub fn leaves_open(&self) -> bool {
        let reads_slowly = self.clients.values().any(|client| client.reads.is_some());
        self.network.loss_percent > 0 || self.broker.withholds() || reads_slowly
    }

    /// Whether one of its steps is a fault: without any there is no control arm.
    pub fn has_faults(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.action, Action::Fault(_)))
    }
}

fn both_versions() -> Vec<Version> {
    Version::ALL.to_vec()
}

const fn yes() -> bool {
    true
}

const fn settle() -> Span {
    Span::from_millis(120_000)
}

const fn events_max() -> NonZeroUsize {
    NonZeroUsize::new(4_000_000).expect("more than none")
}
