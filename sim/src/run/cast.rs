use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use squall_proto::Version;
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    actors::{
        Broke, Broker, Character, Client, ClientProcess, Gateway, Owes, Peer, PeerProcess, Power,
        ScriptedBroker, stored,
    },
    faults::Stage,
    model::BROKER,
    mutants::{Mutated, Mutator},
    scenario::{Scenario, Store},
    target::RealBroker,
    trace::{Held, Side, Stored},
    world::{Host, HostConnector, Transport, disk::Disk},
};

/// Who takes part in a run.
pub(super) struct Cast {
    pub(super) stage: Stage,
    /// By the scenario's name for them; of a group, each in order, and each by its own name too.
    clients: BTreeMap<String, Vec<Client>>,
    /// As the clients. A scripted broker is one of them.
    peers: BTreeMap<String, Vec<Peer>>,
    /// Who ends another's connections, and has its own ended, perhaps for ever.
    rivals: BTreeSet<String>,
}

/// A process of the machine that is the broker, and who is told when it is of no use any more.
pub(super) type Real = (Arc<dyn RealBroker>, oneshot::Sender<Broke>);

impl Cast {
    /// The names of the hosts that a scenario needs, in the order that [`Cast::new`] wants the hosts in.
    pub(super) fn names(scenario: &Scenario) -> Vec<String> {
        let clients = scenario.clients.keys().flat_map(|name| scenario.members(name));
        let peers = scenario.peers.keys().flat_map(|name| scenario.members(name));
        [BROKER.to_owned()]
            .into_iter()
            .chain(clients)
            .chain(peers)
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
        real: Option<Real>,
    ) -> Self {
        let mutator = |side| mutated.and_then(|mutated| mutated.mutator(side));
        let mut cast = Self {
            stage: Stage::default(),
            clients: BTreeMap::new(),
            peers: BTreeMap::new(),
            rivals: scenario.rivals(),
        };
        let mut hosts = hosts.iter().copied();
        let mut next = || hosts.next().expect("there is a host for every name");
        let broker = mutator(Side::Broker);
        match real {
            Some(real) => cast.start_gateway(real, next(), processes),
            None => cast.start_broker(scenario, seed, broker, next(), processes),
        }
        for (group, spec) in &scenario.clients {
            for name in scenario.members(group) {
                let host = next();
                let power = cast.power(host, &name, (name != *group).then_some(group));
                let character = Character {
                    name: name.clone(),
                    spec: spec.clone(),
                    version,
                    seed,
                };
                let disk = Disk::new(seed, &name);
                cast.stage.is_client(host.place(), character.client_id());
                if spec.store == Store::Disk {
                    cast.stage.has_disk(host.place(), disk.clone());
                }
                let connector = connector(host, spec.transport);
                let mutator = mutator(Side::Client);
                let (client, process) = ClientProcess::new(character, host, connector, disk, mutator, power);
                enter(&mut cast.clients, group, name, client);
                // Boxed, because what is spawned moves several times before it runs.
                processes.spawn(Box::pin(process.run()));
            }
        }
        for (group, spec) in &scenario.peers {
            for name in scenario.members(group) {
                let host = next();
                let power = cast.power(host, &name, (name != *group).then_some(group));
                let connector = connector(host, Transport::Tcp);
                let (peer, process) = PeerProcess::new(&name, spec, connector, version, seed, power);
                enter(&mut cast.peers, group, name, peer);
                processes.spawn(Box::pin(process.run()));
            }
        }
        cast
    }

    fn start_broker(
        &mut self,
        scenario: &Scenario,
        seed: u64,
        mutator: Option<Mutator>,
        host: Host,
        processes: &mut JoinSet<()>,
    ) {
        let power = self.power(host, BROKER, None);
        let transports = transports(scenario);
        let Some(script) = &scenario.broker.script else {
            let disk = scenario.broker.has_disk().then(|| Disk::new(seed, BROKER));
            if let Some(disk) = &disk {
                self.stage.has_disk(host.place(), disk.clone());
            }
            let broker = Broker {
                host,
                transports,
                limits: scenario.broker.limits(),
                seed,
                disk,
                mutator,
                power,
                administrator: self.stage.administrator().clone(),
            };
            processes.spawn(Box::pin(broker.run()));
            return;
        };
        let (handle, process) = ScriptedBroker::new(BROKER, host, transports, script, seed, power);
        self.peers.insert(BROKER.to_owned(), vec![handle]);
        processes.spawn(process.run());
    }

    fn start_gateway(&mut self, (broker, broke): Real, host: Host, processes: &mut JoinSet<()>) {
        let power = self.power(host, BROKER, None);
        self.stage.is_real(host.place(), Arc::clone(&broker));
        let gateway = Gateway {
            host,
            broker,
            power,
            broke,
        };
        processes.spawn(Box::pin(gateway.run()));
    }

    fn power(&mut self, host: Host, name: &str, group: Option<&String>) -> Power {
        self.stage.add(host.place(), name, group.map(String::as_str))
    }

    /// How much our broker holds, if it runs.
    pub(super) fn held(&self) -> Option<Held> {
        let counts = self.stage.administrator().counts()?;
        let saved = self.stage.disks(BROKER).next().and_then(stored);
        Some(Held {
            stored: saved.as_ref().map(Stored::from),
            ..Held::from(counts)
        })
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

    /// The peers a name stands for: one, or each of a group, or the scripted broker.
    ///
    /// # Panics
    ///
    /// When there is none: the scenario was checked for it.
    pub(super) fn peers(&self, name: &str) -> &[Peer] {
        let peers = self.peers.get(name);
        peers.unwrap_or_else(|| panic!("no peer is called `{name}`"))
    }

    /// The hosts a name stands for.
    pub(super) fn hosts(&self, name: &str) -> Vec<String> {
        let clients = self.clients.get(name).into_iter().flatten().map(Client::name);
        let peers = self.peers.get(name).into_iter().flatten().map(Peer::name);
        clients.chain(peers).map(str::to_owned).collect()
    }

    /// Whether the client of this name, or each of the group, has no connection and gets none.
    pub(super) fn is_gone(&self, name: &str) -> bool {
        let clients = self.clients(name);
        clients.iter().all(|client| client.owes() == Owes::NothingEver)
    }

    /// What clients and peers still have to do by themselves, in words.
    pub(super) fn owed(&self) -> Vec<String> {
        let in_words = |client: &Client| match client.owes() {
            Owes::Nothing | Owes::NothingEver => None,
            Owes::Connection | Owes::Subscriptions(_) if self.rivals.contains(client.name()) => None,
            Owes::Connection => Some(format!("{} is not connected", client.name())),
            Owes::Subscriptions(_) => Some(format!("{} has no answer to SUBSCRIBE", client.name())),
        };
        let clients = each(&self.clients, Client::name).filter_map(in_words);
        let peers = each(&self.peers, Peer::name).filter(|peer| peer.has_more_to_say());
        clients
            .chain(peers.map(|peer| format!("{} has more to say", peer.name())))
            .collect()
    }
}

/// Enters one of a group by the group's name and its own.
fn enter<T: Clone>(cast: &mut BTreeMap<String, Vec<T>>, group: &str, name: String, who: T) {
    if name != group {
        cast.entry(group.to_owned()).or_default().push(who.clone());
    }
    cast.insert(name, vec![who]);
}

/// Everybody, once.
fn each<'a, T>(
    cast: &'a BTreeMap<String, Vec<T>>,
    name: impl Fn(&T) -> &str + 'a,
) -> impl Iterator<Item = &'a T> {
    let by_name = cast
        .iter()
        .flat_map(|(key, some)| some.iter().map(move |who| (key, who)));
    by_name
        .filter(move |(key, who)| name(who) == *key)
        .map(|(_, who)| who)
}

fn connector(host: Host, transport: Transport) -> HostConnector {
    host.connector(&format!("{BROKER}:{}", transport.port()))
}

/// What the broker listens for: what its clients use, and TCP for whoever speaks packet by packet.
fn transports(scenario: &Scenario) -> BTreeSet<Transport> {
    let used = scenario.clients.values().map(|client| client.transport);
    used.chain([Transport::Tcp]).collect()
}
