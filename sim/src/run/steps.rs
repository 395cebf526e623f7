use std::{future::Future, sync::Arc};

use bytes::Bytes;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_node::client::{Message, Unsubscription};
use squall_proto::{Properties, Version};
use tokio::{
    task::JoinSet,
    time::{Duration, sleep},
};

use super::{
    Arm,
    cast::Cast,
    progress::{Plan, Progress, Stand},
    words::in_words,
};
use crate::{
    actors::{Client, Mark, Peer, PeerCommand, subscription},
    faults::{Fault, Started},
    scenario::{Action, Publish, Scenario, Send, Speaker, Start, Step},
    trace::What,
    world::{generator, network},
};

/// The steps of a run, each a task of its own.
pub(super) struct Steps<'a> {
    scenario: &'a Scenario,
    version: Version,
    seed: u64,
    arm: Arm,
    cast: &'a Arc<Cast>,
    progress: &'a Arc<Progress>,
}

/// What clients or peers do, all at once.
type Doing = JoinSet<()>;

/// One step, on its way.
pub(super) struct Performance {
    pub(super) place: usize,
    step: Step,
    /// The steps that it comes after.
    after: Vec<usize>,
    pub(super) version: Version,
    /// Whether the broker shares subscriptions in 3.1.1 too.
    pub(super) shares_v3: bool,
    pub(super) arm: Arm,
    pub(super) cast: Arc<Cast>,
    pub(super) progress: Arc<Progress>,
    pub(super) chance: Pcg64Mcg,
}

impl<'a> Steps<'a> {
    pub(super) const fn new(
        scenario: &'a Scenario,
        version: Version,
        seed: u64,
        arm: Arm,
        cast: &'a Arc<Cast>,
        progress: &'a Arc<Progress>,
    ) -> Self {
        Self {
            scenario,
            version,
            seed,
            arm,
            cast,
            progress,
        }
    }

    /// Starts them all; each waits for its moment by itself.
    pub(super) fn start(&self, tasks: &mut JoinSet<()>) {
        for (place, step) in self.scenario.steps.iter().enumerate() {
            let performance = Performance {
                place,
                step: step.clone(),
                after: self.after(step),
                version: self.version,
                shares_v3: self.scenario.broker.shared_subscriptions_v3,
                arm: self.arm,
                cast: Arc::clone(self.cast),
                progress: Arc::clone(self.progress),
                chance: generator(self.seed, &purpose(place, step)),
            };
            // A run that has nothing planned is over, so what has a time is planned before any task runs.
            let plan = matches!(step.start, Start::At(_)).then(|| self.progress.planned());
            tasks.spawn(Box::pin(performance.perform(plan)));
        }
    }

    fn after(&self, step: &Step) -> Vec<usize> {
        let place = |id| {
            let mut steps = self.scenario.steps.iter();
            steps.position(|other| other.id.as_ref() == Some(id))
        };
        step.after().iter().filter_map(place).collect()
    }
}

impl Performance {
    async fn perform(mut self, plan: Option<Plan>) {
        let plan = self.moment(plan).await;
        let wait = self.chance.random_range(self.step.wait.millis());
        sleep(Duration::from_millis(wait)).await;
        self.progress.set(self.place, Stand::Begun);
        let (step, what) = (self.place, in_words(&self.step.action));
        if !matches!(self.step.action, Action::Fault(_)) {
            network::with(|network| network.note(What::Step { step, what }));
        }
        self.act(plan).await;
        self.progress.set(self.place, Stand::Over);
    }

    /// Waits for the step's moment; from then on it is planned what happens.
    async fn moment(&mut self, plan: Option<Plan>) -> Plan {
        for step in &self.after {
            self.progress.over(*step).await;
        }
        match &self.step.start {
            Start::At(at) => {
                let at = self.chance.random_range(at.millis());
                sleep(Duration::from_millis(at)).await;
            }
            Start::After(_) => {}
            Start::When { packet, .. } => {
                // The network never forgets whom it has to tell.
                let packet = packet.drawn(&mut self.chance);
                _ = self.cast.stage.at_packet(&packet).await;
            }
        }
        plan.unwrap_or_else(|| self.progress.planned())
    }

    /// Does what the step says. What a clock decides is over when `plan` is dropped; from then on it is owed.
    async fn act(&mut self, plan: Plan) {
        let doing: Doing = match self.step.action.clone() {
            Action::Fault(fault) => {
                let fault = fault.drawn(&mut self.chance);
                return self.fault(&fault, plan).await;
            }
            Action::Publish(publish) => return self.publish(publish, plan).await,
            Action::Await(it) => {
                self.wait_for(&it).await;
                return drop(plan);
            }
            Action::ExpectNone(it) => {
                self.see_none(&it).await;
                return drop(plan);
            }
            Action::Note(_) => return drop(plan),
            Action::Traffic(traffic) => return self.traffic(&traffic, plan).await,
            Action::Connect(connect) => {
                self.each(&connect.client, move |client| client.connect(connect.session))
            }
            Action::Disconnect(disconnect) => self.each(&disconnect.client, move |client| {
                client.disconnect(disconnect.with_will)
            }),
            Action::Subscribe(subscribe) => {
                let identifier = subscribe.subscription_identifier;
                let what = subscription(&subscribe.filters, identifier, self.version);
                self.each(&subscribe.client, move |client| client.subscribe(what.clone()))
            }
            Action::Unsubscribe(unsubscribe) => {
                let what = Unsubscription {
                    filters: unsubscribe.filters,
                    properties: Properties::new(),
                };
                self.each(&unsubscribe.client, move |client| {
                    client.unsubscribe(what.clone())
                })
            }
            Action::Open(open) => self.tell(&open.peer, |_| PeerCommand::Open),
            Action::Send(send) => self.tell(&send.from, |peer| self.send(&send, peer)),
            Action::Shut(shut) => self.tell(&shut.peer, |_| PeerCommand::Shut {
                how: shut.how,
                to: shut.to.as_ref().map(|to| self.cast.hosts(to)),
            }),
        };
        drop(plan);
        doing.join_all().await;
    }

    /// Has each client of a name do something, all at once.
    fn each<F>(&self, name: &str, act: impl Fn(Client) -> F) -> Doing
    where
        F: Future<Output = ()> + core::marker::Send + 'static,
    {
        self.cast.clients(name).iter().cloned().map(act).collect()
    }

    /// Tells each peer of a name to do something, all at once.
    fn tell(&self, name: &str, command: impl Fn(&Peer) -> PeerCommand) -> Doing {
        let peers = self.cast.peers(name).iter();
        peers
            .map(|peer| {
                let (peer, command) = (peer.clone(), command(peer));
                async move { peer.tell(command).await }
            })
            .collect()
    }

    /// What a peer sends, in the version of the run.
    fn send(&self, send: &Send, peer: &Peer) -> PeerCommand {
        let mut bytes = Vec::new();
        for n in 1..=send.times {
            let speaker = Speaker {
                name: peer.name(),
                version: self.version,
                n,
                answers: None,
                session_present: false,
            };
            bytes.extend(&send.hex);
            bytes.extend(send.packets.iter().flat_map(|packet| packet.bytes(&speaker)));
        }
        PeerCommand::Send {
            bytes: bytes.into(),
            pieces: send.pieces,
            to: send.to.as_ref().map(|to| self.cast.hosts(to)),
        }
    }

    async fn publish(&self, publish: Publish, plan: Plan) {
        let publish = Arc::new(publish);
        let publishing = self.each(&publish.from, |client| {
            publish_all(
                client,
                Arc::clone(&publish),
                self.version,
                self.place,
                Arc::clone(&self.progress),
            )
        });
        drop(plan);
        publishing.join_all().await;
    }

    async fn fault(&self, fault: &Fault, plan: Plan) {
        let step = self.place;
        let lasts = fault.lasts().unwrap_or_default().max().duration();
        if self.arm == Arm::Control {
            sleep(lasts).await;
            return self.progress.fault_over(step, 0);
        }
        let what = fault.to_string();
        self.progress.fault_drawn(step, what.clone());
        if fault.lasts().is_some() {
            network::with(|network| network.note(What::FaultBegan { step, what }));
        }
        match fault.start(step, &self.cast.stage) {
            Started::Happens(happened) => {
                // Its moment is the network's to find, not planned.
                drop(plan);
                if happened.await.is_ok() {
                    self.progress.fault_over(step, 1);
                }
            }
            Started::Ends(ends) => {
                // It is another step's, or the host's, to end it: not planned.
                drop(plan);
                let mut touched = 0;
                for end in ends {
                    // Who dropped it has nothing to tell.
                    touched += end.await.unwrap_or(0);
                }
                self.settles(fault).await;
                network::with(|network| network.note(What::FaultEnded { step, touched }));
                self.progress.fault_over(step, touched);
            }
            Started::Heals(heal) => {
                sleep(lasts).await;
                let touched = heal(&self.cast.stage);
                self.settles(fault).await;
                network::with(|network| network.note(What::FaultEnded { step, touched }));
                self.progress.fault_over(step, touched);
            }
        }
    }

    /// Waits for what a fault leaves under way: the syncs of a slow disk.
    async fn settles(&self, fault: &Fault) {
        if let Fault::Disk(disk) = fault {
            self.cast.stage.synced(&disk.host).await;
        }
    }
}

/// Publishes all messages of a step from one client, and waits for their ends.
async fn publish_all(
    client: Client,
    publish: Arc<Publish>,
    version: Version,
    step: usize,
    progress: Arc<Progress>,
) {
    let mut under_way = JoinSet::new();
    for n in 1..=publish.count {
        if n > 1 {
            let plan = progress.planned();
            sleep(publish.every.duration()).await;
            drop(plan);
        }
        let message = message(client.name(), &publish, version, step, n);
        if let Some(published) = client.publish(step, message).await {
            under_way.spawn(published.ended());
        }
    }
    under_way.join_all().await;
}

fn message(client: &str, publish: &Publish, version: Version, step: usize, n: u32) -> Message {
    let mark = Mark {
        client: client.to_owned(),
        step,
        n,
    };
    let payload = match &publish.payload {
        Some(text) => Bytes::copy_from_slice(text.as_bytes()),
        None => mark.payload(publish.size),
    };
    Message {
        retain: publish.retain,
        properties: publish.properties.properties(publish.expiry, version),
        ..Message::new(publish.topic.topic(client, n), payload, publish.qos)
    }
}

/// What a step's chance is drawn for. By its id, so that it stays the same where a variant has a step more.
pub(super) fn purpose(place: usize, step: &Step) -> String {
    match &step.id {
        Some(id) => format!("step {id}"),
        None => format!("step {place}"),
    }
}
