use std::{mem, ops::ControlFlow, sync::Arc, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use squall_node::{
    Watched,
    client::{self, Event, Events, MemoryStore, RestoreError, StoreError, Subscription},
};
use squall_proto::{Property, Version};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{
    Client, Command, Owes, Running, application::Application, life::Life, options::Character,
    store::DiskStore,
};
use crate::{
    actors::{
        Power,
        connector::{ClientConnector, Gate, GatedConnector},
    },
    mutants::Mutator,
    scenario::{Connecting, Filters, Reconnect, Session, Store, SubscriptionIdentifier},
    span::SpanRange,
    world::{Host, HostConnector, disk::Disk, generator, network},
};

/// The process of a client, through all its lives.
pub(crate) struct ClientProcess {
    character: Character,
    host: Host,
    connector: HostConnector,
    disk: Disk,
    /// What it has in memory, if that is its store.
    memory: MemoryStore,
    /// What its WebSockets are masked with.
    chance: Pcg64Mcg,
    commands: mpsc::UnboundedReceiver<Command>,
    running: Arc<Watched<Running>>,
    owes: Arc<Watched<Owes>>,
    /// What is wrong with it.
    mutator: Option<Mutator>,
    power: Power,
    /// Whether it has been started in this life or an earlier one.
    started: bool,
}

/// How the client that ships is started: with which session, and who waits for its CONNACK.
pub(super) struct Start {
    pub(super) session: Session,
    pub(super) done: Option<oneshot::Sender<()>>,
}

impl ClientProcess {
    /// The process, which does nothing until it runs, and the handle to it.
    pub(crate) fn new(
        character: Character,
        host: Host,
        connector: HostConnector,
        disk: Disk,
        mutator: Option<Mutator>,
        power: Power,
    ) -> (Client, Self) {
        let (commands, take_commands) = mpsc::unbounded_channel();
        let running = Arc::new(Watched::new(Running::NotYet));
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
            host,
            connector,
            disk,
            memory: MemoryStore::new(),
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
        if let Some(reads) = self.character.spec.reads {
            network::with(|network| network.read_slowly(self.host.place(), reads));
        }
        loop {
            power.on().await;
            let delay = first_at.take().map(|range| {
                let purpose = format!("connect {}", self.character.name);
                generator(self.character.seed, &purpose).random_range(range.millis())
            });
            match power.run(Box::pin(self.live(delay))).await {
                Some(End::Over) => return,
                Some(End::Stopped) => power.has_stopped(self.character.spec.store == Store::Disk),
                None => {}
            }
            self.memory = MemoryStore::new();
            self.running.set(Running::NotYet);
            self.owes.set(Owes::Nothing);
            first_at = match (self.started, self.character.spec.reconnect) {
                (true, Reconnect::After(_)) => Some(SpanRange::default()),
                (true, Reconnect::Never) => None,
                (false, _) => planned,
            };
        }
    }

    /// From the start of the process to its end.
    async fn live(&mut self, delay_ms: Option<u64>) -> End {
        let power = self.power.clone();
        let mut next = Next::Waits(delay_ms);
        loop {
            let start = tokio::select! {
                biased;
                () = power.stop() => return End::Stopped,
                start = self.started(next) => start,
            };
            let Some(start) = start else { return End::Over };
            let Some(then) = self.client(start).await else {
                return End::Stopped;
            };
            next = then;
        }
    }

    /// Waits until the client that ships is to start. `None`: it never is.
    async fn started(&mut self, next: Next) -> Option<Start> {
        match next {
            Next::Starts(start) => Some(start),
            Next::Waits(None) => self.told().await,
            Next::Waits(Some(delay_ms)) => {
                // Until then it owes a connection.
                self.owes.set(Owes::Connection);
                sleep(Duration::from_millis(delay_ms)).await;
                Some(Start {
                    session: self.character.spec.session,
                    done: None,
                })
            }
        }
    }

    /// After its store could not be opened: what is damaged stays so.
    fn after(&mut self, error: &RestoreError) -> Next {
        match error {
            RestoreError::Store(StoreError::Damaged { .. }) => {
                self.owes.set(Owes::NothingEver);
                self.running.set(Running::Never);
                Next::Waits(None)
            }
            RestoreError::Store(_) | RestoreError::Misuse(_) => self.starts_again(),
        }
    }

    /// After its store has failed: as long as between two connections, if it connects again by itself.
    fn starts_again(&mut self) -> Next {
        match self.character.spec.reconnect {
            Reconnect::After(after) => Next::Waits(Some(self.chance.random_range(after.millis()))),
            Reconnect::Never => Next::Waits(None),
        }
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

    /// One client that ships, until it is disconnected by a step, its process is to stop, or its store fails. `None`: the process is to
    /// stop, or was, and may start again by now.
    async fn client(&mut self, start: Start) -> Option<Next> {
        self.started = true;
        let gate = match self.character.spec.reconnect {
            Reconnect::Never => Gate::closed(),
            Reconnect::After(_) => Gate::default(),
        };
        gate.permit();
        let below = GatedConnector {
            host: self.connector.clone(),
            gate: gate.clone(),
        };
        let transport = self.character.spec.transport;
        let chance = self.chance.random();
        let connector = ClientConnector::new(self.host, below, transport, chance, self.mutator.clone());
        let options = self.character.options(start.session);
        let mut application = Application::new(&self.character);
        let (client, mut events, runner) = match self.open(start.session, options, connector) {
            Ok(opened) => opened,
            Err(error) => {
                application.store_failed(&error);
                return Some(self.after(&error));
            }
        };
        self.running.set(Running::Now(client.clone()));
        let mut life = Life::new(client, gate, start.session, start.done);
        let power = self.power.clone();
        let mut runner = std::pin::pin!(runner.run());
        let mut is_asked = false;
        let again = loop {
            self.owes.set(life.owes());
            tokio::select! {
                biased;
                () = &mut runner => break None,
                () = power.stop(), if !is_asked => {
                    is_asked = true;
                    if life.stopping.is_empty() {
                        life.stop(false, None);
                    }
                }
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
        self.running.set(Running::NotYet);
        self.owes.set(Owes::Nothing);
        for done in mem::take(&mut life.stopped) {
            _ = done.send(());
        }
        if let Some(error) = store_failure(&mut events) {
            life.store_failed = true;
            application.told(Event::StoreFailed(error));
        }
        if is_asked {
            return None;
        }
        Some(match again.or_else(|| life.next.take()) {
            Some(again) => Next::Starts(again),
            None if life.store_failed => self.starts_again(),
            None => Next::Waits(None),
        })
    }

    /// The client that ships, with the store that the scenario says. A clean session is not kept.
    fn open(
        &self,
        session: Session,
        options: client::Options,
        connector: ClientConnector,
    ) -> Result<Opened, RestoreError> {
        match (session, self.character.spec.store) {
            (Session::Clean, _) => Ok(client::Client::open(options, connector)?),
            (Session::Persistent, Store::Memory) => {
                client::Client::restore(options, connector, self.memory.clone())
            }
            (Session::Persistent, Store::Disk) => {
                let store = DiskStore::open(&self.disk, self.host)?;
                client::Client::restore(options, connector, store)
            }
        }
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
            Event::StoreFailed(_) => life.store_failed = true,
            Event::Message { .. } | Event::SubscriptionLost { .. } => {}
        }
    }
}

/// How a process ends by itself.
enum End {
    /// Nobody is left to tell it anything.
    Over,
    /// It was asked to.
    Stopped,
}

/// What a process does next.
enum Next {
    /// It starts the client that ships.
    Starts(Start),
    /// It starts it after so many milliseconds, or when a step says so.
    Waits(Option<u64>),
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

/// What is left of the events of a client that has ended: why its store failed, if that was the end.
fn store_failure(events: &mut Events) -> Option<StoreError> {
    let mut failure = None;
    while let Some(event) = events.try_next() {
        if let Event::StoreFailed(error) = event {
            failure = Some(error);
        }
    }
    failure
}

type Opened = (client::Client, Events, client::Runner<ClientConnector>);
