mod host;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use squall_proto::Text;
use tokio::sync::oneshot;

pub(super) use self::host::Finds;
use self::host::Process;
use super::{Between, CutMode, PacketMatch, Which};
use crate::{
    actors::{Administrator, Power},
    target::RealBroker,
    trace::Side,
    world::{Direction, Effect, PlannedCut, Then, Watch, disk::Disk, network},
};

/// What faults act on: the hosts of a run by name, their processes and disks, and the network of this thread.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// A client or peer has one host, a group of clients several. By place in the world.
    places: BTreeMap<String, Vec<usize>>,
    processes: BTreeMap<usize, Process>,
    administrator: Administrator,
}

/// A fault that has been started.
pub(crate) enum Started {
    /// It lasts until this is called.
    Heals(Heal),
    /// It waits for its moment, tells when that has come, and is over then. The network notes it.
    Happens(oneshot::Receiver<()>),
    /// It lasts until each of these tells what it touched.
    Ends(Vec<oneshot::Receiver<u64>>),
}

/// Ends a fault and says how many packets, segments or connections it touched.
pub(crate) type Heal = Box<dyn FnOnce(&Stage) -> u64 + Send>;

impl Stage {
    /// A host with a process: `name` is its own, `group` the one it also answers to. What it gives says whether the process may run.
    pub(crate) fn add(&mut self, place: usize, name: &str, group: Option<&str>) -> Power {
        for name in [Some(name), group].into_iter().flatten() {
            self.places.entry(name.to_owned()).or_default().push(place);
        }
        let process = Process::new(name);
        let power = process.power(place);
        self.processes.insert(place, process);
        power
    }

    /// The host at this place is a client's, with this Client Identifier.
    pub(crate) fn is_client(&mut self, place: usize, client_id: Text) {
        if let Some(process) = self.processes.get_mut(&place) {
            process.client_id = Some(client_id);
        }
    }

    /// The process at this place keeps what it knows on this disk.
    pub(crate) fn has_disk(&mut self, place: usize, disk: Disk) {
        if let Some(process) = self.processes.get_mut(&place) {
            process.disk = Some(disk);
        }
    }

    /// The host at this place is that of a process of the machine.
    pub(crate) fn is_real(&mut self, place: usize, broker: Arc<dyn RealBroker>) {
        if let Some(process) = self.processes.get_mut(&place) {
            process.real = Some(broker);
        }
    }

    /// What an administrator of the broker can do.
    pub(crate) const fn administrator(&self) -> &Administrator {
        &self.administrator
    }

    /// Where a host, or each of a group, is.
    ///
    /// # Panics
    ///
    /// When nobody has that name: the scenario was checked for it.
    pub(crate) fn places(&self, name: &str) -> &[usize] {
        self.places
            .get(name)
            .unwrap_or_else(|| panic!("nobody is called `{name}`"))
    }

    /// Puts a rule on the links between two names until it is healed.
    pub(super) fn rule(&self, between: &Between, one_way: bool, effect: Effect) -> Started {
        let mut on = self.directions(between);
        if !one_way {
            on.extend(self.directions(&between.reversed()));
        }
        Self::rule_on(on, effect)
    }

    /// Puts a rule on these links until it is healed.
    pub(super) fn rule_on(on: BTreeSet<Direction>, effect: Effect) -> Started {
        let rule = network::with(|network| network.add_rule(on, effect));
        Started::Heals(Box::new(move |_| {
            network::with(|network| network.remove_rule(rule))
        }))
    }

    /// From each host of the first name to each of the second.
    pub(super) fn directions(&self, Between([from, to]): &Between) -> BTreeSet<Direction> {
        let each = |from: &usize| {
            self.places(to)
                .iter()
                .map(move |to| (*from, *to))
                .collect::<Vec<_>>()
        };
        self.places(from).iter().flat_map(each).collect()
    }

    /// Cuts a connection at a packet, so many times.
    pub(super) fn cut_at(&self, when: &PacketMatch, times: u64, it: PlannedCut) -> Started {
        let (tell, told) = oneshot::channel();
        let last = Some(tell);
        self.watch(when, times, Then::Cut { it, last });
        Started::Happens(told)
    }

    /// Cuts connections between two names.
    pub(super) fn cut_now(&self, between: &Between, which: Which, mode: CutMode) -> Started {
        let mut ends = self.directions(between);
        ends.extend(self.directions(&between.reversed()));
        let touched = network::with(|network| network.cut_now(&ends, which, mode));
        Started::Heals(Box::new(move |_| touched))
    }

    /// Tells when a packet leaves its sender's host.
    pub(crate) fn at_packet(&self, when: &PacketMatch) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.watch(when, 1, Then::Tell(tell));
        told
    }

    fn watch(&self, when: &PacketMatch, times: u64, then: Then) {
        let (client, is_sender) = when
            .end()
            .expect("the scenario was checked for exactly one of `from` and `to`");
        let watch = Watch {
            clients: self.places(client).to_vec(),
            from: if is_sender { Side::Client } else { Side::Broker },
            packet: when.packet,
            nth: when.nth.max(),
            times,
            then,
        };
        network::with(|network| network.watch(watch));
    }
}
