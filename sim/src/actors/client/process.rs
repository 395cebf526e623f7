use std::{mem, ops::ControlFlow, sync::Arc, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_node::{
    Watched,
    client::{self, Event, Events, Subscription},
};
use squall_proto::{Disconnect, Property, ReasonCode, Version};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};

use super::{Client, Command, Owes, application::Application, options::Character};
use crate::{
    actors::{
        Power,
        connector::{ClientConnector, Gate, PacedConnector},
    },
    mutants::Mutator,
    scenario::{Connecting, Filters, Reconnect, Session, SubscriptionIdentifier},
    span::SpanRange,
    world::{HostConnector, generator},
};

/// The process of a client, through all its lives.
pub(crate) struct ClientProcess {
    character: Character,
    connector: HostConnector,
    /// What its WebSockets are masked with.
    chance: Pcg64Mcg,
    commands: mpsc::UnboundedReceiver<Command>,
    running: Arc<Watched<Option<client::Client>>>,
    owes: Arc<Watched<Owes>>,
    /// What is wrong with it.
    mutator: Option<Mutator>,
    power: Power,
    /// Whether it has been started in this life or an earlier one.
    started: bool,
}

/// How the client that ships is started: with which session, and who waits for its CONNACK.
struct Start {
    session: Session,
    done: Option<oneshot::Sender<()>>,
}

impl ClientProcess {
    /// The process, which does nothing until it runs, and the handle to it.
    pub(crate) fn new(
        character: Character,
        connector: HostConnector,
        mutator: Option<Mutator>,
        power: Power,
    ) -> (Client, Self) {
        let (commands, take_commands) = mpsc::unbounded_channel();
        let running = Arc::new(Watched::new(None));
        let owes = Arc::new(Watched::new(Owes::Nothing));
        let client = Client {
            name: character.name.clone(),
            commands,
            running: Arc::clone(&running),
            owes: Arc::clone(&owes),
        };
        let chance = generator(character.seed, &format!("websocket {}", character.name));
        let process = Self {
            character,
            connector,
            chance,
            commands: take_commands,
            running,
            owes,
            mutator,
            power,
            started: false,
        };
        (client, process)
    }

    /// Lives, and lives again after each crash, until nobody is left to tell it anything.
    pub(crate) async fn run(mut self) {
        let planned = match self.character.spec.connect {
            Connecting::Never => None,
            Connecting::At(range) => Some(range),
        };
        let mut first_at = planned;
        let power = self.power.clone();
        loop {
            power.on().await;
            let delay = first_at.take().map(|range| {
                let purpose = format!("connect {}", self.character.name);
                generator(self.character.seed, &purpose).random_range(range.millis())
            });
            if power.run(self.live(delay)).await.is_some() {
                return;
            }
            self.running.set(None);
            self.owes.set(Owes::Nothing);
            first_at = match (self.started, self.character.spec.reconnect) {
                (true, Reconnect::After(_)) => Some(SpanRange::default()),
                (true, Reconnect::Never) => None,
                (false, _) => planned,
            };
        }
    }

    /// From the start of the process to its end.
    async fn live(&mut self, delay_ms: Option<u64>) {
        let mut next = match delay_ms {
            Some(delay) => self.wait(delay).await,
            None => self.told().await,
        };
        while let Some(start) = next {
            next = match self.client(start).await {
                Some(again) => Some(again),
                None => self.told().await,
            };
        }
    }

    /// Waits for its time to connect first. Until then it owes a connection.
    async fn wait(&mut self, delay_ms: u64) -> Option<Start> {
        self.owes.set(Owes::Connection);
        sleep(Duration::from_millis(delay_ms)).await;
        Some(Start {
            session: self.character.spec.session,
            done: None,
        })
    }

    /// Waits for a step to connect it. `None`: there will be none.
    async fn told(&mut self) -> Option<Start> {
        loop {
            match self.commands.recv().await? {
                Command::Connect { session, done } => {
                    let session = session.unwrap_or(self.character.spec.session);
                    return Some(Start {
                        session,
                        done: Some(done),
                    });
                }
                // It is disconnected as it is.
                Command::Disconnect { done, .. } => _ = done.send(()),
            }
        }
    }

    /// One client that ships, until it is disconnected by a step. `Some`: it is to start again at once, with another session.
    async fn client(&mut self, start: Start) -> Option<Start> {
        self.started = true;
        let gate = match self.character.spec.reconnect {
            Reconnect::Never => Gate::closed(),
            Reconnect::After(_) => Gate::default(),
        };
        gate.permit();
        let below = PacedConnector {
            host: self.connector.clone(),
            reads: self.character.spec.reads,
            gate: gate.clone(),
        };
        let transport = self.character.spec.transport;
        let connector = ClientConnector::new(below, transport, self.chance.random(), self.mutator.clone());
        let options = self.character.options(start.session);
        let (client, mut events, runner) =
            client::Client::open(options, connector).expect("the scenario was checked for it");
        self.running.set(Some(client.clone()));
        let mut life = Life {
            client,
            gate,
            session: start.session,
            wanted: true,
            connected: false,
            subscribed: false,
            waiting: start.done.into_iter().collect(),
            stopped: Vec::new(),
            subscribing: JoinSet::new(),
            stopping: JoinSet::new(),
        };
        let mut application = Application::new(&self.character);
        let mut runner = std::pin::pin!(runner.run());
        let again = loop {
            self.owes.set(life.owes());
            tokio::select! {
                biased;
                () = &mut runner => break None,
                () = application.handles() => {}
                Some(event) = events.next(), if !application.is_busy() => {
                    self.heard(&mut life, &event);
                    application.told(event);
                }
                Some(ended) = life.subscribing.join_next() => ended.expect("subscribing does not panic"),
                Some(command) = self.commands.recv() => {
                    if let ControlFlow::Break(again) = life.told(command) {
                        break Some(again);
                    }
                }
            }
        };
        self.running.set(None);
        self.owes.set(Owes::Nothing);
        drain(&mut events);
        for done in mem::take(&mut life.stopped) {
            _ = done.send(());
        }
        again
    }

    fn heard(&self, life: &mut Life, event: &Event) {
        match event {
            Event::Connected { session_present, .. } => {
                life.gate.has_been_passed();
                life.connected = true;
                for done in mem::take(&mut life.waiting) {
                    _ = done.send(());
                }
                if !session_present && !mem::replace(&mut life.subscribed, true) {
                    life.subscribe(self.character.subscription());
                }
            }
            Event::Disconnected { .. } => life.lost(&self.character.spec.reconnect),
            Event::Unreachable(_) => {
                if life.gate.has_been_passed() {
                    life.lost(&self.character.spec.reconnect);
                }
            }
            Event::Message { .. } | Event::SubscriptionLost { .. } | Event::StoreFailed(_) => {}
        }
    }
}

/// One client that ships.
struct Life {
    client: client::Client,
    gate: Gate,
    session: Session,
    /// Whether it is to have a connection.
    wanted: bool,
    connected: bool,
    /// Whether it has subscribed to what the scenario says; from then on it does so by itself when it must.
    subscribed: bool,
    /// Who waits for CONNACK.
    waiting: Vec<oneshot::Sender<()>>,
    /// Who waits for the end.
    stopped: Vec<oneshot::Sender<()>>,
    subscribing: JoinSet<()>,
    stopping: JoinSet<()>,
}

impl Life {
    fn owes(&self) -> Owes {
        if self.wanted && !self.connected {
            Owes::Connection
        } else if self.subscribing.is_empty() {
            Owes::Nothing
        } else {
            Owes::Subscriptions(self.subscribing.len())
        }
    }

    fn lost(&mut self, reconnect: &Reconnect) {
        self.connected = false;
        if let Reconnect::Never = reconnect {
            self.wanted = false;
            self.waiting.clear();
        }
    }

    fn told(&mut self, command: Command) -> ControlFlow<Start> {
        match command {
            Command::Connect {
                session: Some(session),
                done,
            } if session != self.session => {
                return ControlFlow::Break(Start {
                    session,
                    done: Some(done),
                });
            }
            Command::Connect { done, .. } => {
                if self.connected {
                    _ = done.send(());
                } else {
                    if !self.wanted {
                        self.gate.permit();
                    }
                    self.wanted = true;
                    self.waiting.push(done);
                }
            }
            Command::Disconnect { with_will, done } => self.stop(with_will, done),
        }
        ControlFlow::Continue(())
    }

    fn stop(&mut self, with_will: bool, done: oneshot::Sender<()>) {
        let reason_code = if with_will {
            ReasonCode::DisconnectWithWillMessage
        } else {
            ReasonCode::Success
        };
        let client = self.client.clone();
        self.wanted = false;
        self.stopped.push(done);
        self.stopping.spawn(async move {
            let disconnect = Disconnect::of(reason_code);
            client
                .disconnect_with(disconnect)
                .await
                .expect("a reason code of DISCONNECT");
        });
    }

    fn subscribe(&mut self, subscription: Subscription) {
        if subscription.filters.is_empty() {
            return;
        }
        let client = self.client.clone();
        self.subscribing.spawn(async move {
            // What SUBACK said is on the wire.
            _ = client.subscribe(subscription).await;
        });
    }
}

/// As the client that ships takes it.
pub(crate) fn subscription(
    filters: &Filters,
    identifier: Option<SubscriptionIdentifier>,
    version: Version,
) -> Subscription {
    let identifier = identifier.filter(|_| version == Version::V5);
    let identifier = identifier.map(|identifier| Property::SubscriptionIdentifier(identifier.0));
    Subscription {
        filters: filters.0.to_vec(),
        properties: identifier.into_iter().collect(),
    }
}

fn drain(events: &mut Events) {
    while events.try_next().is_some() {}
}
