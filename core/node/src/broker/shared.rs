use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    task::Waker,
};

use parking_lot::Mutex;
use squall_proto::{
    ConnId, Instant,
    broker::{Administration, Broker, Counts, Input, Question, Settings, Sizes},
};

use super::{
    links::Links,
    outbox::Outbox,
    store::{Store, StoreError},
};
use tracing::info;

use crate::{Peer, Watched, authentication::Authenticator, clock::Clock};

/// What all tasks of a broker share.
pub(super) struct Shared {
    clock: Clock,
    authenticator: Option<Arc<dyn Authenticator>>,
    pub(super) core: Mutex<Core>,
    /// When the next tick is wanted, as far as the ticking task needs to know: early perhaps, never late.
    deadline: Watched<Option<Instant>>,
    pub(super) stopping: Watched<bool>,
    pub(super) store: Option<tokio::sync::Mutex<Box<dyn Store>>>,
    /// Whether records wait for a commit.
    pub(super) recorded: Watched<bool>,
    /// Whether none do, and no commit is under way.
    pub(super) all_kept: Watched<bool>,
    /// Whether connections that make records are to wait. Written under the lock, read without.
    pub(super) behind: AtomicBool,
    /// Held by who announces.
    pub(super) announcing: tokio::sync::Mutex<()>,
    /// Why records cannot be kept.
    pub(super) failure: Watched<Option<Arc<StoreError>>>,
}

/// What the broker knew of a client.
pub(super) struct Client {
    pub(super) was_connected: bool,
    pub(super) had_session: bool,
    pub(super) was_barred: bool,
}

pub(super) struct Core {
    broker: Broker,
    pub(super) links: Links,
    /// What `Shared::deadline` says.
    armed: Option<Instant>,
    /// Who waits until there is room for records.
    pub(super) waiting: BTreeMap<ConnId, Waker>,
}

impl Shared {
    pub(super) fn new(settings: Settings, seed: u64, authenticator: Option<Arc<dyn Authenticator>>) -> Self {
        Self::with(settings, seed, authenticator, Clock::start())
    }

    /// With what a store has kept, and `now` on the clock that goes on over a restart.
    pub(super) fn restored(
        settings: Settings,
        seed: u64,
        authenticator: Option<Arc<dyn Authenticator>>,
        mut store: Box<dyn Store>,
        now: Instant,
    ) -> Result<Self, StoreError> {
        let saved = store.load()?;
        info!(
            sessions = saved.session_count(),
            deliveries = saved.delivery_count(),
            messages = saved.message_count(),
            retained = saved.retained_count(),
            "restored"
        );
        let mut shared = Self::with(settings, seed, authenticator, Clock::start_at(now));
        shared.store = Some(tokio::sync::Mutex::new(store));
        shared.step(|core, now| {
            core.links.keep_records();
            core.links.tally.kept = u64::try_from(saved.message_count()).unwrap_or(u64::MAX);
            core.broker.restore(now, saved, &mut core.links);
            core.links.settle(None);
        });
        Ok(shared)
    }

    fn with(
        settings: Settings,
        seed: u64,
        authenticator: Option<Arc<dyn Authenticator>>,
        clock: Clock,
    ) -> Self {
        let links = Links::new(settings.limits.unsent_bytes_soft);
        let broker = match authenticator {
            Some(_) => Broker::authenticating(settings, seed),
            None => Broker::new(settings, seed),
        };
        Self {
            clock,
            authenticator,
            core: Mutex::new(Core {
                broker,
                links,
                armed: None,
                waiting: BTreeMap::new(),
            }),
            deadline: Watched::new(None),
            stopping: Watched::new(false),
            store: None,
            recorded: Watched::new(false),
            all_kept: Watched::new(true),
            behind: AtomicBool::new(false),
            announcing: tokio::sync::Mutex::default(),
            failure: Watched::new(None),
        }
    }

    /// Who judges clients.
    pub(super) const fn authenticator(&self) -> Option<&Arc<dyn Authenticator>> {
        self.authenticator.as_ref()
    }

    /// How much the broker holds.
    pub(super) fn counts(&self) -> Counts {
        self.core.lock().broker.counts()
    }

    /// Takes up a connection. `None` when no `ConnId` is left for it.
    pub(super) fn open(&self, outbox: Arc<Outbox>, peer: Peer) -> Option<ConnId> {
        self.step(|core, now| {
            let conn = core.links.open(outbox, peer)?;
            core.handle(now, Input::Opened(conn));
            Some(conn)
        })
    }

    /// Tells the broker that a connection is gone, and forgets it.
    pub(super) fn lose(&self, conn: ConnId) {
        self.step(|core, now| {
            core.handle(now, Input::Lost(conn));
            core.links.remove(conn);
        });
    }

    /// Handles a batch of inputs, and writes what follows from them as far as the network takes it now. Stops early when the
    /// broker has a question that holds the connection which the inputs come from.
    pub(super) fn handle(&self, inputs: impl IntoIterator<Item = Input>) -> Option<Question> {
        let mut inputs = inputs.into_iter();
        let mut question = None;
        while self.step(|core, now| {
            let more = core.handle_some(now, &mut inputs);
            question = core.links.take_question().or_else(|| question.take());
            more
        }) {}
        question
    }

    /// Handles deadlines, for ever.
    pub(super) async fn tick(&self) {
        loop {
            let at = self.deadline.get();
            tokio::select! {
                biased;
                _ = self.deadline.wait_for(|deadline| *deadline != at) => {}
                () = self.clock.sleep_until(at) => self.tick_once(),
            }
        }
    }

    /// Does to a client what an administrator wants; says what there was of it before.
    pub(super) fn administer(&self, what: Administration) -> Client {
        self.step(|core, now| {
            let client_id = what.client_id();
            let client = Client {
                was_connected: core.broker.is_connected(client_id),
                had_session: core.broker.has_session(client_id),
                was_barred: core.broker.is_barred(client_id),
            };
            core.handle(now, Input::Administer(what));
            client
        })
    }

    /// Takes every connection to be lost.
    pub(super) fn revive(&self) {
        self.stopping.set(false);
        self.step(|core, now| {
            for conn in core.links.conns() {
                core.handle(now, Input::Lost(conn));
                core.links.remove(conn);
            }
        });
    }

    /// Tells the broker to stop, which tells its clients.
    pub(super) fn stop(&self) {
        self.stopping.set(true);
        // That asks about nobody.
        let _ = self.handle([Input::Shutdown]);
    }

    /// Waits until the broker is told to stop.
    pub(super) async fn stopped(&self) {
        self.stopping.wait_for(|stopping| *stopping).await;
    }

    fn tick_once(&self) {
        self.step(|core, now| {
            core.armed = None;
            // Or the ticking task would find the past again and again when no deadline follows.
            self.deadline.set(None);
            if core
                .broker
                .next_deadline()
                .is_some_and(|deadline| deadline <= now)
            {
                core.handle(now, Input::Tick);
            }
        });
    }

    /// Does one thing under the lock; then, without the lock, writes the output of it.
    pub(super) fn step<T>(&self, step: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let mut unflushed = Vec::new();
        let mut core = self.core.lock();
        // Read under the lock, so that the broker's time never goes back.
        let result = step(&mut core, self.clock.now());
        core.links.hand_over(&mut unflushed);
        self.note_records(&core);
        self.arm(&mut core);
        drop(core);
        for outbox in unflushed {
            outbox.flush();
        }
        result
    }

    /// Tells the ticking task of a deadline earlier than the one it knows.
    fn arm(&self, core: &mut Core) {
        if let Some(next) = core.broker.next_deadline()
            && core.armed.is_none_or(|armed| next < armed)
        {
            core.armed = Some(next);
            self.deadline.set(Some(next));
        }
    }
}

impl Core {
    pub(super) fn sizes(&self) -> Sizes {
        self.broker.sizes()
    }

    pub(super) fn handle(&mut self, now: Instant, input: Input) {
        let from = match &input {
            Input::Received(conn, _) => {
                self.links.tally.received += 1;
                Some(*conn)
            }
            Input::Opened(_)
            | Input::Malformed(..)
            | Input::Judged(..)
            | Input::Flushed(_)
            | Input::Lost(_)
            | Input::Administer(_)
            | Input::Announce(..)
            | Input::StoreFailed
            | Input::StoreRecovered
            | Input::Fetched(..)
            | Input::Tick
            | Input::Shutdown => None,
        };
        self.broker.handle(now, input, &mut self.links);
        self.links.settle(from);
    }

    /// Handles inputs until there are no more (`false`), or so much output that it is better written first (`true`).
    fn handle_some(&mut self, now: Instant, inputs: &mut impl Iterator<Item = Input>) -> bool {
        for input in inputs {
            self.handle(now, input);
            if self.links.holds() {
                return false;
            }
            if self.links.output_bytes() >= OUTPUT_MAX {
                return true;
            }
        }
        false
    }
}

/// Bytes of output after which a batch is interrupted to write it.
const OUTPUT_MAX: usize = 4 << 20;
