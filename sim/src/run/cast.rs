use std::collections::{BTreeMap, BTreeSet};

use squall_proto::Version;
use tokio::task::JoinSet;

use crate::{
    actors::{Character, Client, ClientProcess, Owes, Peer, PeerProcess, Power, broker},
    faults::Stage,
    mutants::Mutated,
    scenario::Scenario,
    trace::Side,
    world::{Host, HostConnector, Transport},
};

/// Who takes part in a run.
pub(super) struct Cast {
    pub(super) stage: Stage,
    /// By the scenario's name for them; of a group, each in order.
    clients: BTreeMap<String, Vec<Client>>,
    peers: BTreeMap<String, Peer>,
}

const BROKER: &str = "broker";

impl Cast {
    /// The names of the hosts that a scenario needs, in the order that [`Cast::new`] wants the hosts in.
    pub(super) fn names(scenario: &Scenario) -> Vec<String> {
        let clients = scenario.clients.keys().flat_map(|name| scenario.members(name));
        [BROKER.to_owned()]
            .into_iter()
            .chain(clients)
            .chain(scenario.peers.keys().cloned())
            .collect()
    }

    /// Starts everybody.
    pub(super) fn new(
        scenario: &Scenario,
        version: Version,
        seed: u64,
        hosts: &[Host],
        processes: &mut JoinSet<()>,
        mutated: Option<&Mutated>,
    ) -> Self {
        let mutator = |side| mutated.and_then(|mutated| mutated.mutator(side));
        let mut cast = Self {
            stage: Stage::default(),
            clients: BTreeMap::new(),
            peers: BTreeMap::new(),
        };
        let mut hosts = hosts.iter().copied();
        let mut next = || hosts.next().expect("there is a host for every name");
        let host = next();
        let power = cast.power(host, BROKER, None);
        let limits = scenario.broker.limits();
        processes.spawn(broker(
            host,
            transports(scenario),
            limits,
            seed,
            mutator(Side::Broker),
            power,
        ));
        for (group, spec) in &scenario.clients {
            for name in scenario.members(group) {
                let host = next();
                let power = cast.power(host, &name, (name != *group).then_some(group));
                let character = Character {
                    name,
                    spec: spec.clone(),
                    version,
                    seed,
                };
                let (client, process) = ClientProcess::new(
                    character,
                    connector(host, spec.transport),
                    mutator(Side::Client),
                    power,
                );
                cast.clients.entry(group.clone()).or_default().push(client);
                processes.spawn(process.run());
            }
        }
        for (name, spec) in &scenario.peers {
            let host = next();
            let power = cast.power(host, name, None);
            let (peer, process) =
                PeerProcess::new(connector(host, Transport::Tcp), version, spec.acknowledges, power);
            cast.peers.insert(name.clone(), peer);
            processes.spawn(process.run());
        }
        cast
    }

    fn power(&mut self, host: Host, name: &str, group: Option<&String>) -> Power {
        Power::new(self.stage.add(host.place(), name, group.map(String::as_str)))
    }

    /// The clients a name stands for: one, or each of a group.
    ///
    /// # Panics
    ///
    /// When there is none: the scenario was checked for it.
    pub(super) fn clients(&self, name: &str) -> &[Client] {
        let clients = self.clients.get(name);
        clients.unwrap_or_else(|| panic!("no client is called `{name}`"))
    }

    /// The peer of this name.
    ///
    /// # Panics
    ///
    /// When there is none: the scenario was checked for it.
    pub(super) fn peer(&self, name: &str) -> &Peer {
        let peer = self.peers.get(name);
        peer.unwrap_or_else(|| panic!("no peer is called `{name}`"))
    }

    /// What clients still have to do by themselves, in words.
    pub(super) fn owed(&self) -> Vec<String> {
        let in_words = |client: &Client| match client.owes() {
            Owes::Nothing => None,
            Owes::Connection => Some(format!("{} is not connected", client.name())),
            Owes::Subscriptions(_) => Some(format!("{} has no answer to SUBSCRIBE", client.name())),
        };
        self.clients.values().flatten().filter_map(in_words).collect()
    }
}

fn connector(host: Host, transport: Transport) -> HostConnector {
    host.connector(&format!("{BROKER}:{}", transport.port()))
}

/// What the broker listens for: what its clients use, and TCP for whoever speaks packet by packet.
fn transports(scenario: &Scenario) -> BTreeSet<Transport> {
    let used = scenario.clients.values().map(|client| client.transport);
    used.chain([Transport::Tcp]).collect()
}
